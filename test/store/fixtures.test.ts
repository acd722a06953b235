/** Databases that MLflow releases wrote, upgraded: the store reads of them what MLflow 3.17.2 reads. */
import { expect, test } from 'vitest';
import { HEAD } from '../../src/schema/lineage.js';
import type { KeyValue, Metric, Run } from '../../src/store/records.js';
import type { Store } from '../../src/store/store.js';
import { expectedAfterUpgrade, releases } from '../support/fixtures.js';
import { upgradeTo } from '../support/state.js';
import { databaseStore, forEachDatabaseStore } from './implementations.js';

/** As much as is compared here of what fixtures/make/read_expected.py writes. */
interface Expected {
  readonly experiments: readonly object[];
  readonly experiments_default_order: readonly string[];
  readonly runs_default_order: Readonly<Record<string, readonly string[]>>;
  readonly runs: Readonly<Record<string, ExpectedRun>>;
}
interface ExpectedRun {
  readonly info: object;
  readonly params: object;
  readonly tags: object;
  readonly latest_metrics: readonly object[];
  readonly metric_history: Readonly<Record<string, unknown>>;
  readonly inputs: object;
  readonly outputs: object;
}

const byText = <Item>(items: readonly Item[]): Item[] =>
  [...items].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
const number = (value: number) => (Number.isNaN(value) ? 'NaN' : value);
const pairs = (list: readonly KeyValue[]) => Object.fromEntries(list.map(({ key, value }) => [key, value]));
const orNull = (record: object, ...names: string[]) => ({
  ...Object.fromEntries(names.map((name) => [name, null])),
  ...plain(record),
});
const plain = (record: object) => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
const point = ({ step, timestamp, value }: Metric) => [step, timestamp, number(value)];
const byPoint = (points: readonly (readonly unknown[])[]) =>
  [...points].sort((a, b) => {
    const at = a.findIndex((each, index) => each !== b[index]);
    const [one, other] = [a[at], b[at]];
    if (typeof one !== typeof other) return typeof one === 'number' ? -1 : 1;
    return (one as number) < (other as number) ? -1 : 1;
  });

async function readRun({ metrics }: Store, { info, data, inputs, outputs }: Run): Promise<ExpectedRun> {
  const histories: Record<string, unknown> = {};
  for (const { key } of data.metrics) {
    histories[key] = byPoint((await metrics.history(info.run_id, key)).items.map(point));
  }
  return {
    info: orNull(info, 'run_name', 'start_time', 'end_time'),
    params: pairs(data.params),
    tags: pairs(data.tags),
    latest_metrics: byText(data.metrics.map((metric) => ({ ...plain(metric), value: number(metric.value) }))),
    metric_history: histories,
    inputs: {
      dataset_inputs: byText(
        inputs.dataset_inputs.map(({ dataset, tags }) => ({
          dataset: orNull(dataset, 'schema', 'profile'),
          tags: pairs(tags),
        })),
      ),
      model_inputs: byText(inputs.model_inputs),
    },
    outputs: { model_outputs: byText(outputs.model_outputs) },
  };
}

async function read(store: Store): Promise<Expected> {
  const { items } = await store.experiments.search({ view_type: 'ALL' });
  const order: Record<string, readonly string[]> = {};
  const runs: Record<string, ExpectedRun> = {};
  for (const { experiment_id } of items) {
    const page = await store.runs.search({ experiment_ids: [experiment_id], run_view_type: 'ALL' });
    order[experiment_id] = page.items.map(({ info }) => info.run_id);
    for (const { info } of page.items) runs[info.run_id] = await readRun(store, await store.runs.get(info.run_id));
  }
  return {
    experiments: items
      .toSorted((a, b) => (a.experiment_id < b.experiment_id ? -1 : 1))
      .map((each) => ({ ...orNull(each, 'creation_time', 'last_update_time'), tags: pairs(each.tags) })),
    experiments_default_order: items.map(({ experiment_id }) => experiment_id),
    runs_default_order: order,
    runs,
  };
}

/** Of what MLflow read, as much as `read` gives, lists in one order. */
function comparable({ experiments, experiments_default_order, runs_default_order, runs }: Expected): Expected {
  const canonical = (value: unknown): unknown => {
    if (Array.isArray(value)) return byText(value.map(canonical));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, each]) => [key, canonical(each)]),
    );
  };
  return {
    experiments,
    experiments_default_order,
    runs_default_order,
    runs: Object.fromEntries(
      Object.entries(runs).map(([id, run]) => [
        id,
        {
          info: run.info,
          params: run.params,
          tags: run.tags,
          latest_metrics: canonical(run.latest_metrics) as object[],
          metric_history: run.metric_history,
          inputs: canonical(run.inputs) as object,
          outputs: canonical(run.outputs) as object,
        },
      ]),
    ),
  };
}

/** All of them where that is cheap, or asked for (MTRACK_TESTS=all); else the oldest and the newest. */
function sampled(all: readonly string[], dialect: string): readonly string[] {
  if (dialect === 'sqlite' || process.env.MTRACK_TESTS === 'all') return all;
  return all.filter((_, at) => at === 0 || at === all.length - 1);
}

await forEachDatabaseStore('databases of releases', ({ server }) => {
  for (const release of sampled(releases(server.dialect), server.dialect)) {
    test(`MLflow ${release}`, async () => {
      const expected = expectedAfterUpgrade(server.dialect, release) as Expected | null;
      expect(expected).not.toBeNull();
      await using test = databaseStore(await server.load(release));
      if (test.database) await upgradeTo(test.database, HEAD);
      const found = comparable(await read(await test.open()));
      const wanted = comparable(expected as Expected);
      // One run after the other: the whole is too long to be shown.
      expect({ ...found, runs: Object.keys(found.runs).sort() }).toEqual({
        ...wanted,
        runs: Object.keys(wanted.runs).sort(),
      });
      for (const [id, run] of Object.entries(wanted.runs)) expect(found.runs[id]).toEqual(run);
    });
  }
});
