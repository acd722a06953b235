/** Another session has a lock that the upgrade needs: it is waited for in short attempts, and named. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { finished, mtrack, start } from '../support/cli.js';
import { opened, type Server, type TestDatabase, withDatabase } from '../support/databases.js';
import { broken, until, upgradeArgs } from '../support/kill.js';
import { oldestCopied } from '../support/old-databases.js';
import { type OtherSession, otherSession, PROGRAM } from '../support/other-session.js';
import { differences, run, stateOf } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';
import { inTemporaryFolder } from '../support/temporary.js';

// Many processes, one after the other, on a machine that may have other things to do.
vi.setConfig({ testTimeout: 300_000 });

/** Needed by the very first revision, and by none before `bd07f7e963c5`. Neither statement looks at another table. */
const FIRST = 'UPDATE metrics SET value = value + 1';
const LATER = "UPDATE params SET value = 'by another'";

/** What is waited for a table, and on SQLite for the file. */
const patience = (time: string) => ['--lock-timeout', time, '--wait-timeout', time];

interface Report {
  readonly error: {
    readonly code: string;
    readonly found: string;
    readonly fix: readonly string[];
    readonly details: { readonly blockers: readonly { readonly who: string; readonly sinceSeconds: number | null }[] };
  };
}

await forEachDialect('a lock of another session', (server) => {
  const sessions: OtherSession[] = [];
  let oldest: TestDatabase;
  beforeAll(async () => {
    oldest = await oldestCopied(server);
  });
  afterAll(() => oldest?.drop());
  /** An old database. What others still have open in it is ended before it is dropped, which would wait for them. */
  const withOldest = (use: (database: TestDatabase) => Promise<void>) =>
    withDatabase(
      () => server.copy(oldest),
      (database) =>
        use(database).finally(async () => {
          for (const session of sessions.splice(0)) await session.end('ROLLBACK');
        }),
    );
  const busy = async (database: TestDatabase, statement: string) => {
    const session = await otherSession(server, database, statement);
    sessions.push(session);
    return session;
  };

  const named = ({ id }: OtherSession): RegExp =>
    ({
      sqlite: new RegExp(`process ${id} \\(sqlite3, user id \\d+\\)`),
      postgresql: new RegExp(`process ${id} \\(postgres ${PROGRAM} from 127\\.0\\.0\\.1\\)`),
      mysql: new RegExp(`thread ${id} \\(root from (localhost|127\\.0\\.0\\.1):\\d+\\)`),
    })[server.dialect];

  test('on the first table: ends with 6, names who and since when, and has changed nothing', async () => {
    await withOldest(async (database) => {
      const before = await stateOf(database);
      const other = await busy(database, FIRST);
      const { code, stdout } = await mtrack(upgradeArgs(database.uri, 'head', ...patience('2s'), '--json'));
      expect(code, stdout).toBe(6);
      const { error } = JSON.parse(stdout) as Report;
      expect(error.code).toBe('LOCKED');
      expect(error.found).toMatch(named(other));
      const [blocker] = error.details.blockers;
      expect(blocker?.who).toMatch(named(other));
      if (server.dialect !== 'sqlite') {
        expect(blocker?.sinceSeconds).toBeGreaterThanOrEqual(2);
        expect(error.found).toContain('451aebb31d03');
        expect(error.fix.join('\n')).toMatch(/--lock-timeout/);
        expect(error.fix.join('\n')).toMatch(/still at revision base/);
      }
      expect(error.fix.join('\n')).toMatch(/run the command again/);
      await other.end('ROLLBACK');
      expect(differences(before, await stateOf(database))).toEqual([]);
    });
  });

  test('on a later table: says where it stands, and the next run ends as if nothing had been', async () => {
    await withOldest(async (database) => {
      const alone = await aloneAfter(server, database, null);
      const other = await busy(database, LATER);
      const stopped = await mtrack(upgradeArgs(database.uri, 'head', ...patience('1s')));
      expect(stopped.code, stopped.stderr).toBe(6);
      expect(stopped.stderr).toMatch(/^Error LOCKED: /m);
      expect(stopped.stderr).toMatch(named(other));
      await other.end('ROLLBACK');
      const { version } = await stateOf(database);
      // SQLite: one transaction, and nothing of it is done. PostgreSQL: all up to the revision that alters params.
      // MariaDB: before cfd24bdc0731, which alters runs, and locks the tables that refer to it as well.
      const stands = { sqlite: undefined, postgresql: 'c48cb773bb87', mysql: '2b4d017a5e9b' };
      expect(version?.[0]).toBe(stands[server.dialect]);
      if (version?.[0]) expect(stopped.stderr).toContain(`the database is at revision ${version[0]}`);
      const again = await mtrack(upgradeArgs(database.uri));
      expect(again.code, again.stderr).toBe(0);
      expect(differences(alone, await stateOf(database))).toEqual([]);
    });
  });

  test('that ends meanwhile: it says for whom it waits, and goes through', async () => {
    await withOldest(async (database) => {
      const alone = await aloneAfter(server, database, LATER);
      const other = await busy(database, LATER);
      const child = start(upgradeArgs(database.uri));
      let said = '';
      child.stderr?.on('data', (text: string) => {
        said += text;
      });
      const upgrade = finished(child);
      await until('it says that it waits', () => said.includes('waiting for '), 60_000);
      expect(said).toMatch(named(other));
      expect(child.exitCode).toBeNull();
      await other.end('COMMIT');
      const { code, stderr } = await upgrade;
      expect(code, stderr).toBe(0);
      expect(differences(alone, await stateOf(database))).toEqual([]);
    });
  });

  test.skipIf(server.dialect !== 'sqlite')(
    'taken as soon as the upgrade has committed is no failure of it',
    async () => {
      await withOldest((database) =>
        inTemporaryFolder(async (folder) => {
          const mark = join(folder, 'committed');
          const running = finished(
            start(upgradeArgs(database.uri), broken([{ like: '^COMMIT', side: 'after', does: 'hold', mark }])),
          );
          await until('the upgrade has committed', () => existsSync(mark), 60_000);
          const other = await (await opened(database)).worker();
          try {
            await other.run('BEGIN EXCLUSIVE');
            writeFileSync(`${mark}.go`, '');
            const { code, stderr } = await running;
            expect(code, stderr).toBe(0);
          } finally {
            await other.close();
          }
        }),
      );
    },
  );

  test('is nothing that a session which is only opened would meet', async () => {
    await withOldest(async (database) => {
      const [one, other] = [await (await opened(database)).worker(), await opened(database)];
      try {
        await one.run(server.dialect === 'sqlite' ? 'BEGIN EXCLUSIVE' : 'BEGIN');
        await one.run('ALTER TABLE params ADD COLUMN x INTEGER');
        await (await other.worker()).close();
      } finally {
        await one.close();
      }
    });
  });

  // A session that waits for an exclusive lock keeps out all that come after it: for the time of an attempt, not longer.
  test.skipIf(server.dialect === 'sqlite')('lets others through while it waits', async () => {
    await withOldest(async (database) => {
      await busy(database, FIRST);
      const child = start(upgradeArgs(database.uri, 'head', '--lock-timeout', '5m'));
      let said = '';
      child.stderr?.on('data', (text: string) => {
        said += text;
      });
      const upgrade = finished(child);
      await until('it says that it waits', () => said.includes('waiting for '), 60_000);
      const others = Date.now();
      // Three in a row: one may come in between two attempts by luck.
      for (let i = 0; i < 3; i++)
        await (await otherSession(server, database, 'SELECT COUNT(*) FROM metrics')).end('COMMIT');
      expect(Date.now() - others).toBeLessThan(30_000);
      expect(child.exitCode).toBeNull();
      child.kill('SIGTERM');
      expect((await upgrade).code).toBe(5);
    });
  });
});

/** The end of an upgrade that nobody disturbed, of the same rows. */
async function aloneAfter(server: Server, from: TestDatabase, statement: string | null) {
  return withDatabase(
    () => server.copy(from),
    async (copy) => {
      if (statement) await run(copy, statement);
      const { code, stderr } = await mtrack(upgradeArgs(copy.uri));
      expect(code, stderr).toBe(0);
      return stateOf(copy);
    },
  );
}
