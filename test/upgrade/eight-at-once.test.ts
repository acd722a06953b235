/**
 * Several upgrades of one database at the same time: one does the work, the others wait for it, look again, and find
 * nothing to do. The lock goes with whoever holds it.
 */
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { HEAD, revisions } from '../../src/schema/lineage.js';
import { finished, mtrack, type Result, start, upgrade, upgradeArgs } from '../support/cli.js';
import { type Server, type TestDatabase, withDatabase } from '../support/databases.js';
import { broken, until } from '../support/kill.js';
import { oldestCopied } from '../support/old-databases.js';
import { differences, type State, stateOf } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';

// Many processes, one after the other, on a machine that may have other things to do.
vi.setConfig({ testTimeout: 300_000 });

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

/** A database to start from, and the end of an upgrade of it that has it to itself. */
interface Start {
  readonly from: TestDatabase;
  readonly alone: State;
}

async function startOf(server: Server, from: TestDatabase, to: string): Promise<Start> {
  return withDatabase(
    () => server.copy(from),
    async (copy) => {
      await upgrade(copy.uri, to);
      return { from, alone: await stateOf(copy) };
    },
  );
}

await forEachDialect('at the same time', (server) => {
  let folder: string;
  const running: ChildProcess[] = [];
  let old: Start;
  let empty: Start;
  beforeAll(async () => {
    old = await startOf(server, await oldestCopied(server), 'head');
    empty = await startOf(server, await server.empty(), 'head');
  });
  afterAll(async () => {
    for (const start of [old, empty]) await start?.from.drop();
  });
  const onCopy = (of: () => Start, use: (database: TestDatabase, alone: State) => Promise<void>) => () =>
    withDatabase(
      () => server.copy(of().from),
      (database) => use(database, of().alone),
    );
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
      start(upgradeArgs(database.uri), broken([{ like: '^(ALTER|CREATE) TABLE', side: 'after', does: 'hold', mark }])),
    );
    const ended = finished(child);
    await until('an upgrade is at work', () => existsSync(mark));
    return { child, ended, goOn: () => writeFileSync(`${mark}.go`, '') };
  }

  const starts = [
    { from: 'an old populated database', of: () => old },
    { from: 'an empty database', of: () => empty },
  ];

  test.each(starts)('eight upgrades of $from: all succeed, and one did the work', async ({ of }) => {
    await onCopy(of, async (database, alone) => {
      // Half of them speak to a program, half to a person.
      const results = await Promise.all(
        EIGHT.map((i) => mtrack(upgradeArgs(database.uri, 'head', ...(i % 2 === 0 ? ['--json'] : [])))),
      );
      expect(results.map(({ code, stderr }) => (code === 0 ? 0 : stderr))).toEqual(EIGHT.map(() => 0));
      const applied = results.map((result, i) => appliedOf(result, i % 2 === 0));
      expect(applied.filter((n) => n !== 0)).toHaveLength(1);
      expect(Math.max(...applied)).toBeGreaterThanOrEqual(revisions.length);
      expect(differences(alone, await stateOf(database))).toEqual([]);
    })();
  });

  test(
    'who comes while another is at work waits, says for whom, looks again and finds nothing to do',
    onCopy(
      () => old,
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
    ),
  );

  test(
    'who has waited long enough ends with a code of its own and names who is at work',
    onCopy(
      () => old,
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
    ),
  );

  test(
    'the lock of an upgrade that was killed goes with it: who waited does the rest',
    onCopy(
      () => old,
      async (database, alone) => {
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
    ),
  );
});
