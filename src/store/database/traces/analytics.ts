/** Metadata that is kept in columns of a trace, so that it can be counted: its session, its tokens and their cost. */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { type Comparison, type Json, parseFloating, readJsonText, stripSpace, writeJson } from '../../search/index.js';
import { withinLength } from '../../validate.js';
import { COST, SESSION, TOKEN_USAGE } from './keys.js';

const SESSION_LENGTH = 250;
/** Of the columns that tokens are kept in. */
const [LEAST, MOST] = [-(2n ** 63n), 2n ** 63n - 1n];

export const TOKENS = [
  'input_tokens',
  'output_tokens',
  'total_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens',
  'cache_creation_input_tokens_above_1hr',
] as const;
export const COSTS = ['input_cost', 'output_cost', 'total_cost'] as const;

type TokenColumn = (typeof TOKENS)[number];
type CostColumn = (typeof COSTS)[number];
type Dictionary = { readonly [key: string]: Json };

/** Values of columns, for those that are given. Tokens are decimal digits: a count can be too large for a number. */
export type Analytics = { session_id?: string } & { [Column in TokenColumn]?: string | null } & {
  [Column in CostColumn]?: number | null;
};

/** @throws StoreError where a session has too long an id */
export function analyticsOf(metadata: Readonly<Record<string, string>>): Analytics {
  const { [SESSION]: session, [TOKEN_USAGE]: tokens, [COST]: costs } = metadata;
  return {
    ...(session !== undefined && { session_id: checkSession(session) }),
    ...(tokens !== undefined && columnsOf(TOKENS, dictionaryIn(tokens), tokenCount)),
    ...(costs !== undefined && columnsOf(COSTS, dictionaryIn(costs), finite)),
  };
}

export const checkSession = (session: string) => withinLength('Session ID', SESSION_LENGTH, session);

const columnsOf = <Value>(columns: readonly string[], from: Dictionary, read: (value: Json) => Value) =>
  Object.fromEntries(columns.flatMap((column) => (column in from ? [[column, read(from[column] ?? null)]] : [])));

/** What is in JSON text that is an object; nothing in any other. */
export function dictionaryIn(text: string): Dictionary {
  const value = readJsonText(text);
  return isDictionary(value) ? value : {};
}

export const isDictionary = (value: Json | undefined): value is Dictionary =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A whole number, as digits; it may be written as a text. Null for anything else. */
export function tokenCount(value: Json | undefined): string | null {
  const count = typeof value === 'bigint' ? value : wholeNumber(value);
  return count === undefined || count < LEAST || count > MOST ? null : String(count);
}

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i;
/** Powers of ten beyond this are too large for a column, or too small for a whole number. */
const MOST_DIGITS = 40;

/** As Python's Decimal reads it. */
function wholeNumber(value: Json | undefined): bigint | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined;
  if (typeof value !== 'string') return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(stripSpace(value).replaceAll('_', '')) ?? [];
  const digits = whole + fraction;
  if (sign === undefined || digits === '') return undefined;
  const magnitude = BigInt(digits);
  if (magnitude === 0n) return 0n;
  const shift = Number(exponent) - fraction.length;
  if (Math.abs(shift) > MOST_DIGITS + digits.length) return undefined;
  const scale = 10n ** BigInt(Math.abs(shift));
  if (shift < 0 && magnitude % scale !== 0n) return undefined;
  const number = shift < 0 ? magnitude / scale : magnitude * scale;
  return sign === '-' ? -number : number;
}

/** A finite number, which may be written as a text. Null for anything else. */
export function finite(value: Json | undefined): number | null {
  const number =
    typeof value === 'string'
      ? parseFloating(value)
      : typeof value === 'number' || typeof value === 'bigint'
        ? Number(value)
        : undefined;
  return number !== undefined && Number.isFinite(number) ? number : null;
}

/** Columns of a trace, as a database gives them, or as they are to be. */
type AnalyticsRow = { readonly session_id?: string | null } & {
  readonly [Column in TokenColumn]?: number | string | null;
} & { readonly [Column in CostColumn]?: number | null };

/** The metadata that the columns stand for. */
export function metadataOf(row: AnalyticsRow): Record<string, string> {
  const { session_id: session } = row;
  const tokens = TOKENS.flatMap((column) => {
    const count = row[column] ?? null;
    return count === null ? [] : [[column, BigInt(count)] as const];
  });
  const costs = COSTS.flatMap((column) => {
    const cost = row[column] ?? null;
    return cost === null ? [] : [[column, cost] as const];
  });
  return {
    ...(typeof session === 'string' && { [SESSION]: session }),
    ...(tokens.length > 0 && { [TOKEN_USAGE]: writeJson(Object.fromEntries(tokens)) }),
    ...(costs.length > 0 && { [COST]: writeJson(Object.fromEntries(costs)) }),
  };
}

/** A filter on such metadata: equal is what would be shown as exactly this text. */
export function analyticsCondition({ key, comparator, value }: Comparison): RawBuilder<SqlBool> {
  const columns: readonly string[] = key === TOKEN_USAGE ? TOKENS : COSTS;
  const column = (name: string) => sql.ref(`t.${name}`);
  const any = sql<SqlBool>`(${sql.join(
    columns.map((name) => sql`${column(name)} IS NOT NULL`),
    sql` OR `,
  )})`;
  if (comparator === 'IS NOT NULL') return any;
  if (comparator === 'IS NULL') return sql`NOT ${any}`;
  const wanted = exactly(columns, key === TOKEN_USAGE ? tokenCount : finite, String(value));
  if (wanted === undefined) return comparator === '=' ? sql`1 = 0` : any;
  const same = columns.map((name) =>
    wanted[name] === undefined
      ? sql`${column(name)} IS NULL`
      : sql`(${column(name)} IS NOT NULL AND ${column(name)} = ${wanted[name]})`,
  );
  const all = sql<SqlBool>`(${sql.join(same, sql` AND `)})`;
  return comparator === '=' ? all : sql`(${any} AND NOT ${all})`;
}

function exactly(
  columns: readonly string[],
  read: (value: Json | undefined) => string | number | null,
  text: string,
): Readonly<Record<string, string | number>> | undefined {
  const given = dictionaryIn(text);
  const names = Object.keys(given);
  if (names.length === 0 || !names.every((name) => columns.includes(name))) return undefined;
  const wanted = Object.fromEntries(
    columns.flatMap((name) => {
      const value = read(given[name]);
      return value === null ? [] : [[name, value]];
    }),
  );
  const shown = Object.fromEntries(
    Object.entries(wanted).map(([name, value]) => [name, typeof value === 'string' ? BigInt(value) : value]),
  );
  return Object.keys(wanted).length > 0 && writeJson(shown) === text ? wanted : undefined;
}
