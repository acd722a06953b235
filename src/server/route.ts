/**
 * A route: one function of MLflow's REST API, declared once. From its declaration it is served, under all of its paths, and
 * described.
 */
import type { Context } from './context.js';
import { type Fields, type Read, requestReader } from './wire/read.js';
import type { Described } from './wire/schema.js';
import { object, type Writer } from './wire/write.js';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What stands in the path, by name. */
export type Params = Readonly<Record<string, string>>;

export interface Route {
  /** The name that MLflow's services give it; of the operation in the description. */
  readonly name: string;
  readonly methods: readonly Method[];
  /** Behind the prefix, with `{name}` for a part that varies. */
  readonly path: string;
  readonly prefixes: readonly string[];
  readonly fields: Fields;
  readonly answer: Described;
  /** @param json of the body or the query. @returns the text of the answer */
  readonly serve: (context: Context, json: Readonly<Record<string, unknown>>, params: Params) => Promise<string>;
}

/** The names in braces of a path. */
type NamesIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never;

interface Declaration<Path extends string, Of extends Fields, Answer> {
  readonly name: string;
  readonly method: Method | readonly Method[];
  readonly path: Path;
  /** MLflow's version of the path: 2 unless it is said. */
  readonly version?: 2 | 3;
  /** For MLflow's web pages alone: not under /api. */
  readonly pagesOnly?: boolean;
  readonly request: Of;
  readonly answer: Writer<Answer>;
  readonly handle: (
    context: Context,
    request: Read<Of>,
    params: { readonly [Name in NamesIn<Path>]: string },
  ) => Promise<Answer>;
}

export function route<const Path extends string, Of extends Fields, Answer>(
  declaration: Declaration<Path, Of, Answer>,
): Route {
  const { name, method, path, version = 2, pagesOnly = false, request, answer, handle } = declaration;
  const read = requestReader(request);
  return {
    name,
    methods: typeof method === 'string' ? [method] : method,
    path,
    prefixes: [...(pagesOnly ? [] : [`/api/${version}.0`]), `/ajax-api/${version}.0`],
    fields: request,
    answer,
    // The router gives all names of the path.
    serve: async (context, json, params) =>
      answer.write(await handle(context, read(json), params as { readonly [Name in NamesIn<Path>]: string })),
  };
}

/** An answer that says only that it was done. */
export const done: Writer<void> = { ...object<Record<never, never>>({}), write: () => '{}' };
