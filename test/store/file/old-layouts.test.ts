/**
 * File stores of releases before 1.30, which MLflow 3.17.2 reads in part or not at all: they are read as those releases read
 * them, can be written to, and can be read by MLflow from then on.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openFileStore } from '../../../src/store/file/index.js';
import { disk, experimentsIn, isTrashed, runsIn, strictly } from '../../../src/store/file/reader.js';
import { type Call, Oracle } from '../../support/oracle.js';

const FIXTURES = resolve(import.meta.dirname, '../../fixtures/old-filestores');
const RELEASES = ['0.8.2', '0.9.1', '1.0.0', '1.8.0', '1.20.2'];

interface Expected {
  readonly experiments: readonly Readonly<Record<string, unknown>>[];
  readonly runs: Readonly<Record<string, ExpectedRun>>;
}
interface ExpectedRun {
  readonly info: Readonly<Record<string, unknown>>;
  readonly params: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly metric_history: Readonly<Record<string, readonly (readonly [number | null, number, number | string])[]>>;
}

const folder = mkdtempSync(join(tmpdir(), 'mtrack-test-'));
let oracle: Oracle;
beforeAll(() => {
  oracle = new Oracle();
});
afterAll(async () => {
  await oracle[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const spelt = (value: number) => (Number.isFinite(value) ? value : String(value));
const dictionary = (pairs: readonly { key: string; value: string }[]) =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, value]));

describe.each(RELEASES)('of MLflow %s', (release) => {
  const root = join(mkdtempSync(join(folder, `${release}-`)), 'mlruns');
  execFileSync('tar', ['-xzf', join(FIXTURES, `${release}.tar.gz`), '-C', resolve(root, '..')]);
  const expected = JSON.parse(
    gunzipSync(readFileSync(join(FIXTURES, `${release}.json.gz`))).toString('utf8'),
  ) as Expected;

  test('is read as that release reads it', async () => {
    const store = await openFileStore(root, {
      warn: (fault) => {
        throw new Error(JSON.stringify(fault));
      },
    });
    const { items } = await store.experiments.search({ view_type: 'ALL' });
    const found = new Map(items.map((each) => [each.experiment_id, each]));
    for (const { creation_time, last_update_time, ...experiment } of expected.experiments) {
      const each = found.get(String(experiment.experiment_id));
      expect(each && { ...each, tags: dictionary(each.tags) }).toMatchObject(experiment);
      expect([each?.creation_time, each?.last_update_time]).toEqual([undefined, undefined]);
    }
    // The first releases do not list the deleted.
    const deleted = items.filter(({ lifecycle_stage }) => lifecycle_stage === 'deleted');
    expect(deleted.map(({ name }) => name)).toEqual(['gone']);
    expect(existsSync(join(root, '.trash', deleted[0]?.experiment_id ?? ''))).toBe(true);
    for (const [id, run] of Object.entries(expected.runs)) {
      const { info, data } = await store.runs.get(id);
      expect(info).toEqual({
        run_id: id,
        run_name: run.tags['mlflow.runName'],
        experiment_id: run.info.experiment_id,
        user_id: run.info.user_id,
        status: run.info.status,
        start_time: run.info.start_time,
        end_time: run.info.end_time ?? undefined,
        artifact_uri: run.info.artifact_uri,
        lifecycle_stage: run.info.lifecycle_stage,
      });
      expect([dictionary(data.params), dictionary(data.tags)]).toEqual([run.params, run.tags]);
      expect(data.metrics.map(({ key }) => key)).toEqual(Object.keys(run.metric_history).sort());
      for (const [key, points] of Object.entries(run.metric_history)) {
        const history = (await store.metrics.history(id, key)).items;
        const ours = history.map(({ step, timestamp, value }) => [step, timestamp, spelt(value)]);
        expect(ours.sort()).toEqual(points.map(([step, ...rest]) => [step ?? 0, ...rest]).sort());
      }
    }
    const all = await store.runs.search({
      experiment_ids: items.map((each) => each.experiment_id),
      run_view_type: 'ALL',
    });
    expect(all.items.map(({ info }) => info.run_id)).toEqual(expect.arrayContaining(Object.keys(expected.runs)));
    expect(all.items).toHaveLength(5);
    const named = await store.runs.search({ experiment_ids: ['1'], filter: "attributes.run_name = 'first'" });
    expect(named.items).toHaveLength(1);
    await store.close();
  });

  test('keeps what only it knows where a reader looks for it', () => {
    const runs = [...experimentsIn(disk, root, strictly)].flatMap((each) => [...runsIn(disk, each.folder, strictly)]);
    for (const { info, meta } of runs) {
      const before = expected.runs[info.run_id]?.info;
      if (before === undefined) continue;
      for (const name of ['source_type', 'source_name', 'entry_point_name', 'source_version']) {
        if (name in before) expect(meta[name]).toBe(before[name]);
      }
    }
    const trashed = [...experimentsIn(disk, root, strictly)].filter((each) => isTrashed(each.folder));
    expect(trashed.map(({ experiment }) => experiment.lifecycle_stage)).toEqual(['deleted']);
  });

  test('is written to, and read by MLflow 3.17.2 then', async () => {
    const store = await openFileStore(root);
    const ids = Object.keys(expected.runs).filter((id) => expected.runs[id]?.info.lifecycle_stage === 'active');
    for (const id of ids) {
      await store.runs.logBatch(id, {
        metrics: [{ key: 'loss', value: 7, timestamp: 8, step: 9 }],
        params: [{ key: 'lr', value: '0.1' }],
        tags: [{ key: 't', value: 'y' }],
      });
      await store.runs.update(id, { status: 'KILLED', end_time: 1_600_000_000_000 });
    }
    await store.experiments.rename('1', 'named anew');
    const calls = ids.map((id): Call => ['runs.get', [id]]);
    const told = await oracle.script(root, root, Date.now(), [...calls, ['experiments.get', ['1']]]);
    expect(told.filter((answer) => 'error' in answer)).toEqual([]);
    for (const [at, id] of ids.entries()) {
      const theirs = told[at] as { result: { info: object; data: { metrics: { key: string; value: number }[] } } };
      expect(theirs.result.info).toMatchObject({ run_id: id, status: 'KILLED', end_time: 1_600_000_000_000 });
      expect(theirs.result.info).toEqual((await store.runs.get(id)).info);
      expect(theirs.result.data.metrics).toContainEqual(expect.objectContaining({ key: 'loss', value: 7, step: 9 }));
    }
    expect(told.at(-1)).toMatchObject({ result: { name: 'named anew', lifecycle_stage: 'active' } });
    await store.close();
  });
});
