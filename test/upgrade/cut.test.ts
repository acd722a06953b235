/**
 * The connection breaks during an upgrade: at a statement, from the server's side, or because the server is away. The
 * command finds out what was done and goes on by itself, or says in words what to do, and then the next run ends well.
 *
 * `npm run test:kill` cuts at every statement; a normal test run at a sample of them.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { finished, mtrack, type Result, start } from '../support/cli.js';
import { opened, type TestDatabase, withDatabase } from '../support/databases.js';
import { AT_ONCE, EVERYTHING, HOURS } from '../support/extent.js';
import { broken, type Fault, inParallel, until, upgradeArgs } from '../support/kill.js';
import { late, oldest } from '../support/old-databases.js';
import { proxyTo } from '../support/proxy.js';
import { differences, query, run as runStatements, stateOf } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';
import { everywhere, hereAndThere, said, stackIn, type Undisturbed, undisturbed } from '../support/undisturbed.js';

/** The session that holds the upgrade's lock, whether it waits for another, and how the server ends it. */
const SERVER_SIDE = {
  postgresql: {
    port: 5432,
    sessions: `SELECT a.pid AS id, a.wait_event_type = 'Lock' AS waits FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE l.locktype = 'advisory' AND l.granted AND a.datname = current_database()`,
    end: (id: number) => `SELECT pg_terminate_backend(${id})`,
  },
  mysql: {
    port: 3306,
    sessions: `SELECT ID AS id, STATE LIKE 'Waiting for table metadata lock' AS waits FROM information_schema.PROCESSLIST
      WHERE DB = DATABASE() AND ID <> CONNECTION_ID() AND IS_USED_LOCK(CONCAT('mtrack upgrade ', DATABASE())) = ID`,
    end: (id: number) => `KILL CONNECTION ${id}`,
  },
} as const;
type WithSockets = keyof typeof SERVER_SIDE;

interface SessionRow {
  id: number;
  waits: boolean | number | null;
}

/** What is wrong when a run, after which another was made if it failed, is over. */
async function outcome(run: Undisturbed, database: TestDatabase, result: Result): Promise<string[]> {
  const wrong = stackIn(result.stderr);
  if (result.code !== 0) wrong.push(`ended with ${result.code}: ${result.stderr}`);
  const again = await mtrack(upgradeArgs(database.uri, run.to));
  if (again.code !== 0) wrong.push(`the next run ended with ${again.code}: ${again.stderr}`);
  return [...wrong, ...differences(run.end, await stateOf(database))];
}

/** Starts an upgrade that holds still at a fault, does something to it there, and lets it go on. */
async function held(
  uri: string,
  fault: Omit<Fault, 'does' | 'mark'>,
  meanwhile: (running: Promise<Result>) => Promise<void>,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'mtrack-held-'));
  try {
    const mark = join(folder, 'reached');
    const running = finished(start(upgradeArgs(uri), broken([{ ...fault, does: 'hold', mark }])));
    await until(`the upgrade to be at ${fault.like ?? fault.at}`, () => existsSync(mark));
    await meanwhile(running);
    writeFileSync(`${mark}.go`, '');
    return await running;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await forEachDialect('cut', (server) => {
  if (!(server.dialect in SERVER_SIDE)) {
    test.skip('has no connection');
    return;
  }
  const { port, sessions, end } = SERVER_SIDE[server.dialect as WithSockets];
  const made: TestDatabase[] = [];
  const from = async (making: Promise<TestDatabase>) => {
    const database = await making;
    made.push(database);
    return undisturbed(server, database);
  };
  let old: Undisturbed;
  let full: Undisturbed;
  beforeAll(async () => {
    old = await from(oldest(server));
    full = await from(late(server));
  }, 240_000);
  afterAll(async () => {
    for (const database of made) await database.drop();
  });

  async function endSession(database: TestDatabase): Promise<void> {
    const [session, ...others] = await query<SessionRow>(database, sessions);
    expect(others).toEqual([]);
    if (!session) throw new Error('mtrack has no session');
    await runStatements(database, end(session.id));
  }

  describe('the socket is destroyed at a statement, and the run goes on by itself', () => {
    const cutAt = async (run: Undisturbed, faults: readonly Fault[]) => {
      const wrong = await inParallel(faults, AT_ONCE, (fault) =>
        withDatabase(
          () => server.copy(run.from),
          async (copy) => {
            const result = await mtrack(upgradeArgs(copy.uri), broken([fault]));
            const lost = /connecting again/.test(result.stderr) ? [] : ['nothing was said of a lost connection'];
            return [...lost, ...(await outcome(run, copy, result))].map((each) => `${said(fault, run)}\n  ${each}`);
          },
        ),
      );
      expect(wrong.flat()).toEqual([]);
    };

    test('from MLflow 0.9', { timeout: HOURS }, async () => {
      await cutAt(old, EVERYTHING ? everywhere(server, old, 'cut') : hereAndThere(old, 3, 'cut', 3));
    });

    test('from a full MLflow 3.17', { timeout: HOURS }, async () => {
      await cutAt(full, EVERYTHING ? everywhere(server, full, 'cut') : hereAndThere(full, 2, 'cut', 3));
    });

    test('at three statements of one run', { timeout: HOURS }, async () => {
      const n = Math.floor(old.statements.length / 4);
      const faults: Fault[] = [
        { at: n, side: 'sent', does: 'cut' },
        { at: 2 * n, side: 'after', does: 'cut' },
        { at: 2 * n + 9, side: 'before', does: 'cut' },
      ];
      await withDatabase(
        () => server.copy(old.from),
        async (copy) => {
          const result = await mtrack(upgradeArgs(copy.uri), broken(faults));
          expect(result.stderr.match(/connecting again/g)?.length).toBeGreaterThanOrEqual(3);
          expect(await outcome(old, copy, result)).toEqual([]);
        },
      );
    });
  });

  describe('the server ends the session, and the run goes on by itself', () => {
    test.each([
      { when: 'between two statements', fault: { like: '^UPDATE .*alembic_version', side: 'before' } },
      { when: 'before it commits', fault: { like: '^COMMIT', side: 'before' } },
      { when: 'at the very last statement', fault: { like: 'RELEASE_LOCK|pg_advisory_unlock', side: 'before' } },
    ] as const)('$when', async ({ fault }) => {
      // Of the first revisions, none has a transaction on MySQL.
      await withDatabase(
        () => server.copy(full.from),
        async (copy) => {
          const result = await held(copy.uri, fault, () => endSession(copy));
          expect(await outcome(full, copy, result)).toEqual([]);
        },
      );
    });

    test('while a statement waits in the server', async () => {
      await withDatabase(
        () => server.copy(old.from),
        async (copy) => {
          const other = await (await opened(copy)).worker();
          try {
            // Whoever has read a table keeps it from being altered until its transaction ends.
            await other.begin();
            await other.rows('SELECT 1 FROM runs');
            const running = finished(start(upgradeArgs(copy.uri)));
            const waits = async () => (await query<SessionRow>(copy, sessions)).some((each) => Boolean(each.waits));
            await until('a statement to wait', waits);
            await endSession(copy);
            await other.rollback();
            expect(await outcome(old, copy, await running)).toEqual([]);
          } finally {
            await other.close();
          }
        },
      );
    });
  });

  // At the same time: mostly they wait.
  describe.concurrent('the server is away', () => {
    const through = (database: TestDatabase, own: number) => database.uri.replace(`:${port}/`, `:${own}/`);
    const fault = { like: '^(ALTER|CREATE) TABLE', side: 'after' } as const;

    test('for two seconds: the run waits for it', async () => {
      await withDatabase(
        () => server.copy(old.from),
        async (copy) => {
          await using proxy = await proxyTo(port);
          const result = await held(through(copy, proxy.port), fault, async () => {
            await proxy.cut();
            setTimeout(() => void proxy.mend(), 2000);
          });
          expect(await outcome(old, copy, result)).toEqual([]);
        },
      );
    });

    test('for good: it says so in the end, and the next run goes on', async () => {
      await withDatabase(
        () => server.copy(old.from),
        async (copy) => {
          await using proxy = await proxyTo(port);
          const { code, stderr } = await held(through(copy, proxy.port), fault, () => proxy.cut());
          expect(code).toBe(4);
          expect(stderr).toMatch(/^Error CONNECTION_LOST: /m);
          expect(stderr).toMatch(/run the command again when the database is back/);
          expect(stackIn(stderr)).toEqual([]);
          const next = await mtrack(upgradeArgs(copy.uri));
          expect(await outcome(old, copy, next)).toEqual([]);
        },
      );
    });
  });
});
