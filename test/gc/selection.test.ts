/** What goes and what stays, and what is said of it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { SERVERS } from '../support/databases.js';
import { dropTemplates, id, type SmallRun, type SmallStore, withSmallStore } from '../support/gc.js';
import { insertRows } from '../support/rows.js';
import { run } from '../support/state.js';

const DAY = 86_400_000;
const OLD = { deletedAt: 1 };
const onStore = (use: (store: SmallStore) => Promise<void>) => () => withSmallStore(SERVERS.sqlite, use);
const runs = (count: number, more: Omit<SmallRun, 'id'> = OLD, from = 1): SmallRun[] =>
  Array.from({ length: count }, (_, i) => ({ id: id(from + i), ...more }));

afterAll(dropTemplates);

/** Both: they must say the same. */
async function both(store: SmallStore, options: Parameters<SmallStore['collect']>[0] = {}) {
  const dry = await store.look(options);
  const real = await store.collect(options);
  expect(real).toEqual(dry);
  return real;
}

describe('by age', () => {
  test(
    'what was deleted so long ago goes, to the millisecond of the clock of the store',
    onStore(async (store) => {
      const now = Date.now();
      await store.add({ id: id(1), deletedAt: now - 2 * DAY }, { id: id(2), deletedAt: now - DAY / 2 }, { id: id(3) });
      expect((await both(store, { olderThan: DAY })).removed.runs).toEqual([id(1)]);
      expect(await store.runs()).toEqual([id(2), id(3)]);
      expect((await both(store)).removed.runs).toEqual([id(2)]);
      expect((await both(store)).removed.runs).toEqual([]);
    }),
  );

  test(
    'runs without a time of deletion are counted, and go where that is asked for',
    onStore(async (store) => {
      await store.add(...runs(2, { deletedAt: null }), { id: id(9), deletedAt: 1 });
      for (const options of [{}, { olderThan: DAY }]) expect((await store.look(options)).undated).toBe(2);
      expect(await both(store, { olderThan: DAY })).toMatchObject({ removed: { runs: [id(9)] }, undated: 2 });
      const all = await both(store, { olderThan: DAY, undated: 'treat-as-old' });
      expect(all).toMatchObject({ removed: { runs: [id(1), id(2)] }, undated: 0 });
    }),
  );
});

describe('selectors', () => {
  const mixed = async (store: SmallStore) => {
    await store.add(...runs(2), ...runs(2, { ...OLD, experiment: 2 }, 11), ...runs(1, { experiment: 3, ...OLD }, 21), {
      id: id(31),
    });
    await insertRows(store.database, {
      logged_models: ['active', 'deleted'].map((stage, i) => ({
        model_id: `m-${id(i)}`,
        experiment_id: 1,
        name: stage,
        artifact_location: join(store.root, '1', 'models', `m-${id(i)}`, 'artifacts'),
        creation_timestamp_ms: 1,
        last_updated_timestamp_ms: 1,
        status: 2,
        lifecycle_stage: stage,
      })),
      jobs: [0, 2, 3].map((status, i) => ({
        id: `job ${i}`,
        creation_time: 1,
        job_name: 'j',
        params: '{}',
        status,
        retry_count: 0,
        last_update_time: 1,
        workspace: 'default',
      })),
    });
  };

  test(
    'without any, everything in the trash goes, but jobs',
    onStore(async (store) => {
      await mixed(store);
      const { removed } = await both(store);
      expect(removed).toEqual({
        runs: [id(21), id(1), id(2), id(11), id(12)],
        models: [`m-${id(1)}`],
        traces: [],
        experiments: ['3'],
        jobs: [],
      });
    }),
  );

  test(
    '--run-ids takes these runs, and neither experiments nor models',
    onStore(async (store) => {
      await mixed(store);
      const report = await both(store, { runIds: [id(2), id(11), id(31), id(99)] });
      expect(report.removed).toMatchObject({ runs: [id(2), id(11)], experiments: [], models: [], jobs: [] });
      expect(report.kept.map(({ id: each, reason }) => [each, reason])).toEqual([
        [id(31), 'not-deleted'],
        [id(99), 'unknown'],
      ]);
    }),
  );

  test(
    '--experiment-ids and --experiment-name leave what is in others, and together mean what is in both',
    onStore(async (store) => {
      await mixed(store);
      expect((await store.look({ experimentIds: ['2'] })).removed).toMatchObject({
        runs: [id(11), id(12)],
        experiments: [],
        models: [],
      });
      expect((await store.look({ experimentNames: ['experiment 3'] })).removed).toMatchObject({
        runs: [id(21)],
        experiments: ['3'],
      });
      expect(
        (await store.look({ experimentIds: ['1', '2'], experimentNames: ['experiment 1'] })).removed,
      ).toMatchObject({ runs: [id(1), id(2)], models: [`m-${id(1)}`] });
      expect((await store.look({ runIds: [id(1), id(11)], experimentIds: ['2'] })).removed.runs).toEqual([id(11)]);
      const unknown = await store.look({ experimentNames: ['nobody'], experimentIds: ['77'] });
      expect(unknown.removed.runs).toEqual([]);
      expect(unknown.kept.map(({ id: each, reason }) => [each, reason])).toEqual([
        ['nobody', 'unknown'],
        ['77', 'unknown'],
      ]);
    }),
  );

  test(
    '--logged-model-ids takes these models; --jobs adds finished jobs; --job-ids takes these jobs',
    onStore(async (store) => {
      await mixed(store);
      const models = await store.look({ modelIds: [`m-${id(0)}`, `m-${id(1)}`] });
      expect(models.removed).toMatchObject({ runs: [], models: [`m-${id(1)}`], experiments: [] });
      expect(models.kept).toMatchObject([{ id: `m-${id(0)}`, reason: 'not-deleted' }]);
      const jobs = await both(store, { jobIds: ['job 0', 'job 1'] });
      expect(jobs.removed).toMatchObject({ runs: [], jobs: ['job 1'] });
      expect(jobs.kept).toMatchObject([{ id: 'job 0' }]);
      const all = await both(store, { jobs: true });
      expect(all.removed).toMatchObject({ jobs: ['job 2'], experiments: ['3'] });
      expect(all.removed.runs).toHaveLength(5);
    }),
  );
});

describe('experiments', () => {
  test(
    'go with everything in them, also runs that are not deleted, and their artifacts',
    onStore(async (store) => {
      await store.add(
        { id: id(1), experiment: 3, files: { 'a/b': 'x' } },
        { id: id(2), experiment: 3, ...OLD, files: { c: 'yy' } },
      );
      const report = await both(store, { olderThan: DAY });
      expect(report).toMatchObject({
        removed: { runs: [id(1), id(2)], experiments: ['3'] },
        artifacts: { objects: 2, bytes: 3, missing: 0 },
        rows: { experiments: 1, metrics: 2, params: 2, runs: 2, tags: 2 },
      });
      expect(existsSync(join(store.root, '3', id(1)))).toBe(false);
    }),
  );

  test(
    'stay whole while one of their runs was deleted later, or nobody knows when',
    onStore(async (store) => {
      await store.add(
        { id: id(1), experiment: 3 },
        { id: id(2), experiment: 3, deletedAt: Date.now() },
        { id: id(3), experiment: 3, ...OLD },
      );
      const report = await both(store, { olderThan: DAY });
      // What was deleted by itself, and long ago, goes by itself.
      expect(report.removed).toMatchObject({ runs: [id(3)], experiments: [] });
      expect(report.kept).toMatchObject([{ kind: 'experiment', id: '3', reason: 'young' }]);
      await run(store.database, 'UPDATE runs SET deleted_time = NULL');
      expect((await both(store, { olderThan: DAY })).kept).toMatchObject([
        { kind: 'experiment', id: '3', reason: 'undated' },
      ]);
      expect((await both(store, { olderThan: DAY, undated: 'treat-as-old' })).removed).toMatchObject({
        runs: [id(1), id(2)],
        experiments: ['3'],
      });
    }),
  );
});

describe('what is needed', () => {
  const version = (more: Record<string, string | number | null>) => ({
    name: 'm',
    version: 1,
    creation_time: 1,
    last_updated_time: 1,
    current_stage: 'None',
    source: 'somewhere',
    run_id: null,
    storage_location: null,
    workspace: 'default',
    ...more,
  });
  const withVersion = async (store: SmallStore, more: Record<string, string | number | null>) => {
    await store.add(...runs(2));
    await insertRows(store.database, {
      registered_models: [{ name: 'm', creation_time: 1, last_updated_time: 1, workspace: 'default' }],
      model_versions: [version(more)],
    });
  };

  test.each([
    ['by its run', { run_id: id(1) }],
    ['by its source', { source: `/x/1/${id(1)}/artifacts/model` }],
    ['by its source in a run', { source: `runs:/${id(1)}/model` }],
    ['by where it is stored', { storage_location: `s3://bucket/1/${id(1)}/artifacts/model` }],
  ])('a run that a registered version names %s is kept, and named, but by force', (_, more) =>
    withSmallStore(SERVERS.sqlite, async (store) => {
      await withVersion(store, more);
      await insertRows(store.database, {
        registered_model_aliases: [{ name: 'm', version: 1, alias: 'champion', workspace: 'default' }],
      });
      const report = await both(store);
      expect(report.removed.runs).toEqual([id(2)]);
      expect(report.kept).toEqual([
        { kind: 'run', id: id(1), reason: 'needed', because: 'version 1 of the registered model "m" (alias champion)' },
      ]);
      expect((await both(store, { force: true })).removed.runs).toEqual([id(1)]);
    }),
  );

  test(
    'a version that was deleted needs nothing',
    onStore(async (store) => {
      await withVersion(store, { run_id: id(1), current_stage: 'Deleted_Internal' });
      expect((await both(store)).removed.runs).toEqual([id(1), id(2)]);
    }),
  );

  test(
    'a logged model that lives keeps its run, and an experiment from going; one in the same experiment goes with it',
    onStore(async (store) => {
      const model = (n: number, experiment: number, source: string) => ({
        model_id: `m-${id(n)}`,
        experiment_id: experiment,
        name: `model ${n}`,
        artifact_location: join(store.root, String(experiment), 'models', `m-${id(n)}`, 'artifacts'),
        creation_timestamp_ms: 1,
        last_updated_timestamp_ms: 1,
        status: 2,
        lifecycle_stage: 'active',
        source_run_id: source,
      });
      await store.add({ id: id(1), ...OLD }, { id: id(2), experiment: 3, ...OLD });
      await insertRows(store.database, { logged_models: [model(1, 1, id(1)), model(2, 3, id(2)), model(3, 2, id(2))] });
      const kept = await both(store);
      expect(kept.removed).toMatchObject({ runs: [], experiments: [], models: [] });
      expect(kept.kept.map(({ kind, id: each }) => [kind, each])).toEqual([
        ['experiment', '3'],
        ['run', id(1)],
        ['run', id(2)],
      ]);
      await run(store.database, `DELETE FROM logged_models WHERE model_id = 'm-${id(3)}'`);
      expect((await both(store)).removed).toMatchObject({ runs: [id(2)], experiments: ['3'], models: [`m-${id(2)}`] });
    }),
  );
});

describe('nested runs', () => {
  const family = (store: SmallStore) =>
    store.add({ id: id(1), ...OLD }, { id: id(2), parent: id(1) }, { id: id(3), parent: id(2) }, { id: id(4) });

  test(
    'stay, unless they are deleted themselves',
    onStore(async (store) => {
      await family(store);
      expect((await both(store)).removed.runs).toEqual([id(1)]);
      expect(await store.runs()).toEqual([id(2), id(3), id(4)]);
    }),
  );

  test(
    'go with their parent where that is asked for, at any depth',
    onStore(async (store) => {
      await family(store);
      expect((await both(store, { children: 'with-parent' })).removed.runs).toEqual([id(1), id(2), id(3)]);
      expect(await store.runs()).toEqual([id(4)]);
    }),
  );
});

describe('limits', () => {
  test(
    '--max-runs stops after so many, and the next one goes on',
    onStore(async (store) => {
      await store.add(...runs(5));
      const first = await both(store, { maxRuns: 2 });
      expect(first).toMatchObject({ removed: { runs: [id(1), id(2)] }, stopped: 'max-runs' });
      expect(await both(store, { maxRuns: 3 })).toMatchObject({ removed: { runs: [id(3), id(4), id(5)] } });
    }),
  );

  test(
    '--max-duration and a signal stop before the next thing is begun',
    onStore(async (store) => {
      await store.add(...runs(3));
      expect(await store.collect({ maxDuration: -1 })).toMatchObject({
        removed: { runs: [] },
        stopped: 'max-duration',
      });
      expect(await store.collect({ signal: AbortSignal.abort() })).toMatchObject({
        removed: { runs: [] },
        stopped: 'signal',
      });
      expect(await store.runs()).toHaveLength(3);
    }),
  );
});
