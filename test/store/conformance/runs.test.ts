/** Runs and what is logged in them: the same calls on MLflow's store give the same answers, refusals and rows. */
import { afterAll, beforeAll, test } from 'vitest';
import { type Call, Oracle, type Reference } from '../../support/oracle.js';
import { joined, twins } from '../../support/twin.js';
import { forEachStore } from '../implementations.js';
import {
  batch,
  get,
  history,
  KEYS,
  many,
  metric,
  NUMBERS,
  pair,
  param,
  point,
  REFUSED_BATCHES,
  RESTORED,
  RUN,
  runOf,
  tag,
  UNTIL_DELETED,
  WHILE_DELETED,
} from '../run-calls.js';

let oracle: Oracle;
beforeAll(() => {
  oracle = new Oracle();
});
afterAll(() => oracle[Symbol.asyncDispose]());

const create = (more: object = {}): Call => [
  'runs.create',
  [{ experiment_id: '0', tags: [], run_name: 'run', user_id: 'me', start_time: 5, ...more }],
];
const dataset = (name: string, digest: string, tags: readonly object[] = [], more: object = {}) => ({
  tags,
  dataset: { name, digest, source_type: 'local', source: '{"a": 1}', ...more },
});

const TABLES = [
  ...['runs', 'tags', 'params', 'metrics', 'latest_metrics'],
  ...['datasets', 'inputs', 'input_tags', 'logged_model_metrics'],
];

/** Made, changed, deleted and brought back. */
const LIFE: readonly Call[] = [
  create({ user_id: 'you', start_time: 7, tags: [pair('t', 'ü'), pair('empty', '')] }),
  create({ run_name: 'named', tags: [pair('mlflow.runName', 'named')] }),
  create({ run_name: undefined, tags: [pair('mlflow.runName', 'by tag')] }),
  create({ run_name: '', tags: [pair('mlflow.runName', 'by tag')] }),
  create({ run_name: 'one', tags: [pair('mlflow.runName', 'other')] }),
  create({ experiment_id: '99' }),
  create({ experiment_id: 'x' }),
  ['experiments.create', [{ name: 'gone', tags: [] }]],
  create({ experiment_id: '1' }),
  ['experiments.delete', ['1']],
  create({ experiment_id: '1' }),
  get,
  ['runs.get', ['none']],
  ...UNTIL_DELETED,
  ...WHILE_DELETED,
  ...RESTORED,
  ['runs.get', [runOf(8)]],
  ['runs.restore', [runOf(8)]],
  tag('in a deleted experiment', 'x', runOf(8)),
  ['runs.get', [runOf(8)]],
];

/** Metrics, params and tags. */
const LOGGED: readonly Call[] = [
  create({ start_time: 1 }),
  ...NUMBERS,
  ...KEYS,
  metric(point('m', 1, { model_id: 'm-none' }), 'none'),
  get,
  param('p', 'x'),
  param('p', 'x'),
  param('p', 'y'),
  param('empty', ''),
  param('long', `${'ü'.repeat(5999)}🙂🙂`),
  param('k'.repeat(251), 'x'),
  param('.', 'x'),
  param('p', 'x', 'none'),
  tag('t', '1'),
  tag('t', '2'),
  tag('long', `${'x'.repeat(7999)}🙂🙂`),
  tag('k'.repeat(251), 'x'),
  tag('a?', 'x'),
  tag('mlflow.runName', 'by tag'),
  tag('mlflow.runName', ''),
  tag('t', 'x', 'none'),
  ['runs.deleteTag', [RUN, 't']],
  ['runs.deleteTag', [RUN, 't']],
  ['runs.deleteTag', ['none', 't']],
  get,
  batch({
    metrics: [
      point('b', 1),
      point('b', 2),
      point('b', 2),
      point('b', 1, { step: 3 }),
      point('b', 5, { step: 3, timestamp: 2000 }),
      point('b', 4, { step: 3, timestamp: 2000 }),
      point('n', { float: 'nan' }, { step: 1 }),
      point('n', { float: 'nan' }, { step: 1 }),
      point('n', 0, { step: 1 }),
      point('m', 2.5),
    ],
    params: [pair('q', '1'), pair('p', 'x'), pair('r', '')],
    tags: [pair('u', '1'), pair('u', '2'), pair('mlflow.runName', 'by batch'), pair('t', 'back')],
  }),
  get,
  batch({ metrics: [point('b', 0, { step: 2 }), point('fresh', 1)] }),
  batch({}),
  batch({ params: [pair('p', 'y'), pair('q', "it's"), pair('s', 'new')] }),
  ...REFUSED_BATCHES,
  batch({ metrics: [point('ok', 1), point('', 1)] }),
  batch({ metrics: many(1000, (at) => point(`m${at}`, 1)), tags: [pair('t', 'x')] }),
  batch({}, ''),
  batch({
    metrics: many(800, (at) => point(`m${at % 30}`, at * 1.1, { step: at, timestamp: at })),
    params: many(100, (at) => pair(`p${at}`, `v${at}`)),
    tags: many(100, (at) => pair(`t${at}`, `v${at}`)),
  }),
  get,
  history('m'),
  history('inf'),
  history('b'),
  history('none'),
  history('m', { max_results: 2 }),
  history('m', { max_results: 2, page_token: 'eyJvZmZzZXQiOiAyfQ==' }),
  history('m', { page_token: 'eyJvZmZzZXQiOiAyfQ==' }),
  history('zero', { max_results: 1 }),
  history('zero', { max_results: 1, page_token: 'eyJvZmZzZXQiOiAxfQ==' }),
  history('m7', { max_results: 5 }),
  ['metrics.history', ['none', 'm']],
];

/** Histories of several runs, whole and sampled. */
function histories(): Call[] {
  const steps = many(200, (at) => point('s', Math.sin(at), { step: Math.floor(at / 3), timestamp: 5000 - at }));
  const same = many(90, (at) => point('same', at, { step: 0, timestamp: at }));
  return [
    create({ start_time: 1 }),
    create({ start_time: 2 }),
    batch({ metrics: [...steps, ...same, point('one', 1), point('edge', { float: 'nan' })] }),
    batch({ metrics: [...steps.slice(0, 7), point('s', { float: 'nan' }, { step: 300 })] }, runOf(1)),
    ...[1, 2, 3, 5, 7, 10, 64, 199, 200, 201, 1000].flatMap((most): Call[] => [
      ['metrics.historyInterval', [[RUN], 's', most]],
      ['metrics.historyInterval', [[RUN], 'same', most]],
    ]),
    ['metrics.historyInterval', [[RUN, runOf(1), 'none'], 's', 4]],
    ['metrics.historyInterval', [[RUN], 's', 0]],
    ['metrics.historyInterval', [[RUN], 's', 5, { start_step: 10, end_step: 20 }]],
    ['metrics.historyInterval', [[RUN], 's', 5, { start_step: 10, end_step: 10 }]],
    ['metrics.historyInterval', [[RUN], 's', 5, { start_step: 900, end_step: 1000 }]],
    ['metrics.historyInterval', [[RUN], 's', 5, { start_step: 10 }]],
    ['metrics.historyBulk', [[RUN], 's', 1000]],
    ['metrics.historyBulk', [[RUN], 's', 10]],
    ['metrics.historyBulk', [['none'], 's', 10]],
    ['metrics.historyBulk', [[], 's', 10]],
  ];
}

/** Datasets and models. */
function taken(): Call[] {
  const OTHER: Reference = { of: 3, path: [] };
  const before: Call[] = [
    create({ start_time: 1 }),
    create({ start_time: 2 }),
    ['loggedModels.create', [{ experiment_id: '0', name: 'model', params: [], tags: [] }]],
    ['experiments.create', [{ name: 'other', tags: [] }]],
    create({ start_time: 3, experiment_id: OTHER }),
  ];
  const model: Reference = { of: 2, path: ['info', 'model_id'] };
  const train = [pair('mlflow.data.context', 'train'), pair('x', 'y')];
  const inputs = (datasets: readonly object[], models: readonly object[] = [], run: unknown = RUN): Call => [
    'runs.logInputs',
    [run, datasets, models],
  ];
  const mlmodel = {
    run_id: 'r',
    artifact_path: 'model',
    utc_time_created: '2024-01-01',
    flavors: { python_function: { loader: 'é', config: { a: 1 }, n: 3 }, odd: 'text' },
    model_uuid: 'u',
  };
  const calls: Call[] = [
    inputs([dataset('d', '1', train, { schema: '{}', profile: '{"n": 1}' }), dataset('d', '2'), dataset('d', '1')]),
    inputs([dataset('d', '1', [pair('late', '1')], { source: 'changed' }), dataset('e', '1')]),
    inputs([dataset('d', '1', [pair('mlflow.data.context', 'test')])], [], runOf(1)),
    inputs([dataset('d', '1')], [], runOf(4)),
    inputs([]),
    inputs([], [{ model_id: model }, { model_id: 'm-2' }, { model_id: model }]),
    inputs([], [{ model_id: model }]),
    inputs([dataset('n'.repeat(501), '1')]),
    inputs([dataset('d', 'n'.repeat(37))]),
    inputs([dataset('d', '1', [], { source: 's'.repeat(65_536) })]),
    inputs([dataset('d', '1', [pair('k'.repeat(256), '')])]),
    inputs([dataset('d', '1', [pair('k', 'v'.repeat(501))])]),
    inputs([dataset('d', '1')], [], 'none'),
    inputs([dataset('d', '1')], [], '/'),
    [
      'runs.logOutputs',
      [
        RUN,
        [
          { model_id: model, step: 3 },
          { model_id: 'm-2', step: 0 },
        ],
      ],
    ],
    ['runs.logOutputs', ['none', []]],
    get,
    ['runs.get', [runOf(1)]],
    ['runs.search', [{ experiment_ids: ['0', OTHER], filter: "dataset.name LIKE '%'" }]],
    ['runs.searchDatasets', [['0', OTHER, '7']]],
    ['runs.searchDatasets', [['x']]],
    metric(point('acc', 0.5, { model_id: model, dataset_name: 'd', dataset_digest: '1' })),
    metric(point('acc', 0.5, { model_id: model, dataset_name: 'd', dataset_digest: '1' })),
    batch({
      metrics: [point('acc', 0.7, { model_id: model, step: 1 }), point('loss', 0.1), point('acc', 0.6, { step: 1 })],
    }),
    metric(point('acc', { float: 'nan' }, { model_id: model, step: 2 })),
    ['loggedModels.get', [model]],
    ['runs.recordModel', [RUN, mlmodel]],
    ['runs.recordModel', [RUN, { ...mlmodel, run_id: null, model_uuid: null, flavors: {} }]],
    ['runs.recordModel', ['none', mlmodel]],
    get,
  ];
  return [...before, ...calls];
}

await forEachStore('runs', (implementation) => {
  test('from the first to the last', async () => {
    const calls = joined(LIFE, LOGGED, histories(), taken());
    await twins(implementation, oracle, calls, { tables: TABLES });
  });
});
