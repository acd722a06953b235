/** The JSON of a request: of its body, or of its query where it is a GET. */
import type { FastifyRequest } from 'fastify';
import { invalidParameter } from '../store/errors.js';
import { TooLarge } from './failures.js';
import { type Fields, isObject } from './wire/read.js';

type Json = Readonly<Record<string, unknown>>;

const EMPTY: Json = {};

/**
 * The body as MLflow takes it: an object, an old client's text with one in it, or nothing. What is no JSON is nothing, too.
 * @throws {StoreError} INVALID_PARAMETER_VALUE
 */
export function jsonOf({ method, headers, body }: Pick<FastifyRequest, 'method' | 'headers' | 'body'>): Json {
  if (method === 'POST' || method === 'PUT') checkContentType(headers['content-type']);
  if (typeof body !== 'string' || body === '') return EMPTY;
  let json = parsed(body);
  if (typeof json === 'string') json = parsed(json);
  if (json === undefined || json === null) return EMPTY;
  if (isObject(json)) return json;
  throw invalidParameter('The body of the request must be a JSON object.');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function checkContentType(type: string | undefined): void {
  if (type === 'application/json') return;
  if (type === undefined) throw invalidParameter('Bad Request. Content-Type header is missing.');
  if (type.split(';')[0] !== 'application/json') {
    throw invalidParameter("Bad Request. Content-Type must be one of ['application/json'].");
  }
}

/**
 * The body of a GET, in which some clients send their message, and which Fastify leaves unread.
 * @throws {TooLarge} where it is longer than the limit, in bytes
 */
export async function bodyOfGet({ headers, raw }: FastifyRequest, limit: number): Promise<string> {
  if (Number(headers['content-length'] ?? 0) === 0 && headers['transfer-encoding'] === undefined) return '';
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of raw as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit) throw new TooLarge(limit, 'body');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** The query, with the fields that a request has: each once or as a list, as its field wants it. */
export function queryJson(fields: Fields, query: unknown): Json | null {
  if (!isObject(query)) return null;
  const json: Record<string, unknown> = {};
  let any = false;
  for (const name in query) {
    any = true;
    const field = fields[name];
    if (field === undefined) continue;
    const value = query[name];
    if (field.repeated) json[name] = Array.isArray(value) ? value : [value];
    else json[name] = single(Array.isArray(value) ? value[0] : value, field.schema.type === 'boolean');
  }
  // The older name of a field is no field of its own.
  for (const { alias } of Object.values(fields)) {
    if (alias !== undefined && typeof query[alias] === 'string') json[alias] = query[alias];
  }
  return any ? json : null;
}

function single(value: unknown, isFlag: boolean): unknown {
  if (!isFlag || typeof value !== 'string') return value;
  const word = value.toLowerCase();
  if (word === 'true' || word === 'false') return word === 'true';
  throw invalidParameter(`Invalid boolean value: ${value}, must be 'true' or 'false'.`);
}
