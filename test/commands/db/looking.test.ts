/**
 * Looking never writes: status, plans, scripts and upgrades that are refused leave a database as it was to the byte, in
 * whatever state it is and whoever else has it open.
 */
import { chmodSync, copyFileSync, existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { openToRead } from '../../../src/dialect/sqlite/connect.js';
import { mtrack } from '../../support/cli.js';
import { SERVERS, type Server, type TestDatabase, withDatabase } from '../../support/databases.js';
import { oldest } from '../../support/old-databases.js';
import { run, upgradeTo } from '../../support/state.js';
import { forEachDialect } from '../../support/suites.js';
import { inTemporaryFolder } from '../../support/temporary.js';
import { filesBeside, fingerprint } from '../../support/untouched.js';

/** Before `2d6e25af4d3e`, which needs an agreement of its own. */
const BEFORE_CONSENT = '97727af70f4d';

/** What is asked, and the exit status that it ends with. */
interface Look {
  readonly args: readonly string[];
  readonly code: number;
}

const looks = (status: number, upgrade: number): Look[] => [
  { args: ['status'], code: status },
  { args: ['status', '--json'], code: status },
  { args: ['upgrade', '--dry-run'], code: upgrade },
  { args: ['upgrade', '--dry-run', '--json'], code: upgrade },
  { args: ['upgrade', '--sql'], code: upgrade },
];

/** A look of each kind, where the way it is shown makes no difference. */
const fewLooks = (status: number, upgrade: number): Look[] => [
  { args: ['status'], code: status },
  { args: ['upgrade', '--dry-run', '--json'], code: upgrade },
  { args: ['upgrade', '--sql'], code: upgrade },
];

/** States of a database, by what makes them of one at BEFORE_CONSENT. */
const STATES: readonly { readonly what: string; make(database: TestDatabase): Promise<void>; looks: Look[] }[] = [
  {
    what: 'old',
    make: async () => undefined,
    looks: [
      ...looks(10, 0),
      { args: ['upgrade'], code: 7 },
      { args: ['upgrade', '--yes'], code: 7 },
      { args: ['upgrade', '--yes', '--json'], code: 7 },
      { args: ['upgrade', '--accept', '2d6e25af4d3e'], code: 7 },
      { args: ['upgrade', '--to', '451aebb31d03', '--yes'], code: 13 },
      { args: ['upgrade', '--to', BEFORE_CONSENT, '--yes'], code: 0 },
    ],
  },
  {
    what: 'part-way',
    make: (database) =>
      run(database, 'CREATE TABLE registered_model_aliases (name VARCHAR(256) NOT NULL)').then(() => undefined),
    looks: [
      { args: ['status'], code: 11 },
      { args: ['upgrade', '--yes'], code: 7 },
    ],
  },
  {
    what: 'newer than this build',
    make: (database) => run(database, "UPDATE alembic_version SET version_num = 'ffff00001111'"),
    looks: [...fewLooks(13, 13), { args: ['upgrade', '--yes'], code: 13 }],
  },
  {
    what: "another program's",
    make: (database) =>
      run(database, "UPDATE alembic_version SET version_num = 'v3.2.0.a'", 'CREATE TABLE studies (study_id INT)'),
    looks: [...fewLooks(14, 14), { args: ['upgrade', '--yes'], code: 14 }],
  },
  {
    what: 'drifted, with a column missing',
    make: (database) => run(database, 'ALTER TABLE runs DROP COLUMN deleted_time'),
    looks: [...fewLooks(15, 15), { args: ['upgrade', '--yes', '--accept', '2d6e25af4d3e'], code: 15 }],
  },
];

async function looksOnly(server: Server, database: TestDatabase, all: readonly Look[]): Promise<void> {
  const before = await fingerprint(server, database);
  const codes: string[] = [];
  for (const { args } of all) {
    const { code, stderr } = await mtrack(['db', ...args, ...(args.length > 0 ? [database.uri] : [])]);
    codes.push(`${args.join(' ')}: ${code}`);
    expect(stderr).not.toMatch(/^\s+at /m);
    // Of a file the culprit can be told at no cost.
    if (server.dialect === 'sqlite') expect(await fingerprint(server, database), args.join(' ')).toBe(before);
  }
  expect(codes).toEqual(all.map(({ args, code }) => `${args.join(' ')}: ${code}`));
  expect(await fingerprint(server, database)).toBe(before);
}

await forEachDialect('looking', (server) => {
  test.each(STATES)('at a database that is $what', async ({ make, looks }) => {
    await withDatabase(
      () => oldest(server),
      async (database) => {
        await upgradeTo(database, BEFORE_CONSENT);
        await make(database);
        await looksOnly(server, database, looks);
      },
    );
  });

  test('at an empty database', async () => {
    await withDatabase(
      () => server.empty(),
      async (database) => {
        await looksOnly(server, database, [...fewLooks(12, 0), { args: ['upgrade'], code: 7 }]);
      },
    );
  });

  test('a change would be noticed', async () => {
    await withDatabase(
      () => oldest(server),
      async (database) => {
        const prints = [await fingerprint(server, database)];
        await run(database, "UPDATE tags SET value = 'x' WHERE key = 'mlflow.user'".replace('key', key(server)));
        prints.push(await fingerprint(server, database));
        await run(database, 'CREATE TABLE left_behind (id INT)');
        prints.push(await fingerprint(server, database));
        expect(new Set(prints).size).toBe(3);
      },
    );
  });
});

const key = ({ dialect }: Server) => (dialect === 'mysql' ? '`key`' : 'key');

describe('looking at a SQLite file', () => {
  const server = SERVERS.sqlite;
  const LOOKS = fewLooks(10, 0);

  const withOld = (use: (database: TestDatabase) => Promise<void>) => () =>
    withDatabase(() => server.load('2.9.2'), use);

  test(
    'in WAL mode that nobody has open',
    withOld(async (database) => {
      inWal(database.name).close();
      expect(readdirSync(dirname(database.name))).toEqual(['mlflow.db']);
      await looksOnly(server, database, LOOKS);
    }),
  );

  test(
    'in WAL mode, with commits and an uncommitted change of another process in the log',
    withOld(async (database) => {
      const other = inWal(database.name);
      try {
        other.exec("UPDATE alembic_version SET version_num = 'acf3f17fdcc7'");
        // Rows in the log before their commit: more of them than the cache holds.
        other.exec('PRAGMA cache_size = 5; BEGIN');
        other.exec("UPDATE alembic_version SET version_num = 'ffff00001111'");
        other.exec("UPDATE params SET value = value || 'x'; UPDATE tags SET value = value || 'x'");
        const before = filesBeside(database.name, (name) => name.endsWith('-shm'));
        expect(before).toMatch(/mlflow\.db-wal [1-9]/);
        for (const { args, code } of LOOKS) {
          const result = await mtrack(['db', ...args, database.uri]);
          expect(result.code, result.stderr).toBe(code);
          expect(result.stdout).not.toContain('ffff00001111');
          // The index of the log is shared memory: every reader marks there how far it reads.
          expect(
            filesBeside(database.name, (name) => name.endsWith('-shm')),
            args.join(' '),
          ).toBe(before);
        }
        other.exec('ROLLBACK');
        expect(other.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
      } finally {
        other.close();
      }
    }),
  );

  test(
    'in WAL mode, with nothing in the log of a process that goes on to write: what was begun to be read stays as it was',
    withOld(async (database) => {
      const other = inWal(database.name);
      other.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      expect(filesBeside(database.name, (name) => name.endsWith('-shm'))).toMatch(/mlflow\.db-wal 0 /);
      const reader = await openToRead(database.name, { patience: 1000, onWait: () => undefined });
      try {
        const count = () => reader.rows<{ n: number }>('SELECT COUNT(*) AS n FROM params');
        await reader.begin();
        const before = await count();
        writeMuch(other);
        expect(await count()).toEqual(before);
        expect(await reader.rows('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
        await reader.rollback();
        expect(await count()).not.toEqual(before);
      } finally {
        await reader.close();
        other.close();
      }
    }),
  );

  test(
    'in WAL mode, by nobody else when it is opened, and then by a process that writes: what was read is not shown',
    withOld(async (database) => {
      inWal(database.name).close();
      const reader = await openToRead(database.name, { patience: 1000, onWait: () => undefined });
      try {
        await reader.rows('SELECT COUNT(*) AS n FROM params');
        const other = new DatabaseSync(database.name);
        writeMuch(other);
        other.close();
        await expect(reader.rows('SELECT COUNT(*) AS n FROM params')).rejects.toMatchObject({ code: 'LOCKED' });
      } finally {
        await reader.close();
      }
    }),
  );

  test(
    'with the log of a process that died: what it committed is seen, and left to the next writer',
    withOld(async (database) => {
      await inTemporaryFolder(async (folder) => {
        const other = inWal(database.name);
        other.exec('PRAGMA wal_autocheckpoint = 0');
        other.exec("UPDATE alembic_version SET version_num = 'ffff00001111'");
        const name = join(folder, 'mlflow.db');
        for (const suffix of ['', '-wal']) copyFileSync(database.name + suffix, name + suffix);
        other.close();
        const dead: TestDatabase = { name, uri: `sqlite:///${name}`, drop: async () => undefined };
        await looksOnly(server, dead, fewLooks(13, 13));
      });
    }),
  );

  test(
    'with a rollback journal, in which another process has an uncommitted change',
    withOld(async (database) => {
      const other = new DatabaseSync(database.name);
      try {
        other.exec("BEGIN IMMEDIATE; UPDATE alembic_version SET version_num = 'ffff00001111'");
        await looksOnly(server, database, LOOKS);
        other.exec('ROLLBACK');
      } finally {
        other.close();
      }
    }),
  );

  test.skipIf(process.getuid?.() !== 0)(
    'as a user who may not write it, nor its folder, in WAL mode too',
    withOld(async (database) => {
      const folder = dirname(database.name);
      for (const wal of [false, true]) {
        if (wal) inWal(database.name).close();
        chmodSync(database.name, 0o444);
        chmodSync(folder, 0o555);
        const before = filesBeside(database.name);
        for (const { args, code } of [
          { args: ['status'], code: 10 },
          { args: ['upgrade', '--dry-run'], code: 8 },
        ]) {
          const result = await mtrack(['db', ...args, database.uri], { uid: 65_534 });
          expect(result.code, result.stderr).toBe(code);
          expect(filesBeside(database.name)).toBe(before);
        }
      }
    }),
  );

  test('a file that is not there is not made', async () => {
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, 'mlflow.db');
      for (const { args, code } of [...fewLooks(12, 0), { args: ['upgrade'], code: 7 }]) {
        const result = await mtrack(['db', ...args, `sqlite:///${path}`]);
        expect(result.code, result.stderr).toBe(code);
        expect(existsSync(path)).toBe(false);
      }
      expect(readdirSync(folder)).toEqual([]);
    });
  });
});

/** More than the cache of a reader holds, and all of it moved from the log into the file as far as readers allow. */
function writeMuch(database: DatabaseSync): void {
  database.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
    INSERT INTO params (key, value, run_uuid) SELECT 'p' || i, 'value', run_uuid FROM n, (SELECT MIN(run_uuid) AS run_uuid FROM runs);
    PRAGMA wal_checkpoint(PASSIVE)`);
}

function inWal(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL');
  return database;
}
