/** Rows that refer to what is not there: SQLite lets them be, as MLflow does not ask it to look; the servers do not. */
import { type RawBuilder, sql } from 'kysely';
import type { Dialect } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import { inForeignKeyOrder } from '../rows/order.js';
import type { ForeignKey, Schema, Table } from '../schema/model.js';
import { type Problem, rowText } from './problems.js';
import { keyNames } from './sieve.js';

export interface Orphans {
  /** True of the rows of a table that can be moved; undefined where that is all of them. */
  condition(table: Table): RawBuilder<unknown> | undefined;
  readonly problems: readonly Problem[];
}

export const NO_ORPHANS: Orphans = { condition: () => undefined, problems: [] };

export async function findOrphans(session: Session, dialect: Dialect, schema: Schema): Promise<Orphans> {
  const names = [...schema.tables.keys()];
  if ((await dialect.brokenReferences(session, names)).length === 0) return NO_ORPHANS;
  const broken = new Map<string, ForeignKey[]>();
  const condition = (table: Table, alias = table.name): RawBuilder<unknown> | undefined => {
    const keys = broken.get(table.name) ?? [];
    const parts = keys.map((key) => isThere(key, alias));
    return parts.length === 0 ? undefined : sql.join(parts, sql` AND `);
  };
  const isThere = (key: ForeignKey, alias: string): RawBuilder<unknown> => {
    const parent = schema.tables.get(key.table);
    const of = `${alias}_`;
    const column = (owner: string, name: string) => sql.raw(`${dialect.words.id(owner)}.${dialect.words.id(name)}`);
    const equal = key.columns.map(
      (name, at) => sql`${column(of, key.references[at] ?? name)} = ${column(alias, name)}`,
    );
    const missing = key.columns.map((name) => sql`${column(alias, name)} IS NULL`);
    const further = parent && condition(parent, of);
    const from = sql.raw(`${dialect.words.id(key.table)} AS ${dialect.words.id(of)}`);
    return sql`(${sql.join(missing, sql` OR `)} OR EXISTS (SELECT 1 FROM ${from} WHERE ${sql.join([...equal, ...(further ? [further] : [])], sql` AND `)}))`;
  };

  const problems: Problem[] = [];
  // Parents first: what refers to an orphan is one, too.
  for (const table of inForeignKeyOrder(schema)) {
    for (const key of table.foreignKeys) {
      const missing = sql`NOT ${isThere(key, table.name)}`;
      const [row] = await session.rows<{ n: number | string }>(
        sql`SELECT ${sql.raw(dialect.words.count())} AS n FROM ${sql.raw(dialect.words.id(table.name))} WHERE ${missing}`,
      );
      const n = Number(row?.n ?? 0);
      if (n === 0) continue;
      problems.push(await orphanProblem(table, key, n, missing, session, dialect));
      broken.set(table.name, [...(broken.get(table.name) ?? []), key]);
    }
  }
  return { condition, problems };
}

async function orphanProblem(
  table: Table,
  key: ForeignKey,
  n: number,
  missing: RawBuilder<unknown>,
  session: Session,
  dialect: Dialect,
): Promise<Problem> {
  const { id } = dialect.words;
  const names = keyNames(table);
  const columns = sql.raw(names.map((name) => id(name)).join(', '));
  const [first] = await session.rows<Record<string, unknown>>(
    sql`SELECT ${columns} FROM ${sql.raw(id(table.name))} WHERE ${missing} ${dialect.rowWords.first(1)}`,
  );
  const others = n > 1 ? `, and ${n - 1} other rows like it` : '';
  return {
    kind: 'orphan',
    where: rowText(
      table.name,
      names,
      names.map((name) => first?.[name]),
    ),
    reason: `: ${key.columns.join(', ')} names a row that ${key.table} does not have${others}`,
    rows: { [table.name]: n },
  };
}
