/** The HTTP server, made of the table of routes. */
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { StoreError } from '../store/errors.js';
import { ABSENT, absentPaths } from './absent.js';
import type { Users } from './auth.js';
import { bodyOfGet, jsonOf, queryJson } from './body.js';
import type { Context } from './context.js';
import { errorReply, type Log } from './failures.js';
import type { ServerMetrics } from './metrics.js';
import type { OpenApi } from './openapi.js';
import { type RawRoute, routerPath } from './raw-route.js';
import type { Route } from './route.js';
import { isApi, type Security, type SecurityOptions, security } from './security.js';

export interface ServerOptions {
  readonly security: SecurityOptions;
  /** Null where everybody may in. */
  readonly users: Users | null;
  /** Certificate and key, as PEM. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** Bytes of a body that is not a file. */
  readonly bodyLimit: number;
  /** Bytes of a file that is uploaded; null is any. */
  readonly uploadLimit: number | null;
  readonly log: Log;
  /** Whether each request is logged, at the level debug. */
  readonly logRequests: boolean;
  readonly metrics: ServerMetrics;
}

export interface Table {
  readonly routes: readonly Route[];
  readonly rawRoutes: readonly RawRoute[];
  readonly description: OpenApi;
}

/** Longer parts of a path than this are no id of anything. */
const LONGEST_PARAMETER = 8192;

/** Clients of MLflow 1.x ask for the registry at paths that MLflow had until 2.0. */
const PREVIEW = '/api/2.0/preview/mlflow/';
const API = '/api/2.0/mlflow/';

/** These are answered without a login, as MLflow does: probes and clients look at them first. */
const OPEN = new Set(['/health', '/version', '/api/3.0/mlflow/server-info', '/ajax-api/3.0/mlflow/server-info']);

/** Builds the server; it does not listen yet. */
export function buildApp(context: Context, table: Table, options: ServerOptions): FastifyInstance {
  const { tls, bodyLimit } = options;
  const app = Fastify({
    ...(tls && { https: tls }),
    bodyLimit,
    logger: false,
    requestIdHeader: 'x-request-id',
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: LONGEST_PARAMETER },
    rewriteUrl: ({ url = '/' }) => (url.startsWith(PREVIEW) ? API + url.slice(PREVIEW.length) : url),
  }) as unknown as FastifyInstance;
  const rules = security(options.security);
  addGate(app, rules, options);
  addObservers(app, options);
  app.setErrorHandler(errorReply(options.log));
  app.setNotFoundHandler(notFound(table));
  addMessages(app, context, table.routes, bodyLimit);
  for (const body of ['none', 'text', 'buffer', 'stream'] as const) {
    const ofBody = table.rawRoutes.filter((route) => route.body === body);
    addRaw(app, context, ofBody, body);
  }
  addOwn(app, table, options);
  addAbsent(app);
  return app;
}

/** Whether the request may come in: before its body is read. */
function addGate(app: FastifyInstance, rules: Security, { users, log }: ServerOptions): void {
  const always = Object.entries(rules.headers);
  app.addHook('onRequest', (request, reply, next) => {
    const path = pathOf(request);
    const origin = request.headers.origin;
    for (const [name, value] of always) reply.header(name, value);
    const refusal = rules.refusal({ method: request.method, path, host: request.headers.host ?? '', origin });
    if (refusal) {
      log('warn', refusal.text, { request: request.id, host: request.headers.host, origin });
      reply.code(refusal.status).type('text/plain').send(refusal.text);
      return;
    }
    if (origin !== undefined) reply.headers(rules.corsHeaders(origin));
    if (request.method === 'OPTIONS' && isApi(path)) {
      answerOptions(rules, request, reply);
      return;
    }
    if (users === null || OPEN.has(path)) return next();
    users.admits(request.headers.authorization).then((admitted) => {
      if (admitted) return next();
      reply
        .code(401)
        .header('www-authenticate', 'Basic realm="mlflow"')
        .type('text/plain')
        .send(
          'You are not authenticated: give a name and a password (MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD).',
        );
    }, next);
  });
}

function answerOptions(rules: Security, request: FastifyRequest, reply: FastifyReply): void {
  const { origin } = request.headers;
  if (origin === undefined || request.headers['access-control-request-method'] === undefined) {
    reply.code(204).send();
    return;
  }
  const headers = rules.preflight(origin, { headers: request.headers['access-control-request-headers'] });
  if (headers) reply.code(200).headers(headers).type('text/plain').send('OK');
  else reply.code(400).type('text/plain').send('Disallowed CORS origin');
}

function addObservers(app: FastifyInstance, { metrics, log, logRequests }: ServerOptions): void {
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    metrics.observe(request.method, route, reply.statusCode, reply.elapsedTime / 1000);
    if (logRequests) {
      log('debug', 'request', {
        request: request.id,
        method: request.method,
        path: pathOf(request),
        status: reply.statusCode,
        ms: Number(reply.elapsedTime.toFixed(3)),
      });
    }
    done();
  });
}

/** All routes of messages: their bodies are texts, of whatever type they say they are, until their reader looks at them. */
function addMessages(app: FastifyInstance, context: Context, routes: readonly Route[], bodyLimit: number): void {
  app.register(async (scope) => {
    takeBodies(scope, 'text');
    for (const { serve, fields, methods, path, prefixes } of routes) {
      const handler = async (request: FastifyRequest, reply: FastifyReply) => {
        const isGet = request.method === 'GET';
        let json = isGet ? queryJson(fields, request.query) : jsonOf(request);
        json ??= jsonOf({
          method: request.method,
          headers: request.headers,
          body: await bodyOfGet(request, bodyLimit),
        });
        const answer = await serve(context, json, request.params as Record<string, string>);
        reply.header('content-type', 'application/json');
        return answer;
      };
      for (const prefix of prefixes) {
        for (const method of methods) scope.route({ method, url: routerPath(prefix + path), handler });
      }
    }
  });
}

function addRaw(app: FastifyInstance, context: Context, routes: readonly RawRoute[], body: RawRoute['body']): void {
  app.register(async (scope) => {
    takeBodies(scope, body);
    for (const { handle, methods, paths } of routes) {
      for (const path of paths) {
        for (const method of methods) {
          scope.route({
            method,
            url: routerPath(path),
            // What flows through is counted where it is written.
            ...(body === 'stream' && { bodyLimit: Number.MAX_SAFE_INTEGER }),
            handler: (request, reply) => handle(context, { request, reply }),
          });
        }
      }
    }
  });
}

function takeBodies(scope: FastifyInstance, body: RawRoute['body']): void {
  scope.removeAllContentTypeParsers();
  if (body === 'stream') {
    scope.addContentTypeParser('*', (_, payload, done) => done(null, payload));
  } else if (body === 'buffer') {
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_, payload, done) => done(null, payload));
  } else {
    scope.addContentTypeParser('*', { parseAs: 'string' }, (_, payload, done) => done(null, payload));
  }
}

function addOwn(app: FastifyInstance, { description }: Table, { metrics }: ServerOptions): void {
  let json: string | undefined;
  app.get('/openapi.json', async (_, reply) => {
    json ??= JSON.stringify(description);
    return reply.type('application/json').send(json);
  });
  app.get('/metrics', async (_, reply) => reply.type(metrics.contentType).send(await metrics.text()));
}

function addAbsent(app: FastifyInstance): void {
  app.register(async (scope) => {
    takeBodies(scope, 'text');
    for (const absent of ABSENT) {
      for (const path of absentPaths(absent)) {
        scope.all(path, async () => {
          throw new StoreError(
            'NOT_IMPLEMENTED',
            `mtrack server does not have ${absent.what}: run \`mlflow server\` for that, on the same store.`,
          );
        });
      }
    }
  });
}

function notFound({ routes, rawRoutes }: Table) {
  let known: readonly RegExp[] | undefined;
  return (request: FastifyRequest, reply: FastifyReply): void => {
    known ??= [
      ...routes.flatMap(({ prefixes, path }) => prefixes.map((prefix) => prefix + path)),
      ...rawRoutes.flatMap(({ paths }) => paths),
    ].map((path) => new RegExp(`^${path.replace(/\{\w+\*\}/g, '.+').replace(/\{\w+\}/g, '[^/]+')}$`));
    const path = pathOf(request);
    const [status, code, message] = known.some((pattern) => pattern.test(path))
      ? ([405, 'BAD_REQUEST', `${request.method} is not allowed for ${path}.`] as const)
      : ([404, 'ENDPOINT_NOT_FOUND', `There is nothing at ${path}.`] as const);
    reply
      .code(status)
      .type('application/json')
      .send(JSON.stringify(new StoreError(code, message)));
  };
}

function pathOf({ url }: FastifyRequest): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}
