/** How a dialect spells what the queries of a store need and SQL has no common words for. */
import { type RawBuilder, type SqlBool, sql } from 'kysely';

/** What happens to a row whose key is in the table already. */
export type OnConflict =
  | 'keep'
  | {
      /** Columns that take the new row's values. */
      readonly update: readonly string[];
      /** Only where the new row's values of these, compared in this order, are not less than the old one's. */
      readonly unlessLess?: readonly string[];
    };

export interface Insertion {
  readonly table: string;
  readonly columns: readonly string[];
  /** One value for each column. */
  readonly rows: readonly (readonly unknown[])[];
  /** The primary key. */
  readonly key: readonly string[];
  readonly conflict: OnConflict;
}

export type TextComparator = '=' | '!=' | 'LIKE' | 'ILIKE' | 'RLIKE' | 'IN' | 'NOT IN';

export interface QueryWords {
  /** The most values that one statement may bind. */
  readonly maxValues: number;
  /** One statement for all rows, of which no two have the same key. */
  insert(insertion: Insertion): RawBuilder<unknown>;
  /**
   * Before and after the WHERE of a query, so that its rows stay locked until the transaction ends; empty where a
   * transaction that writes has the whole database for itself.
   */
  readonly locking: { readonly from: RawBuilder<unknown>; readonly end: RawBuilder<unknown> };
  /**
   * A column compared with a text, or with several for IN; the case of letters counts, but for ILIKE. Undefined where the
   * database knows no such comparison.
   */
  compareText(
    column: RawBuilder<unknown>,
    comparator: TextComparator,
    value: string | readonly string[],
  ): RawBuilder<SqlBool> | undefined;
  /** Behind an ORDER BY. */
  page(limit: number, offset?: number): RawBuilder<unknown>;
}

export const NOTHING = sql``;

export const columnList = (columns: readonly string[]): RawBuilder<unknown> =>
  sql.join(columns.map((column) => sql.ref(column)));

export const rowList = (rows: readonly (readonly unknown[])[]): RawBuilder<unknown> =>
  sql.join(rows.map((row) => sql`(${sql.join(row.map((value) => sql.val(value)))})`));

/** `(a, b) >= (c, d)` in words that every dialect has. */
export function notLess(pairs: readonly (readonly [one: RawBuilder<unknown>, other: RawBuilder<unknown>])[]) {
  return pairs.reduceRight<RawBuilder<unknown>>(
    (rest, [one, other], at) =>
      at === pairs.length - 1 ? sql`${one} >= ${other}` : sql`(${one} > ${other} OR (${one} = ${other} AND ${rest}))`,
    sql`1 = 1`,
  );
}

/** INSERT … ON CONFLICT, as PostgreSQL and SQLite have it. */
export function insertOnConflict({ table, columns, rows, key, conflict }: Insertion): RawBuilder<unknown> {
  const into = sql.table(table);
  const insert = sql`INSERT INTO ${into} (${columnList(columns)}) VALUES ${rowList(rows)} ON CONFLICT (${columnList(key)})`;
  if (conflict === 'keep') return sql`${insert} DO NOTHING`;
  const excluded = (column: string) => sql.ref(`excluded.${column}`);
  const set = sql.join(conflict.update.map((column) => sql`${sql.ref(column)} = ${excluded(column)}`));
  const order = conflict.unlessLess;
  const where = order
    ? sql` WHERE ${notLess(order.map((column) => [excluded(column), sql.ref(`${table}.${column}`)] as const))}`
    : NOTHING;
  return sql`${insert} DO UPDATE SET ${set}${where}`;
}

export const limitOffset = (limit: number, offset = 0): RawBuilder<unknown> =>
  offset === 0 ? sql`LIMIT ${sql.val(limit)}` : sql`LIMIT ${sql.val(limit)} OFFSET ${sql.val(offset)}`;

/** One of several values; of none it is nothing. */
export function isIn(
  column: RawBuilder<unknown>,
  comparator: 'IN' | 'NOT IN',
  values: readonly unknown[],
): RawBuilder<SqlBool> {
  if (values.length === 0) return comparator === 'IN' ? sql`1 = 0` : sql`1 = 1`;
  return sql`${column} ${sql.raw(comparator)} (${sql.join(values.map((value) => sql.val(value)))})`;
}

/** Where texts are equal only to the letter, and LIKE minds the case. */
export function compareExactText(
  column: RawBuilder<unknown>,
  comparator: Exclude<TextComparator, 'RLIKE'>,
  value: string | readonly string[],
): RawBuilder<SqlBool> {
  if (comparator === 'IN' || comparator === 'NOT IN') return isIn(column, comparator, [value].flat());
  if (comparator === 'ILIKE') return sql`lower(${column}) LIKE lower(${sql.val(value)})`;
  return sql`${column} ${sql.raw(comparator)} ${sql.val(value)}`;
}
