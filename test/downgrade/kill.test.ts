/**
 * SIGKILL at statements of a downgrade: the next run reaches the same schema and rows as one that nothing disturbed, and the
 * side files of both together hold all that went. `npm run test:kill` takes every statement (MTRACK_TESTS=all).
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HEAD } from '../../src/schema/lineage.js';
import { mtrack } from '../support/cli.js';
import type { Server, TestDatabase } from '../support/databases.js';
import { AT_ONCE, EVERYTHING, HOURS, share } from '../support/extent.js';
import { releases } from '../support/fixtures.js';
import { broken, type Fault, inParallel, upgradeArgs } from '../support/kill.js';
import { differences, run, type State, stateOf, upgradeTo } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';
import { inTemporaryFolder } from '../support/temporary.js';

/** MLflow 2.9: forty revisions back, of which 75868b020152 moves rows. */
const TARGET = 'acf3f17fdcc7';
const SAMPLE = { sqlite: 2, postgresql: 4, mysql: 6 } as const;

interface Answer {
  readonly hash?: string;
  readonly applied?: readonly string[];
  readonly error?: { readonly code: string; readonly details?: { readonly finish?: string } };
}

async function planned(uri: string, to: string): Promise<Answer> {
  const { stdout } = await mtrack(['db', 'downgrade', uri, '--to', to, '--dry-run', '--json']);
  return JSON.parse(stdout) as Answer;
}

async function args(uri: string, to: string, sideFile: string): Promise<string[]> {
  const plan = await planned(uri, to);
  if (plan.hash === undefined && plan.applied === undefined) throw new Error(`no plan: ${JSON.stringify(plan)}`);
  const loss = plan.hash === undefined ? [] : ['--accept-loss', plan.hash];
  return ['db', 'downgrade', uri, '--to', to, '--yes', ...loss, '--side-file', sideFile];
}

interface Whole {
  readonly start: TestDatabase;
  readonly before: State;
  readonly end: State;
  readonly statements: number;
}

async function undisturbed(server: Server): Promise<Whole> {
  const start = await server.load(releases(server.dialect).at(-1) ?? '');
  await upgradeTo(start, HEAD);
  await run(start, 'UPDATE jobs SET status = 5 WHERE status IN (0, 1)');
  const copy = await server.copy(start);
  try {
    return await inTemporaryFolder(async (folder) => {
      const log = join(folder, 'log');
      const result = await mtrack(
        await args(copy.uri, TARGET, join(folder, 'side.jsonl')),
        broken([], { MTRACK_FAULT_LOG: log }),
      );
      if (result.code !== 0) throw new Error(`an undisturbed downgrade failed: ${result.stderr}`);
      const statements = readFileSync(log, 'utf8').trimEnd().split('\n').length;
      return { start, before: await stateOf(start), end: await stateOf(copy), statements };
    });
  } finally {
    await copy.drop();
  }
}

/** @returns what is wrong at the end */
async function killed(server: Server, { start, before, end }: Whole, fault: Fault): Promise<string[]> {
  const copy = await server.copy(start);
  try {
    return await inTemporaryFolder(async (folder) => {
      const files = ['first', 'finish', 'rest'].map((name) => join(folder, `${name}.jsonl`));
      const [one = '', two = '', three = ''] = files;
      const first = await mtrack(await args(copy.uri, TARGET, one), broken([fault]));
      if (first.signal !== 'SIGKILL') return [`was not killed, but ended with ${first.code}: ${first.stderr}`];
      // Inside a revision it says how far to go first.
      const finish = (await planned(copy.uri, TARGET)).error?.details?.finish;
      if (finish !== undefined) {
        const finished = await mtrack(await args(copy.uri, finish, two));
        if (finished.code !== 0) return [`the run to ${finish} ended with ${finished.code}: ${finished.stderr}`];
      }
      const again = await mtrack(await args(copy.uri, TARGET, three));
      if (again.code !== 0) return [`the next run ended with ${again.code}: ${again.stderr.slice(-1500)}`];
      const wrong = differences(end, await stateOf(copy));
      const restore = files.filter((file) => existsSync(file)).flatMap((file) => ['--restore-side-file', file]);
      const forth = await mtrack(upgradeArgs(copy.uri, 'head', ...restore));
      if (forth.code !== 0) return [...wrong, `the way forth ended with ${forth.code}: ${forth.stderr.slice(0, 3000)}`];
      const after = await stateOf(copy);
      return [...wrong, ...differences({ ...before, schema: after.schema }, after)];
    });
  } finally {
    await copy.drop();
  }
}

await forEachDialect('a downgrade that is killed', (server) => {
  test('goes on, and loses nothing', { timeout: HOURS }, async () => {
    const whole = await undisturbed(server);
    try {
      const sides = ['before', 'after'] as const;
      const every = Array.from({ length: whole.statements }, (_, i) => i + 1).flatMap((at) =>
        sides.map((side): Fault => ({ at, side, does: 'kill' })),
      );
      const stride = Math.ceil(every.length / SAMPLE[server.dialect]);
      const cases = EVERYTHING ? share(every) : every.filter((_, i) => i % stride === Math.floor(stride / 2));
      const wrong = await inParallel(cases, AT_ONCE, async (fault) =>
        (await killed(server, whole, fault)).map((each) => `${fault.side} ${fault.at} of ${whole.statements}: ${each}`),
      );
      expect(wrong.flat(), `${cases.length} cases`).toEqual([]);
    } finally {
      await whole.start.drop();
    }
  });
});
