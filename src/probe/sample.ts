/**
 * A sample of a database: of each large table a share of the rows, in the order of a key, and of what refers to them the
 * rows that do. Whole runs, that is, with all that was logged to them, so that what a migration makes of them is as much of
 * the whole as they are.
 */
import { type RawBuilder, sql } from 'kysely';
import type { Dialect, TableStats } from '../dialect/dialect.js';
import type { Loader } from '../dialect/loader.js';
import type { Session } from '../dialect/session.js';
import { inForeignKeyOrder } from '../rows/order.js';
import { readRows } from '../rows/read.js';
import { columnsOf } from '../rows/values.js';
import type { ForeignKey, Schema, Table } from '../schema/model.js';

export type RowCounts = ReadonlyMap<string, number>;

/** A table with fewer rows is taken whole. */
const FEW = 200;
/** Nobody else is there: to wait for, in milliseconds. */
const LOCK_MS = 10_000;
/** How many times its share a table may have: where some runs are much longer than others, it ends there. */
const MOST = 4;

export interface SampleOptions {
  /** As it is in both databases. */
  readonly schema: Schema;
  /** The tables that are wanted; those that they refer to come with them. */
  readonly tables: readonly string[];
  readonly rows: RowCounts;
  /** 1 is all rows. */
  readonly share: number;
  readonly signal: AbortSignal;
}

/** The tables, and those that they refer to. */
export function withParents(tables: readonly string[], { tables: all }: Schema): readonly string[] {
  const wanted = new Set(tables.filter((name) => all.has(name)));
  // A set goes on to what is added to it meanwhile.
  for (const name of wanted) for (const { table } of all.get(name)?.foreignKeys ?? []) wanted.add(table);
  return [...wanted];
}

/** How many rows tables have: counted, where the statistics of the server are not. */
export async function countedRows(
  session: Session,
  { words }: Dialect,
  stats: ReadonlyMap<string, TableStats>,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const [table, { rows, exact }] of stats) {
    if (exact) counts.set(table, rows);
    else {
      const [row] = await session.rows<{ n: number | string }>(`SELECT ${words.count()} AS n FROM ${words.id(table)}`);
      counts.set(table, Number(row?.n ?? 0));
    }
  }
  return counts;
}

/**
 * Copies a sample, in place of what its tables hold.
 * @param from reads only
 * @param into of the same dialect
 * @returns how many rows it has, by table
 */
export async function copySample(
  from: Session,
  into: Loader,
  dialect: Dialect,
  options: SampleOptions,
): Promise<RowCounts> {
  const wanted = new Set(withParents(options.tables, options.schema));
  const tables = inForeignKeyOrder(options.schema).filter(({ name }) => wanted.has(name));
  const cuts = await cutsOf(tables, from, dialect, options);
  const copied = new Map<string, number>();
  await dialect.prepare(into, { lockTimeout: LOCK_MS, rowsOnly: true });
  // Where the lock is a transaction, it is the one of the load; references are not followed there meanwhile.
  await dialect.lock(into, { patience: 0, onWait: () => undefined });
  if (dialect.transaction !== 'upgrade') await into.begin();
  for (const { name } of tables.toReversed()) await into.run(`DELETE FROM ${dialect.words.id(name)}`);
  for (const table of tables) {
    await into.suspendIndexes?.(table.name);
    const most = Math.max(FEW, Math.ceil(MOST * options.share * (options.rows.get(table.name) ?? 0)));
    let n = 0;
    for await (const rows of readRows(from, dialect, table, {
      where: cuts.get(table.name)?.where,
      signal: options.signal,
    })) {
      await into.load(table.name, columnsOf(table), rows);
      n += rows.length;
      if (n >= most) break;
    }
    copied.set(table.name, n);
  }
  await into.restoreIndexes?.();
  await into.commit();
  await dialect.unlock(into);
  const filled = tables.filter(({ name }) => copied.get(name) !== 0).map(({ name }) => name);
  // So that the server knows as much of them as it does of tables that have been there for long.
  for (const statement of dialect.giveBack(filled)) await into.run(statement);
  return copied;
}

// ---------------------------------------------------------------- which rows

interface Cut {
  /** Columns, with the value that they do not go beyond. */
  readonly bounds: ReadonlyMap<string, unknown>;
  readonly where: RawBuilder<unknown>;
}

/** @param tables each after those that it refers to */
async function cutsOf(
  tables: readonly Table[],
  session: Session,
  dialect: Dialect,
  { rows, share }: SampleOptions,
): Promise<ReadonlyMap<string, Cut>> {
  const cuts = new Map<string, Cut>();
  if (share >= 1) return cuts;
  for (const table of tables) {
    const inherited = table.foreignKeys.flatMap((key) => {
      const parent = cuts.get(key.table);
      return parent ? [inheritedBy(table, key, parent, dialect)] : [];
    });
    if (inherited.length > 0) {
      cuts.set(table.name, {
        bounds: new Map(inherited.flatMap(({ bounds }) => [...bounds])),
        where: sql.join(
          inherited.map(({ where }) => where),
          sql` AND `,
        ),
      });
      continue;
    }
    const all = rows.get(table.name) ?? 0;
    const key = table.primaryKey?.columns[0];
    if (all <= FEW || key === undefined) continue;
    const n = Math.ceil(all * share);
    const [end] = await session.rows<{ k: unknown }>(dialect.nthKey({ table: table.name, key }, null, n - 1));
    if (end) cuts.set(table.name, { bounds: new Map([[key, end.k]]), where: upTo(key, end.k, dialect) });
  }
  return cuts;
}

const upTo = (column: string, end: unknown, { words }: Dialect) => sql`${sql.raw(words.id(column))} <= ${end}`;

/** The rows of a table whose row in another one is there. */
function inheritedBy(
  table: Table,
  { columns, references, table: other }: ForeignKey,
  parent: Cut,
  dialect: Dialect,
): Cut {
  const id = (name: string) => sql.raw(dialect.words.id(name));
  const none = sql.join(
    columns.map((column) => sql`${id(column)} IS NULL`),
    sql` OR `,
  );
  const bounds = new Map(
    columns.flatMap((column, i) => {
      const referred = references[i] ?? '';
      return parent.bounds.has(referred) ? [[column, parent.bounds.get(referred)] as const] : [];
    }),
  );
  const isAll = bounds.size === parent.bounds.size;
  if (isAll) {
    const within = [...bounds].map(([column, end]) => upTo(column, end, dialect));
    return { bounds, where: sql`(${none} OR (${sql.join(within, sql` AND `)}))` };
  }
  const joined = columns.map((column, i) => sql`p.${id(references[i] ?? '')} = ${id(table.name)}.${id(column)}`);
  return {
    bounds: new Map(),
    where: sql`(${none} OR EXISTS (SELECT 1 FROM ${id(other)} p WHERE ${sql.join(joined, sql` AND `)} AND ${parent.where}))`,
  };
}
