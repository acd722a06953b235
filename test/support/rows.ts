/** Rows put into a test's database as they are: bound, not spelt. */
import { sql } from 'kysely';
import { opened, type TestDatabase } from './databases.js';

export type Value = string | number | bigint | boolean | null | Uint8Array;
export type Row = Readonly<Record<string, Value>>;

/** All rows of a table have the columns of its first. */
export async function insertRows(
  database: TestDatabase,
  tables: Readonly<Record<string, readonly Row[]>>,
): Promise<void> {
  const db = await opened(database);
  const id = (name: string) => sql.raw(db.dialect.words.id(name));
  const session = await db.worker();
  try {
    await session.begin();
    for (const [table, rows] of Object.entries(tables)) {
      const names = Object.keys(rows[0] ?? {});
      for (let at = 0; at < rows.length; at += 50) {
        const tuples = rows
          .slice(at, at + 50)
          .map((row) => sql`(${sql.join(names.map((name) => bound(row[name] ?? null)))})`);
        await session.run(sql`INSERT INTO ${id(table)} (${sql.join(names.map(id))}) VALUES ${sql.join(tuples)}`);
      }
    }
    await session.commit();
  } finally {
    await session.close();
  }
}

/** SQLite's driver takes no booleans. */
const bound = (value: Value) => (typeof value === 'boolean' ? (value ? sql`true` : sql`false`) : sql`${value}`);
