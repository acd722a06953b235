/** Rows into a SQLite file: prepared statements for each table, without a way through a query builder. */
import { sql } from 'kysely';
import type { Loader, Value } from '../loader.js';
import { openWriter } from './connect.js';
import { quoteName } from './table-sql.js';

/** As much of better-sqlite3's `Statement` as is used. */
interface Statement {
  run(...values: readonly unknown[]): unknown;
}

/** Rows of one statement: what it costs to start one is shared. */
const TOGETHER = 16;

/** Indexes of big tables are changed all over: 32 MiB of them in memory, where SQLite's own measure is 2. */
const CACHE = 'PRAGMA cache_size = -32768';
/** What is sorted for an index is sorted by a thread of its own, while more of it is read; each takes as much as the cache. */
const SORTING = ['PRAGMA threads = 1', 'PRAGMA cache_size = -12288'];

export async function openLoader(path: string | null): Promise<Loader> {
  const { session, database } = await openWriter(path);
  const statements = new Map<string, Statement>();
  /** CREATE INDEX statements. */
  const suspended: string[] = [];
  const prepared = (into: string, columns: number, rows: number): Statement => {
    const key = `${rows} ${into}`;
    const known = statements.get(key);
    if (known) return known;
    const tuple = `(${Array.from({ length: columns }, () => '?').join(', ')})`;
    const statement = database.prepare(into + Array.from({ length: rows }, () => tuple).join(', '));
    statements.set(key, statement);
    return statement;
  };
  let hasRoom = false;
  /** Not before there is something to load, under a lock: it reads the schema, for which there may be somebody to wait. */
  const makeRoom = async () => {
    if (!hasRoom) await session.rows(CACHE);
    hasRoom = true;
  };
  return {
    ...session,
    suspendIndexes: async (table) => {
      const indexes = await session.rows<{ name: string; sql: string }>(
        sql`SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ${table} AND sql IS NOT NULL`,
      );
      for (const { name, sql: create } of indexes) {
        if (/^CREATE\s+UNIQUE/i.test(create)) continue;
        await session.run(`DROP INDEX ${quoteName(name)}`);
        suspended.push(create);
      }
    },
    restoreIndexes: async () => {
      for (const setting of SORTING) await session.rows(setting);
      for (const create of suspended.splice(0)) await session.run(create);
    },
    load: async (table, columns, rows) => {
      await makeRoom();
      // FAIL leaves the rows in front of one that is refused, and whoever loads rolls back: by default SQLite would keep what
      // each page was before the statement, in a file, to undo the statement alone, which is a third of the time.
      const into = `INSERT OR FAIL INTO ${quoteName(table)} (${columns.map(({ name }) => quoteName(name)).join(', ')}) VALUES `;
      let at = 0;
      for (; at + TOGETHER <= rows.length; at += TOGETHER) {
        const values: (Value | number)[] = [];
        for (const row of rows.slice(at, at + TOGETHER)) for (const value of row) values.push(bound(value));
        prepared(into, columns.length, TOGETHER).run(values);
      }
      for (; at < rows.length; at++) prepared(into, columns.length, 1).run((rows[at] ?? []).map(bound));
    },
  };
}

/** The driver takes no booleans. */
const bound = (value: Value) => (typeof value === 'boolean' ? Number(value) : value);
