/**
 * A collection that is killed, at whatever instant, and run again ends where one that was not disturbed does; and at no
 * moment is a run there in part. `npm run test:kill` kills on every side of every statement, and of every change of a file store.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { mtrack, type RunOptions } from '../support/cli.js';
import type { Server, TestDatabase } from '../support/databases.js';
import { AT_ONCE, EVERYTHING, HOURS, sample, share } from '../support/extent.js';
import { dropTemplates, filesIn, id, type SmallStore, withFileFixture, withSmallStore } from '../support/gc.js';
import { broken, inParallel } from '../support/kill.js';
import { insertRows } from '../support/rows.js';
import { query, stateOf } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';

const SAMPLED = 5;
const SIDES = ['before', 'sent', 'after'] as const;

const collect = (uri: string, options: RunOptions = {}) =>
  mtrack(['gc', uri, '--older-than', '30d', '--yes', '--json'], options);

/** Of so many steps: on every side of each; in a normal run some, on changing sides, the first and the last among them. */
function cases<Side>(steps: number, sides: readonly [Side, ...Side[]]): { at: number; side: Side }[] {
  const all = Array.from({ length: steps }, (_, i) => i + 1);
  if (EVERYTHING) return share(all.flatMap((at) => sides.map((side) => ({ at, side }))));
  return sample(all, SAMPLED).map((at) => ({ at, side: sides[at % sides.length] ?? sides[0] }));
}

await forEachDialect('a killed gc', (server) => {
  afterAll(dropTemplates);

  test('goes on from where it was, and leaves no run in part', { timeout: HOURS }, () =>
    withSmallStore(server, async (store) => {
      await fill(store);
      const undisturbed = await onCopy(server, store, async (copy, folder) => {
        const log = join(folder, 'log');
        const result = await collect(copy.uri, broken([], { MTRACK_FAULT_LOG: log }));
        expect(result.code, result.stderr).toBe(0);
        return { end: await endOf(copy, folder), statements: readFileSync(log, 'utf8').trimEnd().split('\n').length };
      });
      await inParallel(cases(undisturbed.statements, SIDES), AT_ONCE, ({ at, side }) =>
        onCopy(server, store, async (copy, folder) => {
          const killed = await collect(copy.uri, broken([{ at, side, does: 'kill' }]));
          expect(killed.signal, `${at} ${side}: ${killed.stderr}`).toBe('SIGKILL');
          await expectWholeRuns(copy, folder);
          const again = await collect(copy.uri);
          expect(again.code, again.stderr).toBe(0);
          expect(await endOf(copy, folder), `killed ${side} statement ${at}`).toEqual(undisturbed.end);
        }),
      );
    }),
  );
});

describe('a killed gc of a file store', () => {
  const PRELOAD = pathToFileURL(join(import.meta.dirname, '../support/fault-files-preload.ts')).href;
  const faulty = (env: NodeJS.ProcessEnv): RunOptions => ({ node: ['--import', PRELOAD], env });
  const treeIn = (folder: string) => filesIn(folder).map((path) => path.slice(folder.length));

  test('goes on from where it was, and leaves no run in part', { timeout: HOURS }, () =>
    withFileFixture('3.17.2', async (fixture) => {
      const runs = Object.keys(fixture.expected.runs).slice(0, 12);
      await fixture.trash(runs, 1);
      const onTree = async <T>(use: (root: string, folder: string) => Promise<T>): Promise<T> => {
        const folder = mkdtempSync(join(tmpdir(), 'mtrack-gc-'));
        try {
          cpSync(fixture.folder, folder, { recursive: true });
          for (const path of filesIn(folder)) {
            const text = readFileSync(path, 'utf8');
            if (text.includes(fixture.folder)) writeFileSync(path, text.replaceAll(fixture.folder, folder));
          }
          return await use(join(folder, 'mlruns'), folder);
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      };
      const args = (root: string) => ['gc', root, '--older-than', '30d', '--force', '--yes', '--json'];
      const undisturbed = await onTree(async (root, folder) => {
        const log = join(folder, 'log');
        const result = await mtrack(args(root), faulty({ MTRACK_FILE_LOG: log }));
        expect(result.code, result.stderr).toBe(0);
        const changes = readFileSync(log, 'utf8').trimEnd().split('\n').length;
        rmSync(log);
        return { end: treeIn(folder), changes };
      });
      expect(undisturbed.changes).toBeGreaterThan(30);
      await inParallel(cases(undisturbed.changes, ['before', 'during', 'after'] as const), AT_ONCE, ({ at, side }) =>
        onTree(async (root, folder) => {
          const before = new Map(runs.map((run) => [run, recordOf(root, run)]));
          const killed = await mtrack(args(root), faulty({ MTRACK_FILE_FAULT: `${at}:${side}` }));
          expect(killed.signal, killed.stderr).toBe('SIGKILL');
          for (const run of runs) {
            const now = recordOf(root, run);
            if (now.length > 0) expect(now, `${run} killed ${side} change ${at}`).toEqual(before.get(run));
          }
          const again = await mtrack(args(root));
          expect(again.code, again.stderr).toBe(0);
          expect(treeIn(folder), `killed ${side} change ${at}`).toEqual(undisturbed.end);
        }),
      );
    }),
  );

  /** Files of a run, but for its artifacts, which go first. */
  function recordOf(root: string, run: string): string[] {
    return filesIn(root).filter((path) => path.includes(`/${run}/`) && !/\/artifacts\/|\.mtrack-gc/.test(path));
  }
});

async function fill(store: SmallStore): Promise<void> {
  const runs = (from: number, count: number, experiment: number, more: object) =>
    Array.from({ length: count }, (_, i) => ({ id: id(from + i), experiment, files: { file: 'x' }, ...more }));
  await store.add(
    ...runs(1, 130, 1, { deletedAt: 1 }),
    ...runs(201, 5, 1, {}),
    ...runs(301, 10, 3, {}),
    ...runs(401, 10, 2, { deletedAt: 1 }),
  );
  await insertRows(store.database, {
    trace_info: [1, 2].map((n) => ({
      request_id: `tr-${id(n)}`,
      experiment_id: 3,
      timestamp_ms: 1,
      execution_time_ms: 1,
      status: 'OK',
    })),
    trace_tags: [1, 2].map((n) => ({ request_id: `tr-${id(n)}`, key: 'k', value: 'v' })),
    experiment_tags: [{ experiment_id: 3, key: 'k', value: 'v' }],
  });
}

/** A copy of database and artifacts, in which the database names those of the copy. */
async function onCopy<T>(
  server: Server,
  store: SmallStore,
  use: (copy: TestDatabase, folder: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'mtrack-gc-'));
  const copy = await server.copy(store.database);
  try {
    cpSync(store.root, folder, { recursive: true });
    const moved = (column: string) => `${column} = REPLACE(${column}, '${store.root}', '${folder}')`;
    await server.runScript(
      copy,
      `UPDATE runs SET ${moved('artifact_uri')};\nUPDATE experiments SET ${moved('artifact_location')};`,
    );
    return await use(copy, folder);
  } finally {
    await copy.drop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function endOf(copy: TestDatabase, folder: string): Promise<unknown> {
  const { rows } = await stateOf(copy);
  const files = filesIn(folder).filter((path) => !path.endsWith('/log'));
  return JSON.parse(JSON.stringify({ rows, files }).replaceAll(folder, 'FOLDER'));
}

async function expectWholeRuns(copy: TestDatabase, folder: string): Promise<void> {
  const rows = await query<{ id: string; n: number | string }>(
    copy,
    `SELECT run_uuid AS id, COUNT(*) AS n FROM (
       SELECT run_uuid FROM runs UNION ALL SELECT run_uuid FROM metrics UNION ALL SELECT run_uuid FROM params UNION ALL SELECT run_uuid FROM tags
     ) t GROUP BY run_uuid`,
  );
  expect(rows.filter(({ n }) => Number(n) !== 4)).toEqual([]);
  const there = new Set(rows.map((row) => row.id));
  const left = filesIn(folder).flatMap((path) => /\/([\da-f]{32})\/artifacts\//.exec(path)?.[1] ?? []);
  expect(left.filter((run) => !there.has(run))).toEqual([]);
  expect(existsSync(folder)).toBe(true);
}
