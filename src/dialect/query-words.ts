/** How a dialect spells what the queries of a store need and SQL has no common words for. */
import {
  type CompiledQuery,
  type Expression,
  type Kysely,
  type RawBuilder,
  SelectQueryNode,
  type SqlBool,
  sql,
} from 'kysely';

/** What happens to a row whose key is in the table already. */
export type OnConflict =
  | 'keep'
  | {
      /** Columns that take the new row's values. */
      readonly update: readonly string[];
      /** Only where the new row's values of these, compared in this order, are greater than the old one's. */
      readonly ifGreater?: readonly string[];
    };

/** What a column holds, where a statement has to say it. */
export type ColumnKind = 'text' | 'integer' | 'bigint' | 'double' | 'boolean';

/** An INSERT of any number of rows. */
export interface InsertShape {
  /** No other shape has it. */
  readonly name: string;
  readonly table: string;
  readonly columns: Readonly<Record<string, ColumnKind>>;
  /** The primary key. */
  readonly key: readonly string[];
  /** `refuse` leaves it to the database, which fails. */
  readonly conflict: OnConflict | 'refuse';
}

/** A query of Kysely's, or SQL text. @typeParam Row that it gives */
export interface Compilable<Row = unknown> {
  // biome-ignore lint/suspicious/noExplicitAny: what tables there are does not matter to a text
  compile(db: Kysely<any>): CompiledQuery<Row>;
}

/** A statement that is compiled once for each shape, and run with other values each time. */
export interface Statement {
  readonly shape: string;
  /** With a hole for each value. */
  readonly build: () => Compilable;
  /** In the order of the holes. */
  readonly values: readonly unknown[];
}

/** Stands for a value that is bound later. */
export const hole = <Value = unknown>(): RawBuilder<Value> => sql<Value>`${null}`;

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

/** How a database is led that joins by looking rows up one by one, and may begin at the wrong end. */
export interface OneByOne {
  /** In place of JOIN: what stands before it is read first. */
  readonly straight: RawBuilder<unknown>;
  /** A query that gives, as `rows`, about how many rows another one reads; null where that is not known. */
  readonly estimate: ((query: RawBuilder<unknown>) => RawBuilder<{ readonly rows: number | string | null }>) | null;
  /** A column, to be compared without an index on it. */
  readonly unindexed: (column: RawBuilder<unknown>) => RawBuilder<unknown>;
}

/** Values of which a column is to be one. */
export interface Among {
  /** What the text of a statement that asks for them depends on. */
  readonly shape: string;
  /** As they fill the holes of `has`. */
  readonly values: readonly unknown[];
  /** Whether a column is one of them. */
  has(column: RawBuilder<unknown>): RawBuilder<SqlBool>;
}

/** What the columns of a query hold. */
export type Columns<Row> = { readonly [Name in keyof Row & string]: ColumnKind };

/** How all rows of a query become one value, exactly and in their order. */
export interface Packing {
  pack(columns: readonly string[], query: Expression<unknown>): RawBuilder<unknown>;
  /** @param packed as the driver gives it */
  unpack<Row>(columns: Columns<Row>, packed: unknown): Row[];
}

/** A query that is asked together with others. */
export interface Part {
  readonly columns: Columns<never>;
  readonly query: Expression<unknown>;
}

/** How several queries become one that gives the rows of all. */
export interface Union {
  unite(parts: readonly Part[]): RawBuilder<Record<string, unknown>>;
  /** The rows of each part. */
  rowsOf(parts: readonly Pick<Part, 'columns'>[], united: readonly Readonly<Record<string, unknown>>[]): unknown[][];
}

export interface QueryWords {
  /** The most values that one statement may bind. */
  readonly maxValues: number;
  /** Whether columns of long texts keep characters of every script. */
  readonly keepsUnicode: boolean;
  /** One statement for all rows, of which no two have the same key. */
  insert(insertion: Insertion): RawBuilder<unknown>;
  /** The same as statements to keep, as many as the rows need. @param rows with a value for each column, in the order of the shape */
  insertMany(shape: InsertShape, rows: readonly (readonly unknown[])[]): readonly Statement[];
  /** Values that a column is compared with, so that few shapes do for any number of them. */
  among(values: readonly (string | number)[]): Among;
  /** Null where a query, and a row of it, costs the driver little. */
  readonly packing: Packing | null;
  /** For queries of a few rows, where there is no packing and a query costs the driver much; else null. */
  readonly union: Union | null;
  /**
   * In an INSERT, before VALUES and at the end, so that it gives the number that a row got; empty where the driver tells
   * it as the last inserted id.
   */
  returning(column: string): { readonly output: RawBuilder<unknown>; readonly end: RawBuilder<unknown> };
  /** An INSERT that gives numbers which the table would give itself. */
  givingNumbers(table: string, insert: RawBuilder<unknown>): RawBuilder<unknown>;
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
  /** Null where the database has other ways to join, and statistics to choose by. */
  readonly oneByOne: OneByOne | null;
  /** A number to compare a column with, which it need not be able to hold. */
  number(value: number): RawBuilder<number>;
  /** Behind an ORDER BY. */
  page(limit: number, offset?: number): RawBuilder<unknown>;
}

export const NOTHING = sql``;

/** A query in brackets, which Kysely gives to its own. */
export const bracketed = (query: Expression<unknown>): RawBuilder<unknown> =>
  SelectQueryNode.is(query.toOperationNode()) ? sql`${query}` : sql`(${query})`;

export const columnList = (columns: readonly string[]): RawBuilder<unknown> =>
  sql.join(columns.map((column) => sql.ref(column)));

export const rowList = (rows: readonly (readonly unknown[])[]): RawBuilder<unknown> =>
  sql.join(rows.map((row) => sql`(${sql.join(row.map((value) => sql.val(value)))})`));

type Pair = readonly [one: RawBuilder<unknown>, other: RawBuilder<unknown>];

/** `(a, b) > (c, d)` in words that every dialect has. */
export function isGreater(pairs: readonly Pair[]): RawBuilder<SqlBool> {
  return pairs.reduceRight<RawBuilder<SqlBool>>(
    (rest, [one, other], at) =>
      at === pairs.length - 1 ? sql`${one} > ${other}` : sql`(${one} > ${other} OR (${one} = ${other} AND ${rest}))`,
    sql`1 = 0`,
  );
}

const holes = (count: number): RawBuilder<unknown> => sql.join(Array.from({ length: count }, () => hole()));

/** Rows as lists of VALUES: a shape for each number of rows. */
export function insertValues(
  { insert, maxValues }: Pick<QueryWords, 'insert' | 'maxValues'>,
  shape: InsertShape,
  rows: readonly (readonly unknown[])[],
): Statement[] {
  const { name, table, key, conflict } = shape;
  const columns = Object.keys(shape.columns);
  const most = Math.floor(maxValues / columns.length);
  const chunks = Array.from({ length: Math.ceil(rows.length / most) }, (_, at) =>
    rows.slice(at * most, (at + 1) * most),
  );
  return chunks.map((chunk) => {
    const blank = () => chunk.map(() => columns.map(() => null));
    return {
      shape: `${name}, ${chunk.length}`,
      build: () =>
        conflict === 'refuse'
          ? sql`INSERT INTO ${sql.table(table)} (${columnList(columns)}) VALUES ${rowList(blank())}`
          : insert({ table, columns, rows: blank(), key, conflict }),
      values: chunk.flat(),
    };
  });
}

/** A list whose length is a power of two: the last value is said again and again. */
export function amongHoles(values: readonly (string | number)[]): Among {
  const last = values.at(-1) ?? null;
  const length = 2 ** Math.ceil(Math.log2(Math.max(values.length, 1)));
  return {
    shape: String(length),
    values: [...values, ...Array.from({ length: length - values.length }, () => last)],
    has: (column) => sql`${column} IN (${holes(length)})`,
  };
}

/** INSERT … ON CONFLICT, as PostgreSQL and SQLite have it. */
export function insertOnConflict({ table, columns, rows, key, conflict }: Insertion): RawBuilder<unknown> {
  const insert = sql`INSERT INTO ${sql.table(table)} (${columnList(columns)}) VALUES ${rowList(rows)}`;
  return sql`${insert} ${onConflict(table, key, conflict)}`;
}

export function onConflict(table: string, key: readonly string[], conflict: OnConflict): RawBuilder<unknown> {
  const on = sql`ON CONFLICT (${columnList(key)})`;
  if (conflict === 'keep') return sql`${on} DO NOTHING`;
  const excluded = (column: string) => sql.ref(`excluded.${column}`);
  const set = sql.join(conflict.update.map((column) => sql`${sql.ref(column)} = ${excluded(column)}`));
  const order = conflict.ifGreater;
  const where = order
    ? sql` WHERE ${isGreater(order.map((column) => [excluded(column), sql.ref(`${table}.${column}`)] as const))}`
    : NOTHING;
  return sql`${on} DO UPDATE SET ${set}${where}`;
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
