/**
 * Several upgrades of one database at the same time: one does the work, the others wait for it, look again, and find
 * nothing to do. The lock goes with whoever holds it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, test, vi } from 'vitest';
import { HEAD, revisions } from '../../src/schema/lineage.js';
import { finished, mtrack, type Result, start } from '../support/cli.js';
import { type Server, type TestDatabase, withDatabase } from '../support/databases.js';
import { broken, until, upgradeArgs } from '../support/kill.js';
import { MLFLOW, ORACLE, ORACLE_HEAD } from '../support/mlflow.js';
import { oldestCopied } from '../support/old-databases.js';
import { differences, type State, stateOf } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';

// Many processes, one after the other, on a machine that may have other things to do.
vi.setConfig({ testTimeout: 300_000 });

const missing = inject('oracleMissing');
const EIGHT = Array.from({ length: 8 }, (_, i) => i);

interface Report {
  readonly applied?: readonly string[];
  readonly error?: { readonly code: string; readonly found: string; readonly fix: readonly string[] };
}

/** What an upgrade says of itself, whichever way it was asked. */
const appliedOf = ({ stdout }: Result, json: boolean): number => {
  if (json) return (JSON.parse(stdout) as Report).applied?.length ?? Number.NaN;
  const [, n] = /: (\d+) revisions in /.exec(stdout) ?? [];
  return n === undefined && /nothing to do|another upgrade did it/.test(stdout) ? 0 : Number(n);
};

/** The end of an upgrade that had the database to itself. */
async function aloneTo(server: Server, from: TestDatabase, to: string): Promise<State> {
  return withDatabase(
    () => server.copy(from),
    async (copy) => {
      expect((await mtrack(upgradeArgs(copy.uri, to))).code).toBe(0);
      return stateOf(copy);
    },
  );
}

await forEachDialect('at the same time', (server) => {
  let folder: string;
  const running: ChildProcess[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mtrack-eight-'));
  });
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const keep = (child: ChildProcess) => {
    running.push(child);
    return child;
  };

  /** An upgrade that holds the lock and stands still after its first change, until it is told to go on. */
  async function holder(database: TestDatabase) {
    const mark = join(folder, 'held');
    const child = keep(
      start(
        upgradeArgs(database.uri),
        broken([{ like: 'ALTER TABLE|CREATE TABLE', side: 'after', does: 'hold', mark }]),
      ),
    );
    const ended = finished(child);
    await until('an upgrade is at work', () => existsSync(mark));
    return { child, ended, goOn: () => writeFileSync(`${mark}.go`, '') };
  }

  const starts = [
    { from: 'an old populated database', make: () => oldestCopied(server) },
    { from: 'an empty database', make: () => server.empty() },
  ];

  test.each(starts)('eight upgrades of $from: all succeed, and one did the work', async ({ make }) => {
    await withDatabase(make, async (database) => {
      const alone = await aloneTo(server, database, 'head');
      // Half of them speak to a program, half to a person.
      const results = await Promise.all(
        EIGHT.map((i) => mtrack(upgradeArgs(database.uri, 'head', ...(i % 2 === 0 ? ['--json'] : [])))),
      );
      expect(results.map(({ code, stderr }) => (code === 0 ? 0 : stderr))).toEqual(EIGHT.map(() => 0));
      const applied = results.map((result, i) => appliedOf(result, i % 2 === 0));
      expect(applied.filter((n) => n !== 0)).toHaveLength(1);
      expect(Math.max(...applied)).toBeGreaterThanOrEqual(revisions.length);
      expect(differences(alone, await stateOf(database))).toEqual([]);
    });
  });

  test('who comes while another is at work waits, says for whom, looks again and finds nothing to do', async () => {
    await withDatabase(
      () => oldestCopied(server),
      async (database) => {
        const first = await holder(database);
        const others = ['--json', '--no-color'].map((flag) => {
          const child = keep(start(upgradeArgs(database.uri, 'head', ...(flag === '--json' ? [flag] : []))));
          return { child, ended: finished(child) };
        });
        let said = '';
        others[1]?.child.stderr?.on('data', (text: string) => {
          said += text;
        });
        await until('it says that it waits', () => said.includes('waiting for '));
        // SQLite keeps readers out, too: there the other one waits before it can look at all.
        if (server.dialect === 'sqlite') expect(said).toContain(`waiting for process ${first.child.pid} (`);
        expect(others.map(({ child }) => child.exitCode)).toEqual([null, null]);
        first.goOn();
        const [worked, asJson, asText] = await Promise.all([first, ...others].map(({ ended }) => ended));
        expect(worked?.stdout).toMatch(/: 7\d revisions in /);
        expect(JSON.parse(asJson?.stdout ?? '')).toMatchObject({ applied: [], to: HEAD });
        expect(asText?.stdout).toMatch(/nothing to do|another upgrade did it/);
        expect([worked, asJson, asText].map((result) => result?.code)).toEqual([0, 0, 0]);
      },
    );
  });

  test('who has waited long enough ends with a code of its own and names who is at work', async () => {
    await withDatabase(
      () => oldestCopied(server),
      async (database) => {
        const first = await holder(database);
        const tired = await mtrack(upgradeArgs(database.uri, 'head', '--wait-timeout', '1s', '--json'));
        expect(tired.code).toBe(6);
        const { error } = JSON.parse(tired.stdout) as Report;
        expect(error?.code).toBe('LOCKED');
        const who = {
          sqlite: /process \d+ \(\S+, user id \d+\)/,
          postgresql: /process \d+ \(postgres mtrack from 127\.0\.0\.1\)/,
          mysql: /thread \d+ \(root from (localhost|127\.0\.0\.1):\d+\)/,
        };
        expect(error?.found).toMatch(who[server.dialect]);
        expect(error?.fix.join('\n')).toMatch(/run the command again/);
        first.goOn();
        expect((await first.ended).code).toBe(0);
      },
    );
  });

  test('the lock of an upgrade that was killed goes with it: who waited does the rest', async () => {
    await withDatabase(
      () => oldestCopied(server),
      async (database) => {
        const alone = await aloneTo(server, database, 'head');
        const first = await holder(database);
        const child = keep(start(upgradeArgs(database.uri, 'head', '--json')));
        const next = finished(child);
        await new Promise((resolve) => setTimeout(resolve, 1500));
        expect(child.exitCode).toBeNull();
        first.child.kill('SIGKILL');
        expect((await first.ended).signal).toBe('SIGKILL');
        const { code, stdout } = await next;
        expect(code, stdout).toBe(0);
        expect((JSON.parse(stdout) as Report).applied?.length).toBeGreaterThanOrEqual(revisions.length);
        expect(differences(alone, await stateOf(database))).toEqual([]);
        // And nothing is left of it that a later one would wait for.
        const later = await mtrack(upgradeArgs(database.uri, 'head', '--wait-timeout', '1s'));
        expect(later.code).toBe(0);
      },
    );
  });

  // MLflow takes no lock that mtrack could see, and mtrack's keeps out nobody who does not ask for it. What is promised:
  // whichever wins, no row is lost, whoever fails says so, and one more run ends where a lone run ends.
  // Where every statement commits by itself, the two can leave what no run by itself would: once in some twenty times the
  // last run refuses (DRIFTED). Until that is understood, only the full run tries it there.
  const reason = server.dialect === 'mysql' && process.env.MTRACK_KILL !== 'all' ? 'npm run test:kill has it' : missing;
  describe.skipIf(reason !== null)(reason === null ? 'MLflow' : `NOT RUN, ${reason}`, () => {
    test('`mlflow db upgrade` beside it: one more run ends as a lone run', async () => {
      await withDatabase(
        () => server.load('2.9.2'),
        async (database) => {
          const target = `mlflow==${ORACLE}`;
          const alone = await aloneTo(server, database, target);
          const theirs = finished(
            keep(
              spawn(MLFLOW, ['db', 'upgrade', database.uri], {
                env: { ...process.env, PYTHONWARNINGS: 'ignore' },
                stdio: ['ignore', 'pipe', 'pipe'],
              }),
            ),
          );
          const ours: Result[] = [];
          // MLflow takes seconds to load: one of these meets it.
          let over = false;
          const done = theirs.finally(() => {
            over = true;
          });
          const first = revisions.findIndex(({ id }) => id === 'acf3f17fdcc7') + 1;
          const last = revisions.findIndex(({ id }) => id === ORACLE_HEAD);
          for (let i = first; i <= last && !over; i += 8) {
            ours.push(await mtrack(upgradeArgs(database.uri, revisions[i]?.id)));
          }
          await done;
          const EXPECTED = [0, 4, 6, 11, 13, 15, 17, 19, 20];
          expect(ours.filter(({ code }) => !EXPECTED.includes(code ?? -1))).toEqual([]);
          const found = await mtrack(['db', 'status', database.uri, '--json']);
          const { code, stderr } = await mtrack(upgradeArgs(database.uri, target));
          expect(
            code,
            `${stderr}\nafter ${JSON.stringify(ours)}\nfound ${found.stdout}\nMLflow ${JSON.stringify(await done)}`,
          ).toBe(0);
          expect(differences(alone, await stateOf(database))).toEqual([]);
        },
      );
    });
  });
});
