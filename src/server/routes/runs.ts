import { invalidParameter } from '../../store/errors.js';
import type { DatasetInput, Metric, Run, RunInfo } from '../../store/records.js';
import { type NewRun, newRun, run, runInfo } from '../answers/tracking.js';
import { done, route } from '../route.js';
import {
  alsoCalled,
  atMost,
  choice,
  converted,
  double,
  int32,
  int64,
  isObject,
  type Kind,
  many,
  manyTexts,
  message,
  missingValue,
  needed,
  neededList,
  optional,
  type Rule,
  text,
} from '../wire/read.js';
import { list, optional as maybe, object, text as textOf } from '../wire/write.js';
import { keyValue, modelInput, modelOutput, viewType } from './common.js';

export const runId = alsoCalled('run_uuid', needed(text));

const status = choice(
  { RUNNING: 1, SCHEDULED: 2, FINISHED: 3, FAILED: 4, KILLED: 5 },
  (value) => typeof value === 'string',
);

const metricMessage = message('MetricGiven', {
  key: optional(text),
  value: optional(double),
  timestamp: optional(int64),
  step: optional(int64),
  dataset_name: optional(text),
  dataset_digest: optional(text),
  model_id: optional(text),
  run_id: optional(text),
});

type GivenMetric = { readonly [Name in keyof Metric]?: Metric[Name] | undefined };

function metricOf(given: GivenMetric): Metric {
  if (!given.dataset_name !== !given.dataset_digest) {
    throw invalidParameter('Both dataset_name and dataset_digest must be provided if one is provided');
  }
  return {
    key: given.key ?? '',
    value: given.value ?? 0,
    timestamp: given.timestamp ?? 0,
    step: given.step ?? 0,
    model_id: given.model_id || undefined,
    dataset_name: given.dataset_name || undefined,
    dataset_digest: given.dataset_digest || undefined,
    run_id: given.run_id || undefined,
  };
}

const datasetMessage = message('DatasetGiven', {
  name: optional(text),
  digest: optional(text),
  source_type: optional(text),
  source: optional(text),
  schema: optional(text),
  profile: optional(text),
});

const datasetInput: Kind<DatasetInput> = converted(
  message('DatasetInputGiven', { tags: many(keyValue), dataset: optional(datasetMessage) }),
  ({ tags, dataset }) => {
    const { name = '', digest = '', source_type = '', source = '', schema, profile } = dataset ?? {};
    return { tags, dataset: { name, digest, source_type, source, schema, profile } };
  },
);

/** Each of these must have what is asked for, under the name that MLflow gives the place. */
function eachHas(list: string, ...names: readonly string[]): Rule {
  return (value) => {
    if (!Array.isArray(value)) return undefined;
    for (const [i, item] of value.entries()) {
      const missing = names.find((name) => !isObject(item) || item[name] == null || item[name] === '');
      if (missing !== undefined) return `Missing value for required parameter '${list}[${i}].${missing}'.`;
    }
    return undefined;
  };
}

/** What an MLmodel file that is recorded has to have. */
const MODEL_FIELDS = ['artifact_path', 'flavors', 'utc_time_created', 'run_id'];

const oneRun = object<{ run: Run }>({ run });

export const runRoutes = [
  route({
    name: 'createRun',
    method: 'POST',
    path: '/mlflow/runs/create',
    request: {
      experiment_id: optional(text),
      start_time: optional(int64),
      run_name: optional(text),
      user_id: optional(text),
      tags: many(keyValue),
    },
    answer: object<{ run: NewRun }>({ run: newRun }),
    handle: async ({ store }, { experiment_id, start_time = 0, run_name, user_id = '', tags }) => {
      if (!experiment_id) throw missingValue('experiment_id');
      const asked = { experiment_id, start_time, run_name: run_name || undefined, user_id, tags };
      const { outputs, ...made } = await store.runs.create(asked);
      return { run: { ...made, outputs: store.registry === null ? outputs : undefined } };
    },
  }),
  route({
    name: 'getRun',
    method: 'GET',
    path: '/mlflow/runs/get',
    request: { run_id: runId },
    answer: oneRun,
    handle: async ({ store }, { run_id }) => ({ run: await store.runs.get(run_id) }),
  }),
  route({
    name: 'updateRun',
    method: 'POST',
    path: '/mlflow/runs/update',
    request: { run_id: runId, end_time: optional(int64), status: optional(status), run_name: optional(text) },
    answer: object<{ run_info: RunInfo }>({ run_info: runInfo }),
    handle: async ({ store }, { run_id, end_time, status, run_name }) => ({
      run_info: await store.runs.update(run_id, { end_time, status, run_name }),
    }),
  }),
  route({
    name: 'deleteRun',
    method: 'POST',
    path: '/mlflow/runs/delete',
    request: { run_id: runId },
    answer: done,
    handle: ({ store }, { run_id }) => store.runs.delete(run_id),
  }),
  route({
    name: 'restoreRun',
    method: 'POST',
    path: '/mlflow/runs/restore',
    request: { run_id: runId },
    answer: done,
    handle: ({ store }, { run_id }) => store.runs.restore(run_id),
  }),
  route({
    name: 'searchRuns',
    method: 'POST',
    path: '/mlflow/runs/search',
    request: {
      experiment_ids: many(text),
      filter: optional(text),
      max_results: optional(int32, atMost(50_000)),
      order_by: manyTexts(),
      run_view_type: optional(viewType),
      page_token: optional(text),
    },
    answer: object<{ runs: readonly Run[]; next_page_token: string | undefined }>({
      runs: list(run),
      next_page_token: maybe(textOf),
    }),
    handle: async ({ store }, { page_token, max_results = 1000, ...question }) => {
      const { items, next_page_token } = await store.runs.search({
        ...question,
        max_results,
        page_token: page_token || undefined,
      });
      return { runs: items, next_page_token };
    },
  }),
  route({
    name: 'logMetric',
    method: 'POST',
    path: '/mlflow/runs/log-metric',
    request: {
      run_id: runId,
      key: needed(text),
      value: needed(double),
      timestamp: needed(int64),
      step: optional(int64),
      model_id: optional(text),
      dataset_name: optional(text),
      dataset_digest: optional(text),
    },
    answer: done,
    handle: ({ store }, { run_id, ...given }) => store.runs.logMetric(run_id, metricOf({ ...given, run_id })),
  }),
  route({
    name: 'logParam',
    method: 'POST',
    path: '/mlflow/runs/log-parameter',
    request: { run_id: runId, key: needed(text), value: optional(text) },
    answer: done,
    handle: ({ store }, { run_id, key, value = '' }) => store.runs.logParam(run_id, { key, value }),
  }),
  route({
    name: 'logBatch',
    method: 'POST',
    path: '/mlflow/runs/log-batch',
    request: {
      run_id: needed(text),
      metrics: many(converted(metricMessage, metricOf), eachHas('metrics', 'key', 'value', 'timestamp')),
      params: many(keyValue, eachHas('params', 'key')),
      tags: many(keyValue, eachHas('tags', 'key')),
    },
    answer: done,
    handle: ({ store }, { run_id, metrics, params, tags }) => store.runs.logBatch(run_id, { metrics, params, tags }),
  }),
  route({
    name: 'setTag',
    method: 'POST',
    path: '/mlflow/runs/set-tag',
    request: { run_id: runId, key: needed(text), value: optional(text) },
    answer: done,
    handle: ({ store }, { run_id, key, value = '' }) => store.runs.setTag(run_id, { key, value }),
  }),
  route({
    name: 'deleteTag',
    method: 'POST',
    path: '/mlflow/runs/delete-tag',
    request: { run_id: runId, key: needed(text) },
    answer: done,
    handle: ({ store }, { run_id, key }) => store.runs.deleteTag(run_id, key),
  }),
  route({
    name: 'logInputs',
    method: 'POST',
    path: '/mlflow/runs/log-inputs',
    request: { run_id: needed(text), datasets: many(datasetInput), models: many(modelInput) },
    answer: done,
    handle: ({ store }, { run_id, datasets, models }) => store.runs.logInputs(run_id, datasets, models),
  }),
  route({
    name: 'logOutputs',
    method: 'POST',
    path: '/mlflow/runs/outputs',
    request: { run_id: needed(text), models: neededList(many(modelOutput)) },
    answer: done,
    handle: ({ store }, { run_id, models }) => store.runs.logOutputs(run_id, models),
  }),
  route({
    name: 'logModel',
    method: 'POST',
    path: '/mlflow/runs/log-model',
    request: { run_id: needed(text), model_json: needed(text) },
    answer: done,
    handle: ({ store }, { run_id, model_json }) => store.runs.recordModel(run_id, modelOf(model_json)),
  }),
];

function modelOf(json: string): Readonly<Record<string, unknown>> {
  let model: unknown;
  try {
    model = JSON.parse(json);
  } catch {
    model = undefined;
  }
  if (!isObject(model)) throw invalidParameter(`Malformed model info. \n ${json} \n is not a valid JSON.`);
  const missing = MODEL_FIELDS.filter((name) => !Object.hasOwn(model, name));
  if (missing.length === 0) return model;
  throw invalidParameter(`Model json is missing mandatory fields: {${missing.map((name) => `'${name}'`).join(', ')}}`);
}
