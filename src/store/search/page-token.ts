/**
 * Page tokens, to the byte as MLflow makes them: a client may take one from MLflow's server and bring it to ours. They are
 * base64 of a JSON object with the offset; those of logged models in a database hold the question too, and must match it.
 */
import { invalidParameter } from '../errors.js';
import { int, isEmpty, isList, type Json, repr, reprBytes, str } from './python.js';
import { readJson, writeJson } from './python-json.js';

export function encodePageToken(offset: number): string {
  return encode({ offset: BigInt(offset) });
}

/** @throws StoreError where it is no token; MLflow fails on some of those */
export function decodePageToken(token: string | null | undefined): number {
  if (!token) return 0;
  const bytes = unbase64(token);
  const parsed = bytes && readJson(bytes);
  if (bytes === undefined) throw invalidParameter('Invalid page token, could not base64-decode');
  if (parsed === undefined) throw invalidParameter(`Invalid page token, decoded value=${reprBytes(bytes)}`);
  const offset = member(parsed, 'offset');
  if (offset === undefined || isEmpty(offset)) {
    throw invalidParameter(`Invalid page token, parsed value=${repr(parsed)}`);
  }
  const number = integer(offset);
  if (number === undefined) throw invalidParameter(`Invalid page token, not stringable ${str(offset)}`);
  return Number(number);
}

/** The last point of a page of a history: what comes after it is found without counting what came before. */
export interface LastPoint {
  readonly timestamp: number;
  readonly step: number;
  readonly value: number;
  readonly nan: boolean;
}

/** A token with an offset for MLflow, and with the last point for us. */
export function encodeHistoryToken(offset: number, { timestamp, step, value, nan }: LastPoint): string {
  return encode({ offset: BigInt(offset), after: [BigInt(timestamp), BigInt(step), value, nan] });
}

/** @throws StoreError where it is no token; a token of MLflow's has no last point */
export function decodeHistoryToken(token: string | null | undefined): { offset: number; after?: LastPoint } {
  const offset = decodePageToken(token);
  const parsed = token ? readJson(unbase64(token) ?? new Uint8Array()) : undefined;
  const after = parsed === undefined ? undefined : member(parsed, 'after');
  if (after === undefined || !isList(after)) return { offset };
  const [timestamp, step, value, nan] = after;
  if (typeof timestamp !== 'bigint' || typeof step !== 'bigint' || typeof nan !== 'boolean') return { offset };
  if (typeof value !== 'number' && typeof value !== 'bigint') return { offset };
  return { offset, after: { timestamp: Number(timestamp), step: Number(step), value: Number(value), nan } };
}

/** What a search for logged models asks; the pages of one search all ask the same. */
export interface LoggedModelQuestion {
  readonly experimentIds: readonly string[];
  readonly filter: string | null;
  readonly orderBy: readonly { readonly [key: string]: Json }[] | null;
}

export function encodeLoggedModelToken(question: LoggedModelQuestion, offset: number): string {
  return encode({
    experiment_ids: question.experimentIds,
    filter_string: question.filter,
    order_by: question.orderBy,
    offset: BigInt(offset),
  });
}

/** @throws StoreError where it is no token, or one of another search */
export function decodeLoggedModelToken(token: string, question: LoggedModelQuestion): number {
  const bytes = unbase64(token);
  const parsed = bytes && readJson(bytes);
  if (parsed === undefined) throw invalidParameter(`Invalid page token: ${token}.`);
  const given = (key: string) => {
    const value = member(parsed, key);
    return isEmpty(value) ? null : (value as Json);
  };
  agree('Experiment IDs', 'experiment IDs', question.experimentIds, member(parsed, 'experiment_ids') ?? null);
  agree('Filter string', 'filter string', question.filter, given('filter_string'));
  agree('Order by', 'order by', question.orderBy, given('order_by'));
  const offset = given('offset') ?? 0n;
  if (typeof offset !== 'bigint') throw invalidParameter(`Invalid page token: ${token}.`);
  return Number(offset);
}

function agree(What: string, what: string, asked: Json, found: Json): void {
  if (isEqual(asked, found)) return;
  throw invalidParameter(
    `${What} in the page token do${What.endsWith('s') ? '' : 'es'} not match the requested ${what}. ` +
      `Expected: ${str(asked)}. Found: ${str(found)}`,
  );
}

/** The order of an object's keys does not matter. */
function isEqual(one: Json, other: Json): boolean {
  if (one === null || other === null || typeof one !== 'object' || typeof other !== 'object') return one === other;
  if (isList(one) !== isList(other)) return false;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isEqual(member(one, key) ?? null, member(other, key) ?? null))
  );
}

function member(value: Json, key: string): Json | undefined {
  if (value === null || typeof value !== 'object') return undefined;
  return Object.hasOwn(value, key) ? (value as { readonly [key: string]: Json })[key] : undefined;
}

function integer(value: Json): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? BigInt(Math.trunc(value)) : undefined;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  return typeof value === 'string' ? int(value) : undefined;
}

const encode = (value: Json) => Buffer.from(writeJson(value), 'utf8').toString('base64');

/** Characters that are none of base64's are passed over, as Python does; `undefined` where the padding is wrong. */
function unbase64(token: string): Buffer | undefined {
  // Python refuses what is not ASCII.
  if (/[^\0-\x7f]/.test(token)) return undefined;
  const characters = token.replace(/[^A-Za-z0-9+/=]/g, '');
  let data = '';
  let padding = 0;
  for (const character of characters) {
    if (character !== '=') {
      // Padding that does not end a group of four is passed over too.
      data += character;
      padding = 0;
    } else if (data.length % 4 >= 2 && (data.length % 4) + ++padding >= 4) {
      return Buffer.from(data, 'base64');
    }
  }
  return data.length % 4 === 0 ? Buffer.from(data, 'base64') : undefined;
}
