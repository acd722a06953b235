/**
 * SIGKILL before and after every statement of an upgrade: whatever was done by then, the next run ends with the same
 * schema and the same rows as a run that nothing disturbed, and in between the status can be asked.
 *
 * `npm run test:kill` breaks every statement of every start on every dialect, which takes hours (MTRACK_SHARD=1/5 a fifth). A
 * normal test run takes a sample of every kind.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { revisions } from '../../src/schema/lineage.js';
import { mtrack } from '../support/cli.js';
import type { Server, TestDatabase } from '../support/databases.js';
import { AT_ONCE, EVERYTHING, HOURS, sample, share } from '../support/extent.js';
import { broken, type Counted, type Fault, inParallel, random, upgradeArgs } from '../support/kill.js';
import { LATE, late, oldest } from '../support/old-databases.js';
import { differences, stateOf, upgradeTo } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';
import {
  everywhere,
  hereAndThere,
  SIDES,
  said,
  stackIn,
  type Undisturbed,
  undisturbed,
} from '../support/undisturbed.js';

const SEED = Number(process.env.SEED ?? 1);

/** Of the file and of all that lies beside it; null for a database that is not a file. */
function filesOf(server: Server, { name }: TestDatabase): string | null {
  if (server.dialect !== 'sqlite') return null;
  const folder = dirname(name);
  return readdirSync(folder)
    .sort()
    .map(
      (file) =>
        `${file} ${createHash('sha256')
          .update(readFileSync(join(folder, file)))
          .digest('hex')}`,
    )
    .join('\n');
}

/** At the head, older, or part-way: what a database is on its way. */
const ON_ITS_WAY = [0, 10, 11];

async function asksStatus(server: Server, database: TestDatabase): Promise<string[]> {
  const before = filesOf(server, database);
  const { code, stdout, stderr } = await mtrack(['db', 'status', database.uri]);
  return [
    ...(ON_ITS_WAY.includes(code ?? -1) ? [] : [`db status ended with ${code}: ${stdout}${stderr}`]),
    ...stackIn(stderr),
    ...(filesOf(server, database) === before ? [] : ['db status changed the file, or what lies beside it']),
  ];
}

const kill = (at: number, side: Fault['side']): Fault => ({ at, side, does: 'kill' });

/** Runs to be cut off, one after the other, on one copy; then a whole one. @returns what is wrong at the end */
async function killed(server: Server, run: Undisturbed, faults: readonly Fault[]): Promise<string[]> {
  const copy = await server.copy(run.from);
  const wrong: string[] = [];
  try {
    for (const fault of faults) {
      const { signal, code, stderr } = await mtrack(upgradeArgs(copy.uri, run.to), broken([fault]));
      // A second run has fewer statements, and may have reached its end.
      const reached = signal === 'SIGKILL';
      if (!reached && (fault === faults[0] || code !== 0))
        wrong.push(`was not killed, but ended with ${code}: ${stderr}`);
      wrong.push(...(await asksStatus(server, copy)));
    }
    const again = await mtrack(upgradeArgs(copy.uri, run.to), broken([]));
    if (again.code !== 0) wrong.push(`the next run ended with ${again.code}: ${again.stderr.slice(-1500)}`);
    else wrong.push(...differences(run.end, await stateOf(copy)));
  } finally {
    await copy.drop();
  }
  return wrong.map((each) => `${faults.map((fault) => said(fault, run)).join(' then ')}\n  ${each}`);
}

/** Each of the cases ends well, however it is reached. */
async function holds(server: Server, run: Undisturbed, cases: readonly (readonly Fault[])[]): Promise<void> {
  const started = Date.now();
  let [done, bad] = [0, 0];
  const wrong = await inParallel(cases, AT_ONCE, async (faults) => {
    const found = await killed(server, run, faults);
    if (found.length > 0) bad++;
    if (EVERYTHING && (++done % 50 === 0 || done === cases.length)) {
      const minutes = ((Date.now() - started) / 60_000).toFixed(1);
      console.info(`${server.dialect}: ${done} of ${cases.length} cases in ${minutes} min, ${bad} wrong`);
    }
    return found;
  });
  expect(wrong.flat(), `${cases.length} cases`).toEqual([]);
}

await forEachDialect('killed', (server) => {
  const made: TestDatabase[] = [];
  const keep = async (database: Promise<TestDatabase>) => {
    made.push(await database);
    return database;
  };
  afterAll(async () => {
    for (const database of made) await database.drop();
  });

  describe('an old populated database, to the head', () => {
    const starts = [
      { from: 'MLflow 0.9', make: () => oldest(server), sample: { sqlite: 6, postgresql: 3, mysql: 3 } },
      { from: 'MLflow 1.30.1', make: () => server.load('1.30.1'), sample: { sqlite: 2, postgresql: 0, mysql: 0 } },
      { from: 'MLflow 3.0.1', make: () => server.load('3.0.1'), sample: { sqlite: 2, postgresql: 0, mysql: 0 } },
      { from: 'a full MLflow 3.17', make: () => late(server), sample: { sqlite: 3, postgresql: 2, mysql: 2 } },
    ];

    test.each(starts.filter(({ sample }) => EVERYTHING || sample[server.dialect] > 0))(
      'from $from, SIGKILL at a statement, then once more',
      { timeout: HOURS },
      async ({ make, sample }) => {
        const run = await undisturbed(server, await keep(make()));
        await holds(
          server,
          run,
          (EVERYTHING ? everywhere(server, run, 'kill') : hereAndThere(run, sample[server.dialect], 'kill')).map(
            (fault) => [fault],
          ),
        );
      },
    );

    test('SIGKILL also in the run that was to finish it', { timeout: HOURS }, async () => {
      const run = await undisturbed(server, await keep(oldest(server)));
      const next = random(SEED);
      const n = () => 1 + Math.floor(next() * run.statements.length);
      const side = () => SIDES[Math.floor(next() * SIDES.length)] ?? 'after';
      const cases = Array.from({ length: EVERYTHING ? 60 : 1 }, () => [
        kill(n(), side()),
        // Of what is left: early, so that it is reached.
        kill(1 + Math.floor((n() - 1) / 4), side()),
      ]);
      await holds(server, run, cases);
    });
  });

  if (server.dialect === 'mysql') {
    // Each statement commits by itself here: these revisions have the most states in between.
    describe.each([
      { revision: 'c48cb773bb87', after: null, make: () => oldest(server) },
      { revision: '89d4b8295536', after: '7ac759974ad8', make: () => oldest(server) },
      { revision: 'cfd24bdc0731', after: '2b4d017a5e9b', make: () => oldest(server) },
      { revision: '1b5f0d9ad7c1', after: 'c8d9e0f1a2b3', make: () => server.load('3.0.1') },
      { revision: '75868b020152', after: LATE, make: () => late(server) },
      { revision: '8b6ad64cb8f5', after: 'e7d1f4b2a9c6', make: () => late(server) },
    ])('statements up to $revision', ({ revision, after, make }) => {
      let run: Undisturbed;
      beforeAll(async () => {
        const database = await keep(make());
        if (after) await upgradeTo(database, after);
        run = await undisturbed(server, database, revision);
      });

      test('SIGKILL, then once more', { timeout: HOURS }, async () => {
        const faults = EVERYTHING ? everywhere(server, run, 'kill') : hereAndThere(run, 2, 'kill');
        await holds(
          server,
          run,
          faults.map((fault) => [fault]),
        );
      });
    });
  }

  // Where an upgrade is one transaction, a killed one has left nothing.
  describe.skipIf(server.dialect === 'sqlite')('then only as far as a revision', () => {
    let from: TestDatabase;
    let statements: readonly Counted[];
    beforeAll(async () => {
      from = await keep(oldest(server));
      statements = (await undisturbed(server, from)).statements;
    });

    // Changes of metrics are put together over these revisions (src/upgrade/fuse.ts).
    test.each(sample(['451aebb31d03', '181f10493468', '39d1c3be5f05', 'c48cb773bb87'], 2))(
      '%s is as if nothing had been, although the run that was killed was on its way to the head',
      { timeout: HOURS },
      async (target) => {
        const { end } = await undisturbed(server, from, target);
        const until = revisions.findIndex(({ id }) => id === target);
        const reachable = new Set(revisions.slice(0, until + 1).map(({ id }) => id));
        const before = statements.filter(({ revision }) => revision !== null && reachable.has(revision));
        const stride = Math.ceil(before.length / 2);
        const chosen = EVERYTHING ? share(before) : before.filter((_, i) => i % stride === 1 % stride);
        const wrong = await inParallel(chosen, AT_ONCE, async (statement) => {
          const database = await server.copy(from);
          try {
            await mtrack(upgradeArgs(database.uri), broken([kill(statement.n, 'after')]));
            const { code, stderr } = await mtrack(upgradeArgs(database.uri, target));
            const title = `after ${statement.n} ${statement.sql.slice(0, 80)}`;
            // What was done of later revisions is not undone: it says so, and how far the target must be at least.
            if (code === 11 && /name \w{12} or a later target/.test(stderr)) return [];
            if (code !== 0) return [`${title}: ended with ${code}: ${stderr}`];
            const wrong = differences(end, await stateOf(database));
            const on = await mtrack(upgradeArgs(database.uri));
            if (on.code !== 0) wrong.push(`and from there to the head: ${on.stderr}`);
            return wrong.map((each) => `${title}: ${each}`);
          } finally {
            await database.drop();
          }
        });
        expect(wrong.flat()).toEqual([]);
      },
    );
  });
});
