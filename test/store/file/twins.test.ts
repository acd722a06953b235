/**
 * The same calls on MLflow's file store give the same answers and refusals, and the same files: to the byte, but for ids that
 * are made up, and times.
 */
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type Call, Oracle, type Reference } from '../../support/oracle.js';
import { twins } from '../../support/twin.js';
import { FILES } from '../implementations.js';
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

const result = (of: number): Reference => ({ of, path: [] });
const modelOf = (of: number): Reference => ({ of, path: ['info', 'model_id'] });

const newExperiment = (name: string, more: object = {}): Call => ['experiments.create', [{ name, tags: [], ...more }]];
const newRun = (experiment_id: unknown, run_name: string, more: object = {}): Call => [
  'runs.create',
  [{ experiment_id, tags: [], run_name, user_id: 'me', start_time: run_name.charCodeAt(0), ...more }],
];

describe('experiments', () => {
  const ONE = result(0);
  test('from the first to the last', async () => {
    const get: Call = ['experiments.get', [ONE]];
    await twins(FILES, oracle, [
      newExperiment('one', { tags: [pair('t', 'ü'), pair('empty', ''), pair('a/b c', '1')] }),
      newRun(ONE, 'a'),
      newRun(ONE, 'b'),
      get,
      ['experiments.get', ['0']],
      ['experiments.get', ['']],
      ['experiments.get', ['none']],
      ['experiments.get', ['..']],
      ['experiments.get', ['a/b']],
      newExperiment('two 模型: #1', { artifact_location: 's3://bucket/root/?a=b' }),
      newExperiment('three\nlines', { artifact_location: '/absolute//place/' }),
      newExperiment('12', { artifact_location: 'mlflow-artifacts:/' }),
      newExperiment('x'.repeat(500), { artifact_location: '' }),
      newExperiment('one'),
      newExperiment(''),
      newExperiment('x'.repeat(501)),
      newExperiment('tagged', { tags: [pair('a//b', '1')] }),
      newExperiment('tagged', { tags: [pair('k'.repeat(251), '1')] }),
      newExperiment('tagged', { tags: [pair('k', 'v'.repeat(20_001))] }),
      ['experiments.getByName', ['one']],
      ['experiments.getByName', ['none']],
      newRun(result(9), 'placed'),
      newRun(result(10), 'placed'),
      ['experiments.setTag', [ONE, pair('t', 'changed')]],
      ['experiments.setTag', [ONE, pair('new', 'x'.repeat(6000))]],
      ['experiments.setTag', [ONE, pair('', 'x')]],
      ['experiments.setTag', [ONE, pair('k', 'v'.repeat(20_001))]],
      ['experiments.setTag', ['99', pair('k', 'v')]],
      ['experiments.deleteTag', [ONE, 'empty']],
      ['experiments.deleteTag', [ONE, 'empty']],
      ['experiments.deleteTag', [ONE, '../meta.yaml']],
      ['experiments.deleteTag', ['99', 'empty']],
      ['experiments.rename', [ONE, 'renamed']],
      ['experiments.rename', [ONE, '']],
      ['experiments.rename', [ONE, '12']],
      ['experiments.rename', ['99', 'x']],
      get,
      ['runs.delete', [runOf(1)]],
      ['experiments.delete', [ONE]],
      ['experiments.delete', [ONE]],
      ['experiments.delete', ['99']],
      ['experiments.delete', ['0']],
      get,
      ['experiments.getByName', ['renamed']],
      newExperiment('renamed'),
      ['experiments.rename', [ONE, 'x']],
      ['experiments.setTag', [ONE, pair('t', 'x')]],
      ['experiments.deleteTag', [ONE, 't']],
      newRun(ONE, 'c'),
      ['runs.get', [runOf(1)]],
      ['runs.search', [{ experiment_ids: [ONE], run_view_type: 'ALL' }]],
      ['runs.search', [{ experiment_ids: [ONE] }]],
      ['experiments.search', [{ view_type: 'DELETED_ONLY' }]],
      ['experiments.search', [{ view_type: 'ALL' }]],
      ['experiments.search', [{}]],
      ['experiments.restore', [ONE]],
      ['experiments.restore', [ONE]],
      ['experiments.restore', ['99']],
      get,
      ['runs.search', [{ experiment_ids: [ONE], run_view_type: 'ALL' }]],
      ['experiments.delete', [result(9)]],
    ]);
  });

  test('searches', async () => {
    const filters = [
      "name = 'beta 2'",
      "name LIKE 'beta%'",
      "name ILIKE 'BETA%' AND tags.team = 'red'",
      "tags.team != 'red'",
      'tags.n IS NULL',
      "tags.n IS NOT NULL AND name != 'alpha'",
      'creation_time > 1706529602000',
      "name IN ('alpha', '100%')",
      "tags.`team` ILIKE 'r%'",
      'name = 1',
      "tags.team > 'red'",
    ];
    const search = (question: object): Call => ['experiments.search', [question]];
    await twins(FILES, oracle, [
      newExperiment('alpha', { tags: [pair('team', 'Red'), pair('n', '1')] }),
      newExperiment('beta_1', { tags: [pair('team', 'red')] }),
      newExperiment('beta 2', { tags: [pair('team', 'blue'), pair('n', '')] }),
      newExperiment('100%'),
      newExperiment('deleted', { tags: [pair('team', 'Red')] }),
      ['experiments.delete', [result(4)]],
      ...filters.map((filter) => search({ filter })),
      ...filters.map((filter) => search({ filter, view_type: 'ALL' })),
      ...['name', 'name DESC', 'creation_time', 'last_update_time DESC', 'nothing'].map((by) =>
        search({ order_by: [by], view_type: 'ALL' }),
      ),
      search({ max_results: 2 }),
      search({ max_results: 2, page_token: 'eyJvZmZzZXQiOiAyfQ==' }),
      search({ max_results: 2, page_token: 'no token' }),
      ...[0, -1, 50_001].map((max_results) => search({ max_results })),
    ]);
  });
});

describe('runs', () => {
  test('made, changed, deleted and brought back', async () => {
    await twins(FILES, oracle, [
      newRun('0', 'first', { tags: [pair('t', 'ü'), pair('empty', '')] }),
      newRun('0', 'named', { tags: [pair('mlflow.runName', 'named')] }),
      newRun('0', '', { tags: [pair('mlflow.runName', 'by tag')], start_time: 0, user_id: '' }),
      newRun('0', 'one', { tags: [pair('mlflow.runName', 'other')] }),
      newRun('0', "it's: a #name, 1e5", { tags: [pair('a/b', 'c'), pair('a/d', 'e\nf')] }),
      newRun('99', 'x'),
      newRun('a/b', 'x'),
      get,
      ['runs.get', [runOf(2)]],
      ['runs.get', ['none']],
      ['runs.get', ['../0']],
      ['runs.get', ['']],
      ...UNTIL_DELETED,
      ...WHILE_DELETED,
      ['runs.search', [{ experiment_ids: ['0'], run_view_type: 'DELETED_ONLY' }]],
      ...RESTORED,
    ]);
  });

  test('metrics, params and tags', async () => {
    await twins(FILES, oracle, [
      newRun('0', 'first'),
      ...NUMBERS,
      metric(point('measured', 3, { step: 7, dataset_name: 'train', dataset_digest: 'd1' })),
      metric(point('measured', 4, { step: 2, dataset_name: 'train' })),
      metric(point('measured', 5, { step: 1 })),
      ...KEYS,
      metric(point('of a model', 1, { model_id: 'm-none', dataset_name: 'train', dataset_digest: 'd1' })),
      get,
      param('p', 'x'),
      param('p', 'x'),
      param('p', 'y'),
      param('empty', ''),
      param('empty', ''),
      param('empty', 'x'),
      param('lines', 'a\nb\tc  '),
      param('a/b', 'x'),
      param('a', 'x'),
      param('a/b/c', 'x'),
      param('long', `${'ü'.repeat(5999)}🙂🙂`),
      param('k'.repeat(251), 'x'),
      param('.', 'x'),
      param('p', 'x', 'none'),
      tag('t', '1'),
      tag('t', '2'),
      tag('long', 'x'.repeat(9000)),
      tag('a?', 'x'),
      tag('mlflow.runName', 'by tag'),
      tag('mlflow.runName', ''),
      tag('t', 'x', 'none'),
      ['runs.deleteTag', [RUN, 't']],
      ['runs.deleteTag', [RUN, 't']],
      ['runs.deleteTag', [RUN, '../meta.yaml']],
      ['runs.deleteTag', ['none', 't']],
      get,
      batch({
        metrics: [point('b', 1), point('b', 2), point('b', 1, { step: 3 }), point('n', { float: 'nan' }, { step: 1 })],
        params: [pair('q', '1'), pair('p', 'x'), pair('r', '')],
        tags: [pair('u', '1'), pair('u', '2'), pair('mlflow.runName', 'by batch'), pair('t', 'back')],
      }),
      get,
      batch({}),
      ...REFUSED_BATCHES,
      batch({
        metrics: many(400, (at) => point(`m${at % 30}`, at * 1.1, { step: at, timestamp: at })),
        params: many(100, (at) => pair(`p${at}`, `v${at}`)),
        tags: many(100, (at) => pair(`t${at}`, `v${at}`)),
      }),
      get,
      history('m'),
      history('nan'),
      history('b'),
      history('measured'),
      history('none'),
      history('../a'),
      history('m', { max_results: 2 }),
      history('m', { max_results: 2, page_token: 'eyJvZmZzZXQiOiAyfQ==' }),
      history('m', { page_token: 'eyJvZmZzZXQiOiAyfQ==' }),
      ['metrics.history', ['none', 'm']],
      [
        'runs.recordModel',
        [RUN, { run_id: 'r', artifact_path: 'm', utc_time_created: 't', flavors: { f: { config: 1, a: 2 } } }],
      ],
      ['runs.recordModel', [RUN, { run_id: 'r', artifact_path: 'n', utc_time_created: 't', flavors: {} }]],
      get,
    ]);
  });

  test('of a batch with a param that is refused nothing is logged', async () => {
    // MLflow logs what comes before it.
    await twins(FILES, oracle, [
      newRun('0', 'first'),
      param('p', 'x'),
      batch({ params: [pair('p', 'y'), pair('q', "it's")], metrics: [point('m', 1)], tags: [pair('t', 'x')] }),
      get,
    ]);
  });

  test('histories of several runs, whole and sampled', async () => {
    const steps = many(200, (at) => point('s', Math.sin(at), { step: Math.floor(at / 3), timestamp: 5000 - at }));
    const same = many(90, (at) => point('same', at, { step: 0, timestamp: at }));
    const runs = [RUN, runOf(1)];
    await twins(FILES, oracle, [
      newRun('0', 'a'),
      newRun('0', 'b'),
      batch({ metrics: [...steps, ...same, point('one', 1), point('edge', 3, { step: -4 })] }),
      batch({ metrics: [...steps.slice(0, 7), point('s', 5, { step: 300 })] }, runOf(1)),
      ...[1, 2, 3, 5, 7, 10, 64, 199, 200, 201, 1000].flatMap((most): Call[] => [
        ['metrics.historyInterval', [[RUN], 's', most]],
        ['metrics.historyInterval', [runs, 's', most]],
        ['metrics.historyInterval', [[RUN], 'same', most]],
        ['metrics.historyBulk', [[RUN], 's', most]],
      ]),
      ['metrics.historyInterval', [runs, 's', 5, { start_step: 3, end_step: 40 }]],
      ['metrics.historyInterval', [runs, 's', 5, { start_step: 3, end_step: 3 }]],
      ['metrics.historyInterval', [runs, 's', 5, { start_step: 3 }]],
      ['metrics.historyInterval', [runs, 'edge', 5]],
      ['metrics.historyInterval', [runs, 'none', 5]],
      ['metrics.historyInterval', [['none'], 's', 5]],
      ['metrics.historyBulk', [runs, 'one', 5]],
      ['metrics.historyBulk', [['none'], 's', 5]],
    ]);
  });

  test('searches', async () => {
    const search = (question: object): Call => [
      'runs.search',
      [{ experiment_ids: ['0', result(0), 'none'], ...question }],
    ];
    const dataset = (name: string, digest: string) => ({
      tags: [pair('mlflow.data.context', 'training')],
      dataset: { name, digest, source_type: 'local', source: '{"a": 1}' },
    });
    const filters = [
      'metrics.m > 1',
      'metrics.m <= 2.5 AND params.p = "x"',
      "params.p LIKE '%' AND tags.t ILIKE 'A%'",
      'params.p IS NULL',
      'tags.t IS NOT NULL',
      "attributes.status = 'FINISHED'",
      "attributes.run_name = 'r3'",
      "attributes.run_id IN ('none')",
      'start_time > 113',
      'end_time = 9',
      "dataset.name = 'd'",
      "dataset.digest LIKE '2%' AND dataset.context = 'training'",
      "params.`../../meta.yaml` = 'x'",
      'metrics.`a b` = 1',
      "attributes.nothing = 'x'",
    ];
    const orders = ['metrics.m', 'metrics.m DESC', 'params.p', 'tags.t DESC', 'start_time', 'end_time', 'run_name'];
    await twins(FILES, oracle, [
      newExperiment('other'),
      newRun('0', 'r1', { start_time: 150 }),
      newRun('0', 'q2'),
      newRun(result(0), 'r3'),
      newRun(result(0), 's4', { tags: [pair('t', 'ab')] }),
      newRun('0', 'gone'),
      batch({ metrics: [point('m', 1), point('a b', 1)], params: [pair('p', 'x')], tags: [pair('t', 'Ac')] }, runOf(1)),
      batch({ metrics: [point('m', 3), point('m', 2, { step: 1 })], params: [pair('p', 'X')] }, runOf(2)),
      batch({ metrics: [point('m', { float: 'nan' })], params: [pair('p', 'b')] }, runOf(3)),
      ['runs.update', [runOf(4), { status: 'FINISHED', end_time: 9 }]],
      ['runs.logInputs', [runOf(1), [dataset('d', '1'), dataset('e', '22')], []]],
      ['runs.logInputs', [runOf(3), [dataset('d', '2')], [{ model_id: 'm-x' }]]],
      ['runs.delete', [runOf(5)]],
      ...filters.map((filter) => search({ filter })),
      ...orders.map((by) => search({ order_by: [by] })),
      search({ order_by: ['metrics.m DESC', 'run_name'], run_view_type: 'ALL' }),
      search({ max_results: 2 }),
      search({ max_results: 2, page_token: 'eyJvZmZzZXQiOiAyfQ==' }),
      search({ max_results: 50_001 }),
      search({ order_by: ['nothing'] }),
      ['runs.searchDatasets', [['0', result(0)]]],
      ['runs.searchDatasets', [['none']]],
    ]);
  });

  test('inputs and outputs', async () => {
    const dataset = (name: string, digest: string, tags: readonly object[] = [], more: object = {}) => ({
      tags,
      dataset: { name, digest, source_type: 'local', source: '{"a": 1}', ...more },
    });
    await twins(FILES, oracle, [
      newRun('0', 'first'),
      newRun('0', 'second'),
      ['runs.logInputs', [RUN, [dataset('d', '1', [pair('a', 'b'), pair('mlflow.data.context', 'x')])], []]],
      get,
      ['runs.logInputs', [RUN, [dataset('d', '1', [pair('a', 'changed')], { source: 'other' })], []]],
      ['runs.logInputs', [runOf(1), [dataset('d', '1'), dataset('d', '2', [], { schema: 's: é', profile: 'p' })], []]],
      ['runs.logInputs', [RUN, [], [{ model_id: 'm-1' }, { model_id: 'm-2' }]]],
      ['runs.logOutputs', [RUN, [{ model_id: 'm-3', step: 4 }]]],
      ['runs.logOutputs', [RUN, [{ model_id: 'm-3', step: 5 }]]],
      ['runs.logOutputs', [RUN, []]],
      ['runs.logInputs', ['none', [], []]],
      ['runs.logOutputs', ['none', []]],
      get,
      ['runs.get', [runOf(1)]],
    ]);
  });
});

describe('logged models', () => {
  const MODEL = modelOf(0);
  const create = (more: object): Call => [
    'loggedModels.create',
    [{ experiment_id: '0', params: [], tags: [], ...more }],
  ];
  test('from the first to the last', async () => {
    await twins(FILES, oracle, [
      create({
        name: 'model 模型',
        model_type: 'agent',
        source_run_id: 'a run',
        params: [pair('p', '1'), pair('long', 'x'.repeat(7000))],
        tags: [pair('t', 'ü'), pair('u', '')],
      }),
      newExperiment('elsewhere', { artifact_location: 's3://bucket/place?a=b' }),
      create({ name: 'other', experiment_id: result(1) }),
      create({ name: 'x', experiment_id: '99' }),
      create({ name: '' }),
      create({ name: 'a/b' }),
      create({ name: "a'b" }),
      newExperiment('gone'),
      create({ name: 'of the deleted', experiment_id: result(7) }),
      ['experiments.delete', [result(7)]],
      create({ name: 'x', experiment_id: result(7) }),
      ['loggedModels.get', [modelOf(8)]],
      ['loggedModels.get', [MODEL]],
      ['loggedModels.get', ['m-none']],
      ['loggedModels.get', ['..']],
      ['loggedModels.finalize', [MODEL, 'LOGGED_MODEL_READY']],
      ['loggedModels.finalize', [modelOf(2), 'LOGGED_MODEL_UPLOAD_FAILED']],
      ['loggedModels.finalize', ['m-none', 'LOGGED_MODEL_READY']],
      ['loggedModels.setTags', [MODEL, [pair('t', 'changed'), pair('v', '1'), pair('v', '2')]]],
      ['loggedModels.setTags', [MODEL, []]],
      ['loggedModels.setTags', ['m-none', [pair('t', '')]]],
      ['loggedModels.deleteTag', [MODEL, 'u']],
      ['loggedModels.deleteTag', [MODEL, 'u']],
      ['loggedModels.deleteTag', ['m-none', 'u']],
      ['loggedModels.logParams', [MODEL, [pair('q', '2'), pair('p', '3')]]],
      ['loggedModels.logParams', ['m-none', [pair('q', '2')]]],
      newRun('0', 'measures'),
      ...[
        { value: 1, step: 1 },
        { value: 2, step: 2, dataset_name: 'd', dataset_digest: '1' },
        { value: 3, step: 1, dataset_name: 'd', dataset_digest: '1' },
        { value: 4, step: 0, dataset_name: 'e', dataset_digest: '2' },
      ].map(
        (more): Call => [
          'runs.logMetric',
          [
            { of: 26, path: ['info', 'run_id'] },
            { key: 'm', timestamp: 5, model_id: MODEL, ...more },
          ],
        ],
      ),
      ['loggedModels.get', [MODEL]],
      ['loggedModels.delete', [modelOf(2)]],
      ['loggedModels.delete', ['m-none']],
      ['loggedModels.get', [modelOf(2)]],
      ['loggedModels.get', [modelOf(2), true]],
      ['loggedModels.finalize', [modelOf(2), 'LOGGED_MODEL_READY']],
      ['loggedModels.search', [{ experiment_ids: ['0', result(1)] }]],
    ]);
  });

  test('searches', async () => {
    const search = (question: object): Call => ['loggedModels.search', [{ experiment_ids: ['0'], ...question }]];
    const measure = (of: number, value: number, more: object = {}): Call => [
      'runs.logMetric',
      [runOf(0), { key: 'm', value, step: 0, timestamp: 5, model_id: modelOf(of), ...more }],
    ];
    const onData = (name: string, digest: string) => ({ dataset_name: name, dataset_digest: digest });
    const questions = [
      { filter: "name = 'b'" },
      { filter: "params.p LIKE 'x%' AND tags.t != 'z'" },
      { filter: 'metrics.m > 1.5' },
      { filter: "status = 'PENDING'" },
      { filter: "model_type = 'agent'" },
      { filter: 'creation_timestamp > 1706529602000' },
      { datasets: [{ dataset_name: 'd' }] },
      { datasets: [{ dataset_name: 'd', dataset_digest: '2' }] },
      { datasets: [{ dataset_name: 'd' }], filter: 'metrics.m > 2' },
      { datasets: [{ dataset_name: '' }] },
      { order_by: [{ field_name: 'name', ascending: false }] },
      { order_by: [{ field_name: 'metrics.m', ascending: true }] },
      { order_by: [{ field_name: 'metrics.m', ascending: false, dataset_name: 'd' }] },
      { order_by: [{ field_name: 'nothing' }] },
      { max_results: 1 },
      { max_results: 1, page_token: 'eyJvZmZzZXQiOiAxfQ==' },
    ];
    await twins(FILES, oracle, [
      newRun('0', 'measures'),
      create({ name: 'a', params: [pair('p', 'x1')], tags: [pair('t', 'z')], model_type: 'agent' }),
      create({ name: 'b', params: [pair('p', 'x2')], tags: [pair('t', 'y')] }),
      create({ name: 'c' }),
      ['loggedModels.finalize', [modelOf(3), 'LOGGED_MODEL_READY']],
      measure(1, 1),
      measure(1, 3, onData('d', '1')),
      measure(2, 2, onData('d', '2')),
      measure(2, 1, { ...onData('e', '1'), timestamp: 9 }),
      ...questions.map(search),
    ]);
  });
});

describe('traces', () => {
  const trace = (trace_id: string, more: object = {}) => ({
    trace_id,
    experiment_id: '0',
    request_time: 1706529600000 + trace_id.charCodeAt(3),
    state: 'OK',
    trace_metadata: {},
    tags: {},
    assessments: [],
    ...more,
  });
  const start = (id: string, more: object = {}): Call => ['traces.start', [trace(id, more)]];
  const get = (id: string): Call => ['traces.getInfo', [id]];
  const source = { source_type: 'HUMAN', source_id: 'me@example.org' };
  const assess = (trace_id: string, assessment_name: string, more: object): Call => [
    'traces.createAssessment',
    [{ trace_id, assessment_name, source, ...more }],
  ];
  const idOf = (of: number): Reference => ({ of, path: ['assessment_id'] });

  test('started, tagged, deleted', async () => {
    await twins(FILES, oracle, [
      start('tr-a', {
        client_request_id: 'mine: #1',
        request_preview: '{"q": "what is Ж?", "n": 1}',
        response_preview: "it's\n42 ✓",
        execution_duration: 12,
        trace_metadata: { 'mlflow.source.name': 'x', empty: '' },
        tags: { 'mlflow.traceName': 'f', k: 'ü' },
      }),
      start('tr-b', { state: 'ERROR', request_time: 1706529600000 }),
      start('tr-c', { state: 'IN_PROGRESS' }),
      start('tr-d', { state: 'STATE_UNSPECIFIED', execution_duration: 0 }),
      start('tr-e', { experiment_id: '99' }),
      start('tr-a', {}),
      newExperiment('elsewhere', { artifact_location: 's3://bucket/place?a=b' }),
      start('tr-g', { experiment_id: result(6) }),
      ['traces.begin', [{ experiment_id: '0', timestamp_ms: 7, request_metadata: { a: 'b' }, tags: { c: 'd' } }]],
      ...['tr-a', 'tr-b', 'tr-c', 'tr-d', 'tr-g', 'none', '..'].map(get),
      [
        'traces.end',
        ['tr-c', { timestamp_ms: 1706529600500, state: 'OK', request_metadata: { m: '1' }, tags: { t: '2' } }],
      ],
      ['traces.end', ['none', { timestamp_ms: 1, state: 'OK', request_metadata: {}, tags: {} }]],
      get('tr-c'),
      ['traces.setTag', ['tr-a', 'k', 'changed']],
      ['traces.setTag', ['tr-a', 'new one', '']],
      ['traces.setTag', ['tr-a', 'a?', '']],
      ['traces.setTag', ['none', 'k', 'x']],
      ['traces.deleteTag', ['tr-a', 'k']],
      ['traces.deleteTag', ['tr-a', 'k']],
      ['traces.deleteTag', ['tr-a', 'a?']],
      ['traces.deleteTag', ['none', 'k']],
      ['traces.linkToRun', [['tr-a'], 'run']],
      ['traces.linkPrompts', ['tr-a', [{ name: 'p', version: '1' }]]],
      ['traces.search', [{ experiment_ids: ['0', result(6)] }]],
      ...[
        {},
        { max_traces: 1 },
        { trace_ids: [] },
        { max_timestamp_millis: 1, trace_ids: ['tr-a'] },
        { trace_ids: ['tr-a'], max_traces: 1 },
        { max_timestamp_millis: 1, max_traces: 0 },
        { max_timestamp_millis: 5 },
        { max_timestamp_millis: 1706529600099, max_traces: 2 },
        { trace_ids: ['tr-d', 'none', 'other'] },
      ].map((which): Call => ['traces.delete', ['0', which]]),
      ['traces.delete', ['none', { trace_ids: ['tr-a'] }]],
      ['traces.search', [{ experiment_ids: ['0', result(6)] }]],
      ['traces.search', [{ experiment_ids: ['none'] }]],
    ]);
  });

  test('assessments', async () => {
    const feedback = { feedback: { value: true } };
    await twins(FILES, oracle, [
      start('tr-a'),
      assess('tr-a', 'good', { ...feedback, rationale: 'because: ✓', metadata: { k: 'v', n: '1' }, span_id: 'ab' }),
      assess('tr-a', 'score', { feedback: { value: 4.5 } }),
      assess('tr-a', 'many', { feedback: { value: ['a', { b: [true, null, 'c'] }] } }),
      assess('tr-a', 'failed', {
        feedback: { value: null, error: { error_code: 'E', error_message: 'm', stack_trace: 's'.repeat(10_001) } },
      }),
      assess('tr-a', 'plain', { feedback: { value: 'text' }, source: { source_type: 'CODE', source_id: 'x' } }),
      assess('tr-a', 'better', { feedback: { value: false }, overrides: idOf(1) }),
      assess('tr-a', 'lost', { ...feedback, overrides: 'a-none' }),
      assess('none', 'good', feedback),
      ...[1, 2, 3, 4, 5, 6].map((of): Call => ['traces.getAssessment', ['tr-a', idOf(of)]]),
      ['traces.getAssessment', ['tr-a', 'a-none']],
      ['traces.getAssessment', ['none', 'a-none']],
      get('tr-a'),
      [
        'traces.updateAssessment',
        [
          'tr-a',
          idOf(1),
          { assessment_name: 'best', feedback: { value: 'yes' }, rationale: 'r', metadata: { n: '2' } },
        ],
      ],
      ['traces.updateAssessment', ['tr-a', idOf(2), {}]],
      ['traces.updateAssessment', ['tr-a', idOf(2), { expectation: { value: 'x' } }]],
      ['traces.updateAssessment', ['tr-a', idOf(2), { expectation: { value: 'x' }, feedback: { value: 1 } }]],
      ['traces.updateAssessment', ['tr-a', 'a-none', {}]],
      ['traces.deleteAssessment', ['tr-a', idOf(6)]],
      ['traces.getAssessment', ['tr-a', idOf(1)]],
      ['traces.deleteAssessment', ['tr-a', idOf(6)]],
      ['traces.deleteAssessment', ['none', idOf(6)]],
      ...[1, 2, 3, 4, 5].map((of): Call => ['traces.deleteAssessment', ['tr-a', idOf(of)]]),
      get('tr-a'),
    ]);
  });

  test('expectations, of which MLflow does not read all that it has written', async () => {
    const calls: Call[] = [
      start('tr-a'),
      assess('tr-a', 'number', { expectation: { value: { json: '42' } } }),
      assess('tr-a', 'float', { expectation: { value: 0.5 } }),
      assess('tr-a', 'list', { expectation: { value: { json: '[1, 2.0, "ü", {"a": null, "b": 1.5}]' } } }),
      assess('tr-a', 'map', { expectation: { value: { json: '{"b": 1, "a": []}' } }, metadata: { k: 'v' } }),
      assess('tr-a', 'text', { expectation: { value: 'x: y' } }),
      ...[1, 2, 3, 4, 5].map((of): Call => ['traces.getAssessment', ['tr-a', idOf(of)]]),
    ];
    await twins(FILES, oracle, calls, { unsaid: ([method]) => method === 'traces.getAssessment' });
  });

  test('searches', async () => {
    const search = (question: object): Call => ['traces.search', [{ experiment_ids: ['0'], ...question }]];
    const filters = [
      "status = 'OK'",
      "attributes.status != 'OK'",
      "name = 'f'",
      "tags.k LIKE 'v%'",
      'tags.k IS NULL',
      "metadata.`mlflow.sourceRun` = 'run'",
      "run_id = 'run'",
      'timestamp_ms > 1706529600098',
      'execution_time_ms < 5',
      "client_request_id = 'mine'",
      "request_id IN ('tr-a', 'tr-c')",
      "span.name = 'x'",
      "feedback.x = 'y'",
      "text LIKE 'x'",
    ];
    await twins(FILES, oracle, [
      start('tr-a', { tags: { 'mlflow.traceName': 'f', k: 'v1' }, execution_duration: 1, client_request_id: 'mine' }),
      start('tr-b', { state: 'ERROR', trace_metadata: { 'mlflow.sourceRun': 'run' }, execution_duration: 9 }),
      start('tr-c', { tags: { k: 'w' } }),
      ...filters.map((filter) => search({ filter })),
      ...['timestamp_ms', 'timestamp_ms DESC', 'status', 'execution_time DESC', 'tags.k'].map((by) =>
        search({ order_by: [by] }),
      ),
      search({ max_results: 2 }),
      search({ max_results: 2, page_token: 'eyJvZmZzZXQiOiAyfQ==' }),
      search({ max_results: 50_001 }),
    ]);
  });
});
