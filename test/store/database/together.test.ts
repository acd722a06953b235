/** Rows of several queries that are one statement are the rows that each query gives by itself. */
import { type Kysely, sql } from 'kysely';
import { expect, test } from 'vitest';
import type { Pool } from '../../../src/dialect/pool.js';
import { type Columns, hole } from '../../../src/dialect/query-words.js';
import type { Tables } from '../../../src/store/database/entities/index.js';
import { rowsOf, Texts } from '../../../src/store/database/statements.js';
import { type Query, rowsTogether } from '../../../src/store/database/together.js';
import { opened, withDatabase } from '../../support/databases.js';
import { forEachServer } from '../../support/suites.js';

interface Row {
  readonly id: number;
  readonly text: string | null;
  readonly big: number | null;
  readonly value: number | null;
  readonly flag: boolean | null;
}

const COLUMNS: Columns<Row> = { id: 'integer', text: 'text', big: 'bigint', value: 'double', flag: 'boolean' };

const TEXTS = [
  '',
  ' ',
  '"',
  '\\',
  '\\u0041',
  "'",
  '\t\r\n\u0001\u001f\u007f',
  'é',
  '\u2028',
  '日本',
  '🦜',
  '{a,b}',
  'NULL',
  '1e5',
];
const BIG = ['0', '-1', '9007199254740991', '9007199254740993', '-9223372036854775808', '9223372036854775807'];
const VALUES = ['0', '-0.0', '0.1', '1e23', '5e-324', '1.7976931348623157e308', '123456789.12345678'];
const NOT_FINITE = ['NaN', 'Infinity', '-Infinity'];

/** Texts of two collations. */
const TYPES = {
  postgresql: ['TEXT', 'TEXT COLLATE "C"'],
  mysql: ['TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci', 'VARCHAR(20) CHARACTER SET latin1'],
} as const;

async function fill(db: Kysely<object>, dialect: keyof typeof TYPES): Promise<void> {
  const [text, latin] = TYPES[dialect];
  await sql`CREATE TABLE t (id INTEGER, text ${sql.raw(text)}, big BIGINT, value FLOAT8, flag BOOLEAN)`.execute(db);
  await sql`CREATE TABLE u (word ${sql.raw(latin)}, n INTEGER)`.execute(db);
  const values = dialect === 'postgresql' ? [...VALUES, ...NOT_FINITE] : VALUES;
  for (let id = 0; id < Math.max(TEXTS.length, BIG.length, values.length); id++) {
    const [text, big, value] = [TEXTS[id] ?? null, BIG[id] ?? null, values[id] ?? null];
    await sql`INSERT INTO t VALUES (${id}, ${text}, ${big}, ${value}, ${[true, false, null][id % 3]})`.execute(db);
  }
  await sql`INSERT INTO u VALUES ('é', 1), ('', NULL)`.execute(db);
}

/** Of which the id is above a value. */
const all = (where: string) =>
  sql<Row>`SELECT id, text, big, value, flag FROM t WHERE ${sql.raw(where)} AND id > ${hole()} ORDER BY id DESC`;

await forEachServer('queries that are one statement', (server) => {
  test('give the same rows', async () => {
    await withDatabase(server.empty, async (database) => {
      const pool = await (await opened(database)).pool<object>([]);
      try {
        await pool.write((db) => fill(db, server.dialect as keyof typeof TYPES));
        const queries: Record<string, Query<never>> = {
          t: { columns: COLUMNS, build: () => all('id = 3') },
          none: { columns: COLUMNS, build: () => all('id < 0') },
          u: { columns: { n: 'integer', word: 'text' }, build: () => sql`SELECT n, word FROM u WHERE n > ${hole()}` },
          more: { columns: COLUMNS, build: () => all('id > 3') },
        };
        const context = { pool: pool as unknown as Pool<Tables>, texts: new Texts() };
        await pool.read(async (db) => {
          const values = [-1];
          const together = await rowsTogether<Record<string, object>>(
            context,
            db as Kysely<Tables>,
            'all',
            queries,
            values,
          );
          // A union has no order.
          const shown = (rows: object[] = []) =>
            pool.words.union ? rows.map((row) => JSON.stringify(row)).sort() : rows;
          for (const [name, { build }] of Object.entries(queries)) {
            const rows = await rowsOf<object>(context, db as Kysely<Tables>, name, build, values);
            expect(shown(together[name]), name).toEqual(shown(rows));
          }
        });
      } finally {
        await pool.close();
      }
    });
  });
});
