/** OpenAPI 3.1, made of the same table that is served: https://spec.openapis.org/oas/v3.1.1.html */
import type { RawRoute } from './raw-route.js';
import type { Route } from './route.js';
import { type Fields, objectSchema, schemaOf } from './wire/read.js';
import { type Described, reference, type Schema } from './wire/schema.js';

type Json = Readonly<Record<string, unknown>>;

export interface OpenApi extends Json {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Json>>;
}

const ERROR: Schema = {
  type: 'object',
  properties: {
    error_code: { type: 'string' },
    message: { type: 'string' },
    sqlstate: { type: 'string' },
    error_class: { type: 'string' },
  },
  required: ['error_code', 'message'],
};

const FAILED = {
  description: "Refused or failed, in MLflow's form",
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
};

export function openApi(routes: readonly Route[], rawRoutes: readonly RawRoute[], version: string): OpenApi {
  const schemas: Record<string, Schema> = { Error: ERROR };
  const paths: Record<string, Record<string, unknown>> = {};
  const add = (path: string, method: string, operation: Json) => {
    paths[path] ??= {};
    (paths[path] as Record<string, unknown>)[method.toLowerCase()] = operation;
  };
  for (const route of routes) {
    for (const part of [...Object.values(route.fields), route.answer]) collect(part, schemas);
    for (const prefix of route.prefixes) {
      for (const method of route.methods) add(prefix + route.path, method, messageOperation(route, prefix, method));
    }
  }
  for (const route of rawRoutes) {
    for (const part of Object.values(route.message ?? {})) collect(part, schemas);
    for (const [i, path] of route.paths.entries()) {
      for (const method of route.methods) add(path.replace('*}', '}'), method, rawOperation(route, path, i));
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: "mtrack server: MLflow's REST API",
      version,
      description:
        'All under /api/2.0/mlflow is at /api/2.0/preview/mlflow, too, where clients of MLflow 1.x look for it.',
    },
    paths,
    components: { schemas },
  };
}

/** Puts all that has a name among the schemas. */
function collect({ name, schema, parts = [] }: Described, schemas: Record<string, Schema>): void {
  if (name !== undefined) {
    if (schemas[name]) return;
    schemas[name] = schema;
  }
  for (const part of parts) collect(part, schemas);
}

function messageOperation({ name, path, fields, answer }: Route, prefix: string, method: string): Json {
  return {
    operationId: operationId(name, method, prefix),
    parameters: [...pathParameters(path), ...(method === 'GET' ? queryParameters(fields) : [])],
    ...(method !== 'GET' && Object.keys(fields).length > 0 && jsonBody(fields)),
    responses: {
      200: { description: 'Done', content: { 'application/json': { schema: reference(answer) } } },
      default: FAILED,
    },
  };
}

function rawOperation(route: RawRoute, path: string, i: number): Json {
  const query = Object.entries(route.query ?? {}).map(([name, { required = false, schema }]) => ({
    name,
    in: 'query',
    required,
    schema,
  }));
  const headers = Object.entries(route.headers ?? {}).map(([name, { required }]) => ({
    name,
    in: 'header',
    required,
    schema: { type: 'string' },
  }));
  const content = Object.fromEntries(Object.entries(route.gives).map(([type, schema]) => [type, { schema }]));
  const taken = Object.fromEntries(
    (route.takes ?? []).map((type) => [type, { schema: { type: 'string', format: 'binary' } }]),
  );
  const done = { description: 'Done', ...(Object.keys(content).length > 0 && { content }) };
  return {
    operationId: i === 0 ? route.name : `${route.name}${i + 1}`,
    parameters: [...pathParameters(path), ...query, ...headers],
    ...(route.message ? jsonBody(route.message) : route.takes && { requestBody: { content: taken } }),
    responses: {
      200: done,
      ...(content['*/*'] && {
        206: { description: 'The part that was asked for', content },
        304: { description: 'As before' },
      }),
      ...(content['*/*'] && { 416: { description: 'There is no such part' } }),
      // Not all of these are in one form: see docs/server.md.
      default: {
        description: 'Refused or failed',
        content: { 'application/json': { schema: {} }, 'text/plain': { schema: {} } },
      },
    },
  };
}

const jsonBody = (fields: Fields): Json => ({
  requestBody: { required: true, content: { 'application/json': { schema: objectSchema(fields) } } },
});

/** Each operation has a name of its own, also where one is served under two paths. */
function operationId(name: string, method: string, prefix: string): string {
  const ajax = prefix.startsWith('/ajax') ? 'Ajax' : '';
  return `${name}${ajax}${method === 'GET' ? 'ByGet' : ''}`;
}

const pathParameters = (path: string): readonly Json[] =>
  [...path.matchAll(/\{(\w+)\*?\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', minLength: 1 },
  }));

/** A list is given as the name several times. */
function queryParameters(fields: Fields): readonly Json[] {
  return Object.entries(fields).map(([name, field]) => ({
    name,
    in: 'query',
    required: field.needed && field.alias === undefined,
    schema: schemaOf(field),
    ...(field.repeated && { style: 'form', explode: true }),
  }));
}
