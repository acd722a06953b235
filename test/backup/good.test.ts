/** Backups that are good, as the tools make them: none is refused, and what each restores to is the database to the last byte. */
import { execFileSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isSame } from '../../src/backup/restore.js';
import { sample } from '../support/awkward.js';
import {
  check,
  gzipped,
  mysqlDump,
  pgDump,
  sqliteDump,
  sqliteShell,
  takenBackup,
  zstandard,
} from '../support/backups.js';
import { SERVERS, type Server, type TestDatabase, withDatabase } from '../support/databases.js';
import { releases } from '../support/fixtures.js';
import { insertRows } from '../support/rows.js';
import { query, run } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';
import { inTemporaryFolder } from '../support/temporary.js';

/** What looks like something else to whoever reads a dump line by line. */
const AWKWARD = [
  'a line\nand another',
  '\\.',
  '\\N',
  'NULL',
  'it\'s "quoted" `so`',
  'ends with a backslash \\',
  "\\' OR 1=1; --",
  'INSERT INTO `runs` VALUES (1),(2);',
  'COPY public.runs (run_uuid) FROM stdin;\n',
  '--\n-- PostgreSQL database dump complete\n--\n',
  '-- Dump completed on 2020-01-01 00:00:00\n',
  '\nCOMMIT;\n',
  'DELIMITER ;;\n',
  '$$ $tag$ /* not ended',
  '/*!50003 not ended',
  '# no comment',
  '\t\r\n\b\f',
  'Größe/実験 – Ж 🚀',
  '); DROP TABLE runs; --',
  "a''b\\\\''c",
  'x'.repeat(7000),
  "é漢🚀\\'".repeat(600),
  ...sample(fc.string({ unit: 'binary', maxLength: 60 }), 40).filter(isStorable),
  ...sample(
    fc.string({
      unit: fc.constantFrom('\\', "'", '"', '`', '\n', ';', '-', '/', '*', '$', '\t', '(', ')', ',', '.', 'N'),
      maxLength: 40,
    }),
    60,
  ),
];

/** No database takes a zero byte in a text, and none of ours half a character. */
function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

async function awkward(server: Server): Promise<TestDatabase> {
  const database = await server.load('2.9.2');
  const [row] = await query<{ id: string }>(database, 'SELECT MIN(run_uuid) AS id FROM runs');
  const run_uuid = row?.id ?? '';
  await insertRows(database, {
    params: AWKWARD.map((value, i) => ({ key: `awkward ${i} ${value.slice(0, 20)}`.toWellFormed(), value, run_uuid })),
    // Larger than what a tool or a reader takes at a time.
    datasets: [1, 2].map((i) => ({
      dataset_uuid: `d${i}`,
      experiment_id: 0,
      name: `large ${i}`,
      digest: 'd',
      dataset_source_type: 's',
      dataset_source: '{}',
      dataset_schema: null,
      dataset_profile: `${AWKWARD.join('\n')}'"\\\n`.repeat(400),
    })),
  });
  return database;
}

type Make = (database: TestDatabase, folder: string) => Promise<string>;

const at = (name: string, make: (database: TestDatabase, path: string) => Promise<unknown>): Make => {
  return async (database, folder) => {
    const path = join(folder, name);
    await make(database, path);
    return path;
  };
};
const pg = (...args: string[]) => at('backup', (database, path) => pgDump(database, path, ...args));
const my = (...args: string[]) => at('backup', (database, path) => mysqlDump(database, path, ...args));
const packed =
  (pack: (path: string) => string, make: Make): Make =>
  async (database, folder) =>
    pack(await make(database, folder));
const archived =
  (make: Make): Make =>
  async (database, folder) => {
    const path = await make(database, folder);
    execFileSync('tar', ['czf', `${path}.tgz`, '-C', folder, 'backup']);
    return `${path}.tgz`;
  };

const GOOD: Readonly<Record<Server['dialect'], Readonly<Record<string, Make>>>> = {
  sqlite: {
    'a copy of the file': at('mlflow.db', async (database, path) => copyFileSync(database.name, path)),
    'the online backup of the shell': at('mlflow.db', (database, path) => sqliteShell(database, `.backup '${path}'`)),
    'VACUUM INTO': at('mlflow.db', (database, path) => sqliteShell(database, `VACUUM INTO '${path}'`)),
    '.dump': at('mlflow.sql', sqliteDump),
    'a copy, gzip': packed(
      gzipped,
      at('mlflow.db', async (database, path) => copyFileSync(database.name, path)),
    ),
    '.dump, gzip': packed(gzipped, at('mlflow.sql', sqliteDump)),
    '.dump, zstd': packed(zstandard, at('mlflow.sql', sqliteDump)),
    'a copy, tar and gzip': archived(at('backup', async (database, path) => copyFileSync(database.name, path))),
    'by mtrack': (database, folder) => takenBackup(database, join(folder, 'backup')),
  },
  postgresql: {
    plain: pg(),
    'plain, --inserts': pg('--inserts'),
    'plain, --column-inserts': pg('--column-inserts', '--rows-per-insert=20'),
    'plain, --create --clean, which leads elsewhere': pg('--create', '--clean', '--if-exists'),
    'plain, gzip': packed(gzipped, pg()),
    'plain, zstd': packed(zstandard, pg()),
    custom: pg('--format=custom'),
    'custom, not compressed': pg('--format=custom', '--compress=0', '--no-owner', '--no-privileges'),
    'custom, gzip': packed(gzipped, pg('--format=custom')),
    directory: pg('--format=directory', '--jobs=2'),
    'directory, not compressed': pg('--format=directory', '--compress=0'),
    'directory, tar and gzip': archived(pg('--format=directory')),
    tar: pg('--format=tar'),
    'tar, zstd': packed(zstandard, pg('--format=tar')),
    'by mtrack': (database, folder) => takenBackup(database, join(folder, 'backup')),
    'by mtrack, a directory': (database, folder) => takenBackup(database, join(folder, 'backup'), 'directory'),
  },
  mysql: {
    'as it comes': my(),
    '--single-transaction --routines --triggers --hex-blob': my(
      '--single-transaction',
      '--routines',
      '--triggers',
      '--hex-blob',
    ),
    'a statement for each row': my('--skip-extended-insert', '--complete-insert', '--order-by-primary'),
    'without comments': my('--skip-comments', '--replace'),
    'with CREATE DATABASE and USE': my('--databases'),
    gzip: packed(gzipped, my('--hex-blob')),
    zstd: packed(zstandard, my()),
    'tar and gzip': archived(my('--no-autocommit')),
    'by mtrack': (database, folder) => takenBackup(database, join(folder, 'backup')),
  },
};

await forEachDialect('backups that the tools made', (server) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await awkward(server);
  });
  afterAll(() => database.drop());

  describe('are trusted, and restore to every row', () => {
    test.each(Object.entries(GOOD[server.dialect]))('%s', async (_, make) => {
      await inTemporaryFolder(async (folder) => {
        const path = await make(database, folder);
        const { restored, evidence, verdict } = await check(path, database, { restore: true, exact: true });
        expect(evidence.content.versions).toEqual(['acf3f17fdcc7']);
        expect(evidence.content.tables).toMatchObject({ runs: 31, metrics: 2058, datasets: expect.any(Number) });
        expect(verdict).toMatchObject({ lacks: {}, notes: [] });
        const tables = restored?.tables ?? [];
        expect(tables.length).toBeGreaterThan(15);
        expect(tables.filter((each) => !isSame(each))).toEqual([]);
        expect(tables.find(({ table }) => table === 'params')?.live.rows).toBeGreaterThan(AWKWARD.length);
      });
    });
  });
});

const BYTES = '00270A5C0D1A2200FF80275C275C5C00C3285C6E';
const HAS_BYTES = releases('mysql').includes('3.17.2');

test.skipIf(!HAS_BYTES)('bytes are not text: a dump with or without --hex-blob', async () => {
  const server = SERVERS.mysql;
  if ((await server.unavailable()) !== null) return;
  await withDatabase(
    () => server.load('3.17.2'),
    async (database) => {
      await run(database, `UPDATE secrets SET encrypted_value = UNHEX('${BYTES}'), wrapped_dek = UNHEX('${BYTES}00')`);
      expect(await query(database, 'SELECT HEX(encrypted_value) AS h FROM secrets LIMIT 1')).toEqual([{ h: BYTES }]);
      for (const args of [[], ['--hex-blob'], ['--skip-extended-insert']]) {
        await inTemporaryFolder(async (folder) => {
          const path = await my(...args)(database, folder);
          const { restored } = await check(path, database, { restore: true, exact: true });
          expect(restored?.tables.find(({ table }) => table === 'secrets')?.backup.rows).toBeGreaterThan(0);
        });
      }
    },
  );
});

await forEachDialect('a database that goes on after its backup', (server) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await server.load('2.9.2');
  });
  afterAll(() => database.drop());

  test('lacks what came since, which is told, and is no damage; --exact does not have it', async () => {
    await inTemporaryFolder(async (folder) => {
      const path = await takenBackup(database, join(folder, 'backup'));
      const now = Date.now();
      const id = 'f'.repeat(32);
      const [open] = await query<{ id: string }>(
        database,
        "SELECT MIN(run_uuid) AS id FROM runs WHERE status = 'RUNNING'",
      );
      const [ended] = await query<{ id: string }>(
        database,
        "SELECT MIN(run_uuid) AS id FROM runs WHERE status = 'FINISHED'",
      );
      await insertRows(database, {
        runs: [
          {
            run_uuid: id,
            name: 'new',
            status: 'RUNNING',
            start_time: now,
            lifecycle_stage: 'active',
            experiment_id: 0,
          },
        ],
        metrics: [id, open?.id ?? '', ended?.id ?? ''].map((run_uuid) => ({
          key: 'since',
          value: 1,
          timestamp: now,
          run_uuid,
          step: 0,
          is_nan: false,
        })),
        tags: [{ key: 'since', value: 'v', run_uuid: ended?.id ?? '' }],
      });
      await run(
        database,
        `UPDATE runs SET status = 'FINISHED', end_time = ${now}, name = 'renamed' WHERE run_uuid = '${open?.id}'`,
        `UPDATE runs SET lifecycle_stage = 'deleted', deleted_time = ${now} WHERE run_uuid = '${ended?.id}'`,
      );
      const { verdict, restored } = await check(path, database, { restore: true });
      expect(verdict.lacks).toEqual({ runs: 1, metrics: 3, tags: 1 });
      const moved = restored?.tables.filter((each) => !isSame(each)) ?? [];
      expect(
        moved.map(({ table, newer, changed, gone, missing, damaged }) => [
          table,
          newer,
          changed,
          gone,
          missing,
          damaged,
        ]),
      ).toEqual(
        expect.arrayContaining([
          ['metrics', 3, 0, 0, 0, 0],
          ['runs', 1, 2, 0, 0, 0],
          ['tags', 1, 0, 0, 0, 0],
        ]),
      );
      expect(moved).toHaveLength(3);
      await expect(check(path, database, { restore: true, exact: true })).rejects.toMatchObject({
        code: 'BACKUP_DIFFERS',
        failure: { expected: expect.stringContaining('--exact') },
      });
    });
  });
});
