/**
 * What a database can refuse during an upgrade: no room on the disk, no right to write, a deadlock. Each is told in words
 * and with a code of its own, nothing is lost, and the next run ends where an undisturbed one does. What passes by itself
 * is tried again.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { finished, mtrack, type Result, start } from '../support/cli.js';
import { type Server, type TestDatabase, withDatabase } from '../support/databases.js';
import { broken, type Fault, until, upgradeArgs } from '../support/kill.js';
import { oldest } from '../support/old-databases.js';
import { differences, run as runStatements, stateOf } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';
import { stackIn, type Undisturbed, undisturbed } from '../support/undisturbed.js';

const exec = promisify(execFile);

/** It ended with this code, said so in words, and did not show a stack. */
function refused({ code, stderr }: Result, exit: number, name: string, words: RegExp): void {
  expect.soft({ code, stderr }).toMatchObject({ code: exit });
  expect(stderr).toMatch(new RegExp(`^Error ${name}: `, 'm'));
  expect(stderr).toMatch(words);
  expect(stderr).toMatch(/^ +to do: /m);
  expect(stackIn(stderr)).toEqual([]);
}

/** The next run reaches the head, as if nothing had been. */
async function endsWell(run: Undisturbed, database: TestDatabase): Promise<void> {
  const { code, stderr } = await mtrack(upgradeArgs(database.uri, run.to));
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(differences(run.end, await stateOf(database))).toEqual([]);
}

/** What a driver throws. */
type DriverError = Readonly<Record<string, unknown>>;
const pg = (code: string, message: string): DriverError => ({ code, message });
const my = (errno: number, code: string, message: string): DriverError => ({ errno, code, message });

interface Injected {
  /** Errors that mean a full disk. */
  readonly diskFull: readonly DriverError[];
  /** Errors that are gone when the same is done again. */
  readonly passing: readonly DriverError[];
  readonly damaged: DriverError;
  /** An error that nobody foresaw. */
  readonly unforeseen: DriverError;
}

const ERRORS: Readonly<Record<Exclude<Server['dialect'], 'sqlite'>, Injected>> = {
  postgresql: {
    diskFull: [pg('53100', 'could not extend file "base/1/2": No space left on device')],
    passing: [
      pg('40P01', 'deadlock detected'),
      pg('40001', 'could not serialize access due to concurrent update'),
      pg('55P03', 'canceling statement due to lock timeout'),
    ],
    unforeseen: pg('XX000', 'could not open relation with OID 7'),
    damaged: pg('XX001', 'could not read block 7 in file "base/1/2"'),
  },
  mysql: {
    diskFull: [
      my(1021, 'ER_DISK_FULL', 'Disk full (./x.ibd); waiting for someone to free some space...'),
      my(1114, 'ER_RECORD_FILE_FULL', "The table '#sql-alter-1' is full"),
    ],
    passing: [
      my(1213, 'ER_LOCK_DEADLOCK', 'Deadlock found when trying to get lock; try restarting transaction'),
      my(1205, 'ER_LOCK_WAIT_TIMEOUT', 'Lock wait timeout exceeded; try restarting transaction'),
      my(1020, 'ER_CHECKREAD', "Record has changed since last read in table 'runs'"),
    ],
    unforeseen: my(
      1030,
      'ER_GET_ERRNO',
      'Got error 168 "Unknown (generic) error from engine" from storage engine InnoDB',
    ),
    damaged: my(1712, 'ER_INDEX_CORRUPT', 'Index runs is corrupted'),
  },
};

await forEachDialect('faults', (server) => {
  let old: Undisturbed;
  beforeAll(async () => {
    old = await undisturbed(server, await oldest(server));
  });
  afterAll(() => old?.from.drop());
  const copied = (use: (copy: TestDatabase) => Promise<void>) => withDatabase(() => server.copy(old.from), use);

  if (server.dialect === 'sqlite') {
    fullDisk(() => old);
    unwritableFile(() => old);

    test('the file is busy for a moment: the run waits', async () => {
      await copied(async (copy) => {
        const error = { code: 'SQLITE_BUSY', message: 'database is locked' };
        const result = await mtrack(
          upgradeArgs(copy.uri),
          broken([{ like: '^BEGIN EXCLUSIVE', side: 'before', does: 'error', error }]),
        );
        expect(result).toMatchObject({ code: 0, stderr: expect.stringMatching(/waiting for another process/) });
        expect(differences(old.end, await stateOf(copy))).toEqual([]);
      });
    });
    return;
  }

  const { diskFull, passing, damaged, unforeseen } = ERRORS[server.dialect];
  const middle = () => Math.floor(old.statements.length / 2);
  const failing = (uri: string, fault: Omit<Fault, 'does'>) =>
    mtrack(upgradeArgs(uri), broken([{ ...fault, does: 'error' }]));

  // One after the other: each run goes on where the last one was refused.
  test('the disk is full, the files are broken, and an error that nobody foresaw', async () => {
    await copied(async (copy) => {
      const at = Math.floor(old.statements.length / 5);
      for (const error of diskFull) {
        const result = await failing(copy.uri, { at, side: 'before', error });
        refused(result, 18, 'DISK_FULL', /make room where the database keeps its files/);
      }
      const broken = await failing(copy.uri, { at, side: 'before', error: damaged });
      refused(broken, 46, 'DATABASE_DAMAGED', /restore a backup/);
      const result = await failing(copy.uri, { at, side: 'before', error: unforeseen });
      refused(result, 19, 'STATEMENT_FAILED', /`mtrack db upgrade` (goes|finds out and goes) on from there/);
      expect(result.stderr).toContain(String(unforeseen.message));
      await endsWell(old, copy);
    });
  });

  // One after the other at different places, so that one run shows all of them.
  test('a deadlock, a lock that is not given, a row that somebody else changed: the run tries again', async () => {
    await copied(async (copy) => {
      const faults = passing.map(
        (error, i): Fault => ({ at: 5 + i * middle(), side: i === 1 ? 'after' : 'before', does: 'error', error }),
      );
      const result = await mtrack(upgradeArgs(copy.uri), broken(faults));
      expect(result).toMatchObject({ code: 0 });
      expect(result.stderr).toMatch(/^ *waiting (a moment, to try again|for )/m);
      expect(differences(old.end, await stateOf(copy))).toEqual([]);
    });
  });

  describe('a user that may only read', () => {
    const user = `mtrack_reader_${randomBytes(4).toString('hex')}`;
    const uriOf = ({ uri }: TestDatabase) => uri.replace(/\/\/\w+@/, `//${user}@`);
    const [make, drop] = {
      postgresql: [
        ({ name: _ }: TestDatabase) => [
          `CREATE ROLE ${user} LOGIN`,
          `GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${user}`,
        ],
        [`DROP OWNED BY ${user}`, `DROP ROLE ${user}`],
      ],
      mysql: [
        ({ name }: TestDatabase) => [`CREATE USER ${user}@'%'`, `GRANT SELECT ON ${name}.* TO ${user}@'%'`],
        [`DROP USER ${user}@'%'`],
      ],
    }[server.dialect as keyof typeof ERRORS] as [(database: TestDatabase) => string[], string[]];

    test('sees the status, and is told what it lacks before anything is done', async () => {
      await copied(async (copy) => {
        const before = await stateOf(copy);
        await runStatements(copy, ...make(copy));
        try {
          const status = await mtrack(['db', 'status', uriOf(copy)]);
          expect(status).toMatchObject({ code: 10, stderr: '' });
          const result = await mtrack(upgradeArgs(uriOf(copy)), broken([]));
          refused(result, 8, 'PREFLIGHT_FAILED', new RegExp(user));
          expect(result.stderr).not.toMatch(/locked: no other upgrade runs/);
          expect(differences(before, await stateOf(copy))).toEqual([]);
        } finally {
          await runStatements(copy, ...drop);
        }
        await endsWell(old, copy);
      });
    });

    // What a role may do is not in the list of grants, so the preflight lets it pass.
    test.runIf(server.dialect === 'mysql')('through a role: the first statement is refused, and says why', async () => {
      await copied(async (copy) => {
        const before = await stateOf(copy);
        const role = `${user}_role`;
        await runStatements(
          copy,
          `CREATE ROLE ${role}`,
          `GRANT SELECT ON ${copy.name}.* TO ${role}`,
          `CREATE USER ${user}@'%'`,
          `GRANT ${role} TO ${user}@'%'`,
          `SET DEFAULT ROLE ${role} FOR ${user}@'%'`,
        );
        try {
          const result = await mtrack(upgradeArgs(uriOf(copy)));
          refused(result, 19, 'STATEMENT_FAILED', /run the command as the owner of the tables/);
          expect(differences(before, await stateOf(copy))).toEqual([]);
        } finally {
          await runStatements(copy, ...drop, `DROP ROLE ${role}`);
        }
        await endsWell(old, copy);
      });
    });
  });
});

// ---------------------------------------------------------------- SQLite's file

/** Why no small file system can be mounted here; null when it can. */
async function cannotMount(): Promise<string | null> {
  const folder = mkdtempSync(join(tmpdir(), 'mtrack-mount-'));
  try {
    await exec('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
    await exec('umount', [folder]);
    return null;
  } catch (error) {
    if (process.env.CI === 'true') throw error;
    return String(error).split('\n')[0] ?? '';
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A copy of a SQLite database on a disk of its own. */
async function onSmallDisk(
  of: TestDatabase,
  megabytes: number,
  use: (copy: TestDatabase, disk: string) => Promise<void>,
): Promise<void> {
  const disk = mkdtempSync(join(tmpdir(), 'mtrack-disk-'));
  await exec('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', disk]);
  try {
    const path = join(disk, 'mlflow.db');
    copyFileSync(of.name, path);
    await use({ name: path, uri: `sqlite:///${path}`, drop: async () => undefined }, disk);
  } finally {
    await exec('umount', [disk]);
    rmSync(disk, { recursive: true, force: true });
  }
}

/** Takes all the room that is left. */
function fill(path: string): void {
  for (const size of [65_536, 4096, 1]) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size), { flag: 'a' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
}

function fullDisk(old: () => Undisturbed): void {
  let missing: string | null = null;
  beforeAll(async () => {
    missing = await cannotMount();
  });

  describe('the disk is full', () => {
    test('before the upgrade: it is not begun', async ({ skip }) => {
      if (missing !== null) skip(`NOT RUN: ${missing}`);
      await onSmallDisk(old().from, 4, async (copy, disk) => {
        const before = readFileSync(copy.name);
        const filler = join(disk, 'filler');
        fill(filler);
        refused(await mtrack(upgradeArgs(copy.uri)), 8, 'PREFLIGHT_FAILED', /MB are free on the disk of/);
        expect(readFileSync(copy.name).equals(before)).toBe(true);
        rmSync(filler);
        await endsWell(old(), copy);
      });
    });

    test.for([
      { when: 'early in the upgrade', part: 0.1 },
      { when: 'in the middle of it', part: 0.5 },
      { when: 'when it commits', part: 1 },
    ])('$when: the file is as it was', async ({ part }, { skip }) => {
      if (missing !== null) skip(`NOT RUN: ${missing}`);
      await onSmallDisk(old().from, 8, async (copy, disk) => {
        const before = readFileSync(copy.name);
        const filler = join(disk, 'filler');
        const mark = join(tmpdir(), `mtrack-full-${randomBytes(6).toString('hex')}`);
        try {
          const commit = old().statements.findIndex(({ sql }) => sql === 'COMMIT') + 1;
          const hold: Fault = { at: Math.ceil(commit * part), side: 'before', does: 'hold', mark };
          const running = finished(start(upgradeArgs(copy.uri), broken([hold])));
          await until('the upgrade to be there', () => existsSync(mark));
          fill(filler);
          writeFileSync(`${mark}.go`, '');
          refused(await running, 18, 'DISK_FULL', /nothing was changed: the database is as it was/);
          // To the byte, without a journal that would have to be kept with it.
          expect(readdirSync(disk)).toEqual(['filler', 'mlflow.db']);
          expect(readFileSync(copy.name).equals(before)).toBe(true);
          expect(await mtrack(['db', 'status', copy.uri])).toMatchObject({ code: 10 });
          rmSync(filler);
          await endsWell(old(), copy);
        } finally {
          rmSync(mark, { force: true });
          rmSync(`${mark}.go`, { force: true });
        }
      });
    });
  });
}

/** Root may write anything: another user is needed to be refused. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65_534, env: { HOME: '/nonexistent' } } : {};

function unwritableFile(old: () => Undisturbed): void {
  test.each([
    { what: 'the file', file: 0o444, folder: 0o777, names: /mlflow\.db cannot be written by this user/ },
    { what: 'its folder', file: 0o666, folder: 0o555, names: /data cannot be written by this user/ },
    { what: 'either', file: 0o444, folder: 0o555, names: /mlflow\.db cannot be written.*\n.*data cannot be written/ },
  ])('a user that may not write $what is told so before anything is done', async ({ file, folder, names }) => {
    await withDatabase(
      async () => {
        const root = mkdtempSync(join(tmpdir(), 'mtrack-test-'));
        const path = join(root, 'data', 'mlflow.db');
        mkdirSync(dirname(path));
        chmodSync(root, 0o755);
        copyFileSync(old().from.name, path);
        const drop = async () => {
          chmodSync(dirname(path), 0o755);
          rmSync(root, { recursive: true });
        };
        return { name: path, uri: `sqlite:///${path}`, drop };
      },
      async (database) => {
        const before = readFileSync(database.name);
        chmodSync(database.name, file);
        chmodSync(dirname(database.name), folder);
        expect(await mtrack(['db', 'status', database.uri], NOBODY)).toMatchObject({ code: 10, stderr: '' });
        refused(await mtrack(upgradeArgs(database.uri), NOBODY), 8, 'PREFLIGHT_FAILED', names);
        expect(readFileSync(database.name).equals(before)).toBe(true);
        chmodSync(dirname(database.name), 0o755);
        chmodSync(database.name, 0o644);
        await endsWell(old(), database);
      },
    );
  });
}
