/** The same rows in every kind of database are read as the same rows, and have the same checksums. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/dialect/dialect.js';
import type { Session } from '../../src/dialect/session.js';
import { digestTable } from '../../src/rows/checksum.js';
import { inForeignKeyOrder } from '../../src/rows/order.js';
import { readRows } from '../../src/rows/read.js';
import { columnsOf, type Row } from '../../src/rows/values.js';
import { initial, revisions, schemaAt } from '../../src/schema/lineage.js';
import type { Table } from '../../src/schema/model.js';
import { opened, SERVERS, type TestDatabase } from '../support/databases.js';
import { releases } from '../support/fixtures.js';
import { insertRows } from '../support/rows.js';
import { query, run, upgradeTo } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';

const NEWEST = releases('sqlite').at(-1) ?? '';

async function reading<T>(database: TestDatabase, use: (session: Session, db: Database) => Promise<T>): Promise<T> {
  const db = await opened(database);
  const session = await db.reader(1000);
  try {
    return await use(session, db);
  } finally {
    await session.close();
  }
}

async function inAll(pages: AsyncIterable<readonly Row[]>): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const page of pages) rows.push(...page);
  return rows;
}

const tablesOf = (revision: string, { dialect }: Database) => inForeignKeyOrder(schemaAt(revision, dialect.traits));
const tableNamed = (name: string, revision: string, db: Database) => {
  const table = tablesOf(revision, db).find((each) => each.name === name);
  if (!table) throw new Error(`no ${name} at ${revision}`);
  return table;
};

const rowsOf = (database: TestDatabase, revision: string, name: string, pageRows?: number): Promise<Row[]> =>
  reading(database, async (session, db) =>
    inAll(readRows(session, db.dialect, tableNamed(name, revision, db), { pageRows })),
  );

const digests = (database: TestDatabase, revision: string) =>
  reading(database, async (session, db) => {
    const found: Record<string, { rows: number; checksum: string }> = {};
    for (const table of tablesOf(revision, db)) found[table.name] = await digestTable(session, db.dialect, table);
    return found;
  });

/** Tables of a fixture with their rows, as objects. */
async function contentOf(database: TestDatabase, revision: string) {
  return reading(database, async (session, db) => {
    const content: [Table, Record<string, Row[number]>[]][] = [];
    for (const table of tablesOf(revision, db)) {
      const names = columnsOf(table).map(({ name }) => name);
      const rows = await inAll(readRows(session, db.dialect, table));
      content.push([table, rows.map((row) => Object.fromEntries(names.map((name, at) => [name, row[at] ?? null])))]);
    }
    return content;
  });
}

const revisionOf = async (database: TestDatabase) =>
  (await query<{ version_num: string }>(database, 'SELECT version_num FROM alembic_version'))[0]?.version_num ?? '';

describe('tables', () => {
  test('come after those that they refer to, at every revision', () => {
    for (const { id } of revisions) {
      const seen = new Set<string>();
      for (const { name, foreignKeys } of inForeignKeyOrder(schemaAt(id, NO_TRAITS))) {
        expect(
          foreignKeys.filter(({ table }) => !seen.has(table)).map(({ table }) => `${name} before ${table}`),
        ).toEqual([]);
        seen.add(name);
      }
      expect(seen.size).toBeGreaterThanOrEqual(initial.length);
    }
  });
});

const NO_TRAITS = {
  checksBooleans: false,
  restatesColumns: false,
  dropsCheckOfOldType: false,
  foldsCase: false,
  uniqueIndexIsConstraint: false,
  mergesUniqueIntoPrimaryKey: false,
  coveringIndexes: false,
  prefixIndexes: false,
};

/** Values that drivers and databases are known to stumble over. */
const METRICS = [
  ['a', 0.1, 2n ** 60n + 1n, 'r', -(2n ** 60n) - 1n, false],
  ['a', 5e-324, 2 ** 53 - 1, 'r', 0, false],
  ['A b/ü', 1.7976931348623157e308, 0, 'r', 1, false],
  ['日本 😀', -1.7976931348623157e308, 1, 'r', 2, false],
  ['\'\\"`%_', 0, 2, 'r', 3, true],
  ['line\nend\ttab', 1 / 3, 3, 'r', 4, false],
  ['trailing ', 2.5e-7, 4, 'r', 5, false],
  ['whole', 12345678901234567000, 5, 'r', 6, false],
] as const;

await forEachDialect('rows', (server) => {
  let source: TestDatabase;
  let database: TestDatabase;
  let revision: string;
  beforeAll(async () => {
    source = await SERVERS.sqlite.load(NEWEST);
    revision = await revisionOf(source);
    database = await server.empty();
    await upgradeTo(database, revision);
    const content = await contentOf(source, revision);
    // What the upgrade itself put there.
    for (const [{ name }] of content.toReversed()) await run(database, `DELETE FROM ${name}`);
    for (const [{ name }, rows] of content) if (rows.length > 0) await insertRows(database, { [name]: rows });
  });
  afterAll(async () => {
    await source?.drop();
    await database?.drop();
  });

  test('of a fixture have the checksums that they have in SQLite', async () => {
    const expected = await digests(source, revision);
    expect(await digests(database, revision)).toEqual(expected);
    expect(Object.values(expected).filter(({ rows }) => rows > 0).length).toBeGreaterThan(30);
    expect(expected.metrics?.rows).toBeGreaterThan(2000);
  });

  test('are each read once, however small the pages', async () => {
    for (const name of ['metrics', 'spans', 'runs', 'tags']) {
      const whole = await rowsOf(database, revision, name);
      expect(await rowsOf(database, revision, name, 7)).toEqual(whole);
      expect(
        new Set(
          whole.map((row) => JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))),
        ).size,
      ).toBe(whole.length);
    }
  });

  test('that one character or one bit makes different have another checksum', async () => {
    const before = await digests(database, revision);
    await run(database, "UPDATE params SET value = 'X' WHERE value = 'x' OR value LIKE '%a%'");
    await run(database, 'UPDATE metrics SET value = value + 1e-9 WHERE value BETWEEN 0.1 AND 0.9');
    const after = await digests(database, revision);
    const changed = Object.keys(before).filter((name) => before[name]?.checksum !== after[name]?.checksum);
    expect(changed.sort()).toEqual(['metrics', 'params']);
    expect(after.metrics?.rows).toBe(before.metrics?.rows);
  });

  // A reader of a SQLite file keeps writers out, or is a reader of a copy.
  test.skipIf(server.dialect === 'sqlite')('in a snapshot are those of its beginning', async () => {
    await reading(database, async (session, db) => {
      const params = tableNamed('params', revision, db);
      await session.snapshot();
      const before = await digestTable(session, db.dialect, params);
      await run(database, 'DELETE FROM params');
      expect(await digestTable(session, db.dialect, params)).toEqual(before);
      await session.rollback();
      expect((await digestTable(session, db.dialect, params)).rows).toBe(0);
    });
  });

  test('come as they were put in', async () => {
    await run(database, 'DELETE FROM metrics');
    const [experiment] = await query<{ experiment_id: number }>(database, 'SELECT experiment_id FROM experiments');
    await insertRows(database, { runs: [{ run_uuid: 'r', experiment_id: experiment?.experiment_id ?? 0 }] });
    const names = ['key', 'value', 'timestamp', 'run_uuid', 'step', 'is_nan'];
    await insertRows(database, {
      metrics: METRICS.map((row) => Object.fromEntries(row.map((value, at) => [names[at], value]))),
    });
    for (const pageRows of [undefined, 1]) {
      expect(sorted(await rowsOf(database, revision, 'metrics', pageRows))).toEqual(sorted(METRICS));
    }
  });
});

const sorted = (rows: readonly (readonly unknown[])[]) =>
  [...rows].sort((a, b) => (String(a[0]) + String(a[2]) < String(b[0]) + String(b[2]) ? -1 : 1));
