/** Rows that come packed in one value are the rows that come one by one. */
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import type { Columns } from '../../src/dialect/query-words.js';
import { opened, withDatabase } from '../support/databases.js';
import { forEachServer } from '../support/suites.js';

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
const VALUES = [
  '0',
  '-0.0',
  '0.1',
  '1e23',
  '5e-324',
  '1.7976931348623157e308',
  '123456789.12345678',
  'NaN',
  'Infinity',
  '-Infinity',
];

await forEachServer('packed rows', (server) => {
  test('are the same', async () => {
    await withDatabase(server.empty, async (database) => {
      const pool = await (await opened(database)).pool<object>([]);
      const { packing } = pool.words;
      try {
        // A database whose driver is quick about rows has none.
        if (packing === null) return;
        await pool.write(async (db) => {
          await sql`CREATE TABLE t (id INTEGER, text TEXT, big BIGINT, value FLOAT8, flag BOOLEAN)`.execute(db);
          for (let id = 0; id < Math.max(TEXTS.length, BIG.length, VALUES.length); id++) {
            const [text, big, value] = [TEXTS[id] ?? null, BIG[id] ?? null, VALUES[id] ?? null];
            await sql`INSERT INTO t VALUES (${id}, ${text}, ${big}, ${value}, ${[true, false, null][id % 3]})`.execute(
              db,
            );
          }
        });
        for (const [order, where] of [
          ['id', 'id >= 0'],
          ['id DESC', 'id > 2'],
          ['id', 'id < 0'],
        ] as const) {
          const query = sql<Row>`SELECT * FROM t WHERE ${sql.raw(where)} ORDER BY ${sql.raw(order)}`;
          const plain = await pool.read(async (db) => (await query.execute(db)).rows);
          const packed = await pool.read(async (db) => {
            const packs = sql<{ rows: unknown }>`SELECT ${packing.pack(Object.keys(COLUMNS), query)} AS rows`;
            return (await packs.execute(db)).rows[0]?.rows;
          });
          expect(packing.unpack(COLUMNS, packed)).toEqual(plain);
        }
        const values = await pool.read(async (db) => {
          const packs = sql<{
            rows: unknown;
          }>`SELECT ${packing.pack(['value'], sql`SELECT value FROM t ORDER BY id`)} AS rows`;
          return packing.unpack<{ value: number | null }>({ value: 'double' }, (await packs.execute(db)).rows[0]?.rows);
        });
        expect(values.slice(0, VALUES.length).map(({ value }) => value)).toEqual(VALUES.map(Number));
      } finally {
        await pool.close();
      }
    });
  });
});
