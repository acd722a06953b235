/** A database at whatever revision it is: what of MLflow's tables and columns is there, and queries over them in pages. */
import { type RawBuilder, sql } from 'kysely';
import type { Dialect } from '../../dialect/dialect.js';
import type { Schema } from '../../schema/model.js';
import type { Connection } from './connection.js';
import type { Rows } from './kinds.js';

export const PAGE = 500;

type Condition = RawBuilder<unknown>;

export interface PageQuery {
  readonly columns: readonly RawBuilder<unknown>[];
  /** Table, with whatever is joined to it. */
  readonly from: RawBuilder<unknown>;
  readonly where: readonly Condition[];
  /** What rows are told apart by, and come in the order of. */
  readonly key: readonly string[];
  readonly size?: number;
}

export class Live {
  readonly connection: Connection;
  readonly dialect: Dialect;
  readonly #columns: ReadonlyMap<string, ReadonlySet<string>>;

  constructor(connection: Connection, dialect: Dialect, schema: Schema) {
    this.connection = connection;
    this.dialect = dialect;
    this.#columns = new Map(
      [...schema.tables].map(([name, { columns }]) => [name, new Set(columns.map((c) => c.name))]),
    );
  }

  has(table: string, ...columns: readonly string[]): boolean {
    const known = this.#columns.get(table);
    return known !== undefined && columns.every((column) => known.has(column));
  }

  /** Whether there can be such rows here. */
  hasRows({ table, column, when, through }: Rows): boolean {
    const there = this.has(table, column, ...(when ? [when.column] : []));
    return there && (through === undefined || (this.has(through.table, through.key) && this.hasRows(through)));
  }

  /** Pages by key, each of them a query: what is removed in between is of no account. */
  async *pages<Row extends object>({ columns, from, where, key, size = PAGE }: PageQuery): AsyncGenerator<Row[]> {
    const names = key.map((_, i) => `k${i}`);
    const keys = key.map((name, i) => sql`${sql.ref(name)} AS ${sql.ref(names[i] ?? '')}`);
    const order = sql.join(key.map((name) => sql.ref(name)));
    let after: readonly unknown[] | null = null;
    for (;;) {
      const conditions: Condition[] = after === null ? [...where] : [...where, behind(key, after)];
      const rows: Row[] = await this.connection.rows<Row>(
        sql`SELECT ${sql.join([...columns, ...keys])} FROM ${from} WHERE ${all(conditions)} ORDER BY ${order} ${this.dialect.queries.page(size)}`,
      );
      if (rows.length > 0) yield rows;
      const last = rows.at(-1);
      if (rows.length < size || last === undefined) return;
      after = names.map((name) => (last as Readonly<Record<string, unknown>>)[name]);
    }
  }
}

export const all = (conditions: readonly Condition[]): Condition =>
  conditions.length === 0 ? sql`1 = 1` : sql.join(conditions, sql` AND `);

export const oneOf = (column: string | RawBuilder<unknown>, values: readonly unknown[]): Condition =>
  values.length === 0
    ? sql`1 = 0`
    : sql`${typeof column === 'string' ? sql.ref(column) : column} IN (${sql.join(values.map((value) => sql.val(value)))})`;

/** `(a, b) > (x, y)` in words that every dialect has. */
function behind(key: readonly string[], values: readonly unknown[]): Condition {
  const cases = key.map((name, i) =>
    all([
      ...key.slice(0, i).map((before, j) => sql`${sql.ref(before)} = ${sql.val(values[j])}`),
      sql`${sql.ref(name)} > ${sql.val(values[i])}`,
    ]),
  );
  return sql`(${sql.join(
    cases.map((each) => sql`(${each})`),
    sql` OR `,
  )})`;
}

export function* chunks<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += size) yield all.slice(at, at + size);
}
