/** Rows into a SQLite file: one prepared statement for each table, run for each row, without a way through a query builder. */
import type { Loader, Value } from '../loader.js';
import { openWriter } from './connect.js';
import { quoteName } from './table-sql.js';

/** As much of better-sqlite3's `Statement` as is used. */
interface Statement {
  run(...values: readonly unknown[]): unknown;
}

/** Indexes of big tables are changed all over: 32 MiB of them in memory, where SQLite's own measure is 2. */
const CACHE = 'PRAGMA cache_size = -32768';

export async function openLoader(path: string | null): Promise<Loader> {
  const { session, database } = await openWriter(path);
  await session.rows(CACHE);
  const statements = new Map<string, Statement>();
  return {
    ...session,
    load: async (table, columns, rows) => {
      const sql = `INSERT INTO ${quoteName(table)} (${columns.map(({ name }) => quoteName(name)).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
      let statement = statements.get(sql);
      if (!statement) {
        statement = database.prepare(sql);
        statements.set(sql, statement);
      }
      for (const row of rows) statement.run(row.map(bound));
    },
  };
}

/** The driver takes no booleans. */
const bound = (value: Value) => (typeof value === 'boolean' ? Number(value) : value);
