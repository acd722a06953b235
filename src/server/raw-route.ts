/** Routes whose requests or answers are no messages: files, plain texts, protobuf. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from './context.js';
import type { Method } from './route.js';
import type { Fields } from './wire/read.js';
import type { Schema } from './wire/schema.js';

export interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

export interface RawRoute {
  readonly name: string;
  readonly methods: readonly Method[];
  /** Whole, with `{name}` for a part that varies; the last one may be `{name*}`, which holds slashes. */
  readonly paths: readonly string[];
  /** How the body comes: as it flows, or whole; JSON is read by the handler. */
  readonly body: 'none' | 'stream' | 'buffer' | 'text';
  readonly query?: Readonly<Record<string, { readonly required?: boolean; readonly schema: Schema }>>;
  readonly headers?: Readonly<Record<string, { readonly required: boolean }>>;
  /** What a body of JSON holds. */
  readonly message?: Fields;
  /** The types of content that are taken, and those that are answered with 200. */
  readonly takes?: readonly string[];
  readonly gives: Readonly<Record<string, Schema>>;
  readonly handle: (context: Context, exchange: Exchange) => Promise<unknown>;
}

/** A parameter of the query; of several of one name the first, as Flask has it. */
export function queryOf({ query }: FastifyRequest, name: string): string | undefined {
  const value: unknown = typeof query === 'object' && query !== null ? Reflect.get(query, name) : undefined;
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' ? first : undefined;
}

/** A part of the path. */
export function paramOf({ params }: FastifyRequest, name: string): string {
  const value: unknown = typeof params === 'object' && params !== null ? Reflect.get(params, name) : undefined;
  return typeof value === 'string' ? value : '';
}

/** A path as the router has it: `:name`, and `*` for the rest. */
export function routerPath(path: string): string {
  return path.replace(/\{\w+\*\}/g, '*').replace(/\{(\w+)\}/g, ':$1');
}
