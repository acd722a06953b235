/** Every file store that a release wrote is read through the store as MLflow 3.17.2 reads it, and reading writes nothing. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openFileStore } from '../../../src/store/file/index.js';
import type { Assessment, KeyValue, Metric, Page } from '../../../src/store/records.js';
import { writeJson } from '../../../src/store/search/index.js';
import type { Store } from '../../../src/store/store.js';
import { expectedAfterUpgrade, fileStoreReleases, unpackFileStore } from '../../support/fixtures.js';
import { treeBelow } from '../../support/untouched.js';

const folder = mkdtempSync(join(tmpdir(), 'mtrack-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Expected {
  readonly experiments: readonly { readonly experiment_id: string }[];
  readonly experiments_default_order: readonly string[];
  readonly runs_default_order: Readonly<Record<string, readonly string[]>>;
  readonly runs: Readonly<Record<string, object>>;
  readonly logged_models: Readonly<Record<string, object>>;
  readonly traces: Readonly<Record<string, { readonly info: object }>>;
}

const dictionary = (pairs: readonly KeyValue[]) => Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
const spelt = (value: number) => (Number.isFinite(value) ? value : String(value));
const byText = <Item>(items: readonly Item[]) =>
  items.toSorted((one, other) => (canonical(one) < canonical(other) ? -1 : 1));
/** As Python's json.dumps with sorted keys puts them in order. */
const canonical = (value: unknown) => JSON.stringify(sorted(value));
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => [key, sorted(each)]));
}
/** Without order: lists are compared as sets. */
const loose = (value: unknown): unknown => {
  if (Array.isArray(value)) return byText(value.map(loose));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, loose(each)]));
};

async function all<Item>(search: (page_token: string | undefined) => Promise<Page<Item>>): Promise<Item[]> {
  const items: Item[] = [];
  let token: string | undefined;
  do {
    const page = await search(token);
    items.push(...page.items);
    token = page.next_page_token;
  } while (token !== undefined);
  return items;
}

/** What the script behind `expected` writes of a run, but for its artifacts. */
async function runOf(store: Store, id: string): Promise<object> {
  const { info, data, inputs, outputs } = await store.runs.get(id);
  const histories = await Promise.all(
    data.metrics.map(async ({ key }) => {
      const { items } = await store.metrics.history(id, key);
      return [key, items.map(({ step, timestamp, value }) => [step, timestamp, spelt(value)])];
    }),
  );
  return {
    info: { ...info, end_time: info.end_time ?? null },
    params: dictionary(data.params),
    tags: dictionary(data.tags),
    metrics: Object.fromEntries(data.metrics.map(({ key, value }) => [key, spelt(value)])),
    latest_metrics: data.metrics.map(({ run_id, ...rest }) => ({ ...rest, value: spelt(rest.value) })),
    metric_history: Object.fromEntries(histories),
    inputs: {
      dataset_inputs: inputs.dataset_inputs.map(({ dataset, tags }) => ({
        dataset: { ...dataset, schema: dataset.schema ?? null, profile: dataset.profile ?? null },
        tags: dictionary(tags),
      })),
      model_inputs: inputs.model_inputs,
    },
    outputs,
  };
}

const modelMetric = ({ value, dataset_name, dataset_digest, ...rest }: Metric) => ({
  ...rest,
  value: spelt(value),
  dataset_name: dataset_name ?? null,
  dataset_digest: dataset_digest ?? null,
});
const STATUS = [
  'LOGGED_MODEL_STATUS_UNSPECIFIED',
  'LOGGED_MODEL_PENDING',
  'LOGGED_MODEL_READY',
  'LOGGED_MODEL_UPLOAD_FAILED',
];

async function modelOf(store: Store, id: string): Promise<object> {
  const { info, data } = await store.loggedModels.get(id);
  return {
    artifact_location: info.artifact_uri,
    creation_timestamp: info.creation_timestamp_ms,
    experiment_id: info.experiment_id,
    last_updated_timestamp: info.last_updated_timestamp_ms,
    metrics: data.metrics.map(modelMetric),
    model_id: info.model_id,
    model_type: info.model_type ?? null,
    name: info.name,
    params: dictionary(data.params),
    source_run_id: info.source_run_id ?? null,
    status: STATUS.indexOf(info.status),
    status_message: info.status_message ?? null,
    tags: dictionary(info.tags),
  };
}

const time = (ms: number) => new Date(ms).toISOString().replace('.000Z', 'Z');

function assessmentOf({ create_time, last_update_time, expectation, feedback, valid, ...rest }: Assessment): object {
  return {
    ...rest,
    create_time: time(create_time),
    last_update_time: time(last_update_time),
    ...(feedback && { feedback }),
    // What is no scalar is a text of JSON there; and MLflow does not read whether an expectation is valid.
    ...(expectation && {
      expectation: {
        serialized_value: { serialization_format: 'JSON_FORMAT', value: writeJson(expectation.value) },
      },
    }),
    ...(expectation === undefined && { valid }),
  };
}

async function traceOf(store: Store, id: string): Promise<object> {
  const { request_time, experiment_id, execution_duration, assessments, ...rest } = await store.traces.getInfo(id);
  return {
    ...rest,
    request_time: time(request_time),
    execution_duration_ms: execution_duration,
    trace_location: { type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id } },
    ...(assessments.length > 0 && { assessments: assessments.map(assessmentOf) }),
  };
}

const present = (value: unknown) => loose(sorted(value));

/** What MLflow's model entity derives of its id is not kept, and its metrics carry what the record does not. */
const withoutUri = ({ model_uri, ...rest }: { readonly model_uri?: string }) => rest;

describe.each(fileStoreReleases())('the file store of MLflow %s', (release) => {
  const place = mkdtempSync(join(folder, `${release}-`));
  const expected = expectedAfterUpgrade('filestore', release) as Expected;

  test('is read as MLflow 3.17.2 reads it', async () => {
    const root = unpackFileStore(release, place);
    const before = treeBelow(root);
    const faults: unknown[] = [];
    const store = await openFileStore(root, { warn: (fault) => faults.push(fault) });
    const experiments = await all((page_token) =>
      store.experiments.search({ view_type: 'ALL', max_results: 5, page_token }),
    );
    expect(experiments.map(({ experiment_id }) => experiment_id)).toEqual(expected.experiments_default_order);
    expect(present(experiments.map((each) => ({ ...each, tags: dictionary(each.tags) })))).toEqual(
      loose(expected.experiments),
    );
    const ids = Object.keys(expected.runs_default_order);
    for (const id of ids) {
      const question = { experiment_ids: [id], run_view_type: 'ALL', max_results: 7 } as const;
      const runs = await all((page_token) => store.runs.search({ ...question, page_token }));
      expect(runs.map(({ info }) => info.run_id)).toEqual(expected.runs_default_order[id]);
      for (const run of runs) expect(await store.runs.get(run.info.run_id)).toEqual(run);
    }
    for (const [id, { artifacts, ...run }] of Object.entries(expected.runs as Record<string, { artifacts: unknown }>)) {
      expect(present(await runOf(store, id))).toEqual(loose(run));
    }
    const models = await all((page_token) =>
      store.loggedModels.search({ experiment_ids: ids, max_results: 2, page_token }),
    );
    expect(models.map(({ info }) => info.model_id).sort()).toEqual(Object.keys(expected.logged_models).sort());
    for (const [id, model] of Object.entries(expected.logged_models)) {
      expect(present(await modelOf(store, id))).toEqual(loose(withoutUri(model)));
    }
    const traces = await all((page_token) => store.traces.search({ experiment_ids: ids, max_results: 2, page_token }));
    expect(traces.map(({ trace_id }) => trace_id).sort()).toEqual(Object.keys(expected.traces).sort());
    for (const [id, trace] of Object.entries(expected.traces)) {
      expect(present(await traceOf(store, id))).toEqual(loose(trace.info));
    }
    await store.close();
    expect(faults).toEqual([]);
    expect(treeBelow(root)).toEqual(before);
  });
});
