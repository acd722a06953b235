/**
 * What a store reads, in the form in which the fixtures say what MLflow reads (make/read_expected.py): a whole store is
 * compared with it. Lists are compared without their order, but for those of pages.
 */
import { expect } from 'vitest';
import type { Assessment, KeyValue, Metric, ModelVersion, Page } from '../../src/store/records.js';
import { writeJson } from '../../src/store/search/index.js';
import type { Registry, Store } from '../../src/store/store.js';

export interface Expected {
  readonly experiments: readonly { readonly experiment_id: string }[];
  readonly experiments_default_order: readonly string[];
  readonly runs_default_order: Readonly<Record<string, readonly string[]>>;
  readonly runs: Readonly<Record<string, object | null>>;
  readonly logged_models?: Readonly<Record<string, object>>;
  readonly traces?: Readonly<
    Record<string, { readonly info: object; readonly data?: { readonly spans?: readonly object[] } }>
  >;
  /** Null for a model whose name is refused by now. */
  readonly registered_models?: Readonly<Record<string, RegisteredModelRead | null>>;
}

interface RegisteredModelRead {
  readonly versions: readonly object[];
  readonly latest_versions: readonly object[];
}

/** Asks for everything, in small pages, and one by one. */
export async function readsAs(store: Store, expected: Expected): Promise<void> {
  const ids = await experimentsAre(store, expected);
  await runsAre(store, expected);
  const models = await all((page_token) =>
    store.loggedModels.search({ experiment_ids: ids, max_results: 2, page_token }),
  );
  expect(models.map(({ info }) => info.model_id).sort()).toEqual(Object.keys(expected.logged_models ?? {}).sort());
  for (const [id, model] of Object.entries(expected.logged_models ?? {})) {
    expect(present(await modelOf(store, id))).toEqual(loose(withoutUri(model)));
  }
  const traces = await all((page_token) => store.traces.search({ experiment_ids: ids, max_results: 2, page_token }));
  expect(traces.map(({ trace_id }) => trace_id).sort()).toEqual(Object.keys(expected.traces ?? {}).sort());
  for (const [id, trace] of Object.entries(expected.traces ?? {})) {
    expect(present(await traceOf(store, id))).toEqual(loose(trace.info));
    const { tags } = await store.traces.getInfo(id);
    if (store.traces.spans === null || tags['mlflow.trace.spansLocation'] !== 'TRACKING_STORE') continue;
    const { spans } = await store.traces.spans.getTrace(id, false);
    expect(present(spans.map(({ content }) => JSON.parse(content)))).toEqual(loose(trace.data?.spans ?? []));
  }
  if (store.registry) await registryIs(store.registry, expected.registered_models ?? {});
}

async function experimentsAre(store: Store, expected: Expected): Promise<string[]> {
  const experiments = await all((page_token) =>
    store.experiments.search({ view_type: 'ALL', max_results: 5, page_token }),
  );
  const ids = experiments.map(({ experiment_id }) => experiment_id);
  expect(ids).toEqual(expected.experiments_default_order);
  expect(present(experiments.map((each) => ({ ...each, tags: dictionary(each.tags) })))).toEqual(
    loose(expected.experiments),
  );
  return ids;
}

async function runsAre(store: Store, expected: Expected): Promise<void> {
  for (const [id, order] of Object.entries(expected.runs_default_order)) {
    const question = { experiment_ids: [id], run_view_type: 'ALL', max_results: 7 } as const;
    const runs = await all((page_token) => store.runs.search({ ...question, page_token }));
    expect(runs.map(({ info }) => info.run_id)).toEqual(order);
    for (const run of runs) {
      const { inputs, ...one } = await store.runs.get(run.info.run_id);
      // A search in a database leaves them out, as MLflow's does.
      const { model_inputs } = run.inputs;
      expect(loose({ ...one, inputs: { ...inputs, model_inputs } })).toEqual(loose(run));
    }
  }
  for (const [id, read] of Object.entries(expected.runs)) {
    const { artifacts: _, ...run } = read as { readonly artifacts?: unknown };
    expect(present(await runOf(store, id))).toEqual(loose(run));
  }
}

async function registryIs(registry: Registry, expected: NonNullable<Expected['registered_models']>): Promise<void> {
  const models = await all((page_token) => registry.models.search({ max_results: 2, page_token }));
  expect(models.map(({ name }) => name).sort()).toEqual(Object.keys(expected).sort());
  for (const { name } of models) {
    const wanted = expected[name];
    if (!wanted) {
      await expect(registry.models.get(name)).rejects.toThrow('Invalid model name');
      continue;
    }
    const { aliases, tags, latest_versions, ...rest } = await registry.models.get(name);
    const versions = await all((page_token) =>
      registry.versions.search({ filter: `name = ${quoted(name)}`, max_results: 2, page_token }),
    );
    const read = await Promise.all(versions.map(({ version }) => registry.versions.get(name, version)));
    const found = {
      ...rest,
      description: rest.description ?? null,
      tags: dictionary(tags),
      aliases: Object.fromEntries(aliases.map(({ alias, version }) => [alias, Number(version)])),
      latest_versions: latest_versions.map(versionOf),
      versions: read.map(versionOf),
    };
    expect(present(found)).toEqual(loose(comparable(wanted)));
  }
}

const quoted = (text: string) => (text.includes("'") ? `"${text}"` : `'${text}'`);

/** What only other backends than MLflow's own have. */
const ELSEWHERE = ['deployment_job_id', 'deployment_job_state', 'workspace', 'metrics', 'params', 'model_id'];

function comparable(model: RegisteredModelRead): object {
  const without = (record: object) =>
    Object.fromEntries(Object.entries(record).filter(([key]) => !ELSEWHERE.includes(key)));
  return {
    ...without(model),
    latest_versions: model.latest_versions.map(without),
    versions: model.versions.map(without),
  };
}

const versionOf = ({ tags, version, model_params: _, model_metrics: __, ...rest }: ModelVersion): object => ({
  ...Object.fromEntries(['user_id', 'description', 'run_id', 'run_link', 'status_message'].map((name) => [name, null])),
  ...(sorted(rest) as object),
  version: Number(version),
  tags: dictionary(tags),
});

export const dictionary = (pairs: readonly KeyValue[]) =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
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
const present = (value: unknown) => loose(sorted(value));

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

/** What MLflow's model entity derives of its id is not kept. */
const withoutUri = ({ model_uri, metrics, ...rest }: { readonly model_uri?: string; readonly metrics?: unknown }) => ({
  ...rest,
  metrics: metrics ?? [],
});

const time = (ms: number) => new Date(ms).toISOString().replace('.000Z', 'Z');

/** @param readsValid MLflow does not read in files whether an expectation is valid */
function assessmentOf(assessment: Assessment, readsValid: boolean): object {
  const { create_time, last_update_time, expectation, feedback, valid, ...rest } = assessment;
  return {
    ...rest,
    create_time: time(create_time),
    last_update_time: time(last_update_time),
    ...(feedback && { feedback }),
    // What is no scalar is a text of JSON there.
    ...(expectation && {
      expectation: {
        serialized_value: { serialization_format: 'JSON_FORMAT', value: writeJson(expectation.value) },
      },
    }),
    ...((expectation === undefined || readsValid) && { valid }),
  };
}

async function traceOf(store: Store, id: string): Promise<object> {
  const { request_time, experiment_id, execution_duration, assessments, ...rest } = await store.traces.getInfo(id);
  return {
    ...rest,
    request_time: time(request_time),
    execution_duration_ms: execution_duration,
    trace_location: { type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id } },
    ...(assessments.length > 0 && {
      assessments: assessments.map((each) => assessmentOf(each, store.traces.spans !== null)),
    }),
  };
}
