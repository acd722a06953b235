/** Experiments: the same calls on MLflow's store give the same answers, refusals and rows. */
import { afterAll, beforeAll, test } from 'vitest';
import { type Call, Oracle } from '../../support/oracle.js';
import { twins } from '../../support/twin.js';
import { forEachStore } from '../implementations.js';

let oracle: Oracle;
beforeAll(() => {
  oracle = new Oracle();
});
afterAll(() => oracle[Symbol.asyncDispose]());

const pair = (key: string, value: string) => ({ key, value });
const create = (name: string, more: object = {}): Call => ['experiments.create', [{ name, tags: [], ...more }]];
const run = (experiment_id: string, run_name: string): Call => [
  'runs.create',
  [{ experiment_id, tags: [], run_name, user_id: 'me', start_time: run_name.charCodeAt(0) }],
];
const search = (question: object): Call => ['experiments.search', [question]];
const RETENTION = 'mlflow.trace.archivalRetention';
const NOW = 'mlflow.trace.archiveNow';

const TAKEN = create('renamed');
const RENAMED: Call = ['experiments.rename', ['1', 'two 模型']];

await forEachStore('experiments', (implementation) => {
  test('from the first to the last', async () => {
    const calls: Call[] = [
      ['experiments.get', ['0']],
      ['experiments.get', ['']],
      create('one', { tags: [pair('t', 'ü'), pair('empty', '')] }),
      run('1', 'a'),
      run('1', 'b'),
      create('two 模型', { artifact_location: 's3://bucket/root/?a=b' }),
      create('three', { artifact_location: 'relative/../place' }),
      create('four', { artifact_location: 'file:relative' }),
      create('five', { artifact_location: '/absolute//place/' }),
      create('six', { artifact_location: 'mlflow-artifacts:/' }),
      create('seven', { artifact_location: '' }),
      create(''),
      create('x'.repeat(501)),
      create('tagged', { tags: [pair('a//b', '1')] }),
      create('tagged', { tags: [pair('k'.repeat(251), '1')] }),
      create('tagged', { tags: [pair('k', 'v'.repeat(20_001))] }),
      create('far', { artifact_location: 'file://elsewhere/place' }),
      ['experiments.getByName', ['one']],
      ['experiments.getByName', ['none']],
      ...['1', '2', '3', '4', '5', '6', '7'].map((id): Call => ['experiments.get', [id]]),
      ['experiments.get', ['99']],
      ['experiments.get', ['99999999999999']],
      ['experiments.get', ['-1']],
      ['experiments.get', [' 0_1 ']],
      ['experiments.get', ['x']],
      ...['2', '3', '4', '5', '6'].map((id) => run(id, 'placed')),
      ['experiments.setTag', ['1', pair('t', 'changed')]],
      ['experiments.setTag', ['1', pair('new', 'x'.repeat(6000))]],
      ['experiments.setTag', ['1', pair('.', 'x')]],
      ['experiments.setTag', ['1', pair('', 'x')]],
      ['experiments.setTag', ['1', pair('k', 'v'.repeat(20_001))]],
      ['experiments.setTag', ['99', pair('k', 'v')]],
      ['experiments.setTag', ['1', pair(RETENTION, '{"type": "duration", "value": " 30d "}')]],
      ['experiments.setTag', ['1', pair(RETENTION, '{"type": "duration", "value": "30y"}')]],
      ['experiments.setTag', ['1', pair(RETENTION, '{"type": "duration"}')]],
      ['experiments.setTag', ['1', pair(RETENTION, '{"type": "other", "value": "1d"}')]],
      ['experiments.setTag', ['1', pair(RETENTION, '[]')]],
      ['experiments.setTag', ['1', pair(RETENTION, 'no json')]],
      ['experiments.setTag', ['1', pair(RETENTION, `{"type": "duration", "value": "1${'0'.repeat(40)}d"}`)]],
      ['experiments.setTag', ['1', pair(NOW, '{}')]],
      ['experiments.setTag', ['1', pair(NOW, '{"older_than": "7h"}')]],
      ['experiments.setTag', ['1', pair(NOW, '{"older_than": 7}')]],
      ['experiments.deleteTag', ['1', 'empty']],
      ['experiments.deleteTag', ['1', 'empty']],
      ['experiments.deleteTag', ['99', 'empty']],
      ['experiments.rename', ['1', 'renamed']],
      ['experiments.rename', ['1', '']],
      ['experiments.rename', ['99', 'x']],
      ['runs.delete', [{ of: 3, path: ['info', 'run_id'] }]],
      ['experiments.delete', ['1']],
      ['experiments.delete', ['1']],
      ['experiments.delete', ['99']],
      ['experiments.get', ['1']],
      ['experiments.getByName', ['renamed']],
      ['experiments.rename', ['1', 'x']],
      ['experiments.setTag', ['1', pair('t', 'x')]],
      ['experiments.deleteTag', ['1', 't']],
      run('1', 'c'),
      ['runs.search', [{ experiment_ids: ['1'], run_view_type: 'ALL' }]],
      search({ view_type: 'DELETED_ONLY' }),
      search({ view_type: 'ALL' }),
      ['experiments.restore', ['1']],
      ['experiments.restore', ['1']],
      ['experiments.restore', ['99']],
      ['runs.search', [{ experiment_ids: ['1'], run_view_type: 'ALL' }]],
      ['experiments.delete', ['0']],
      ['experiments.get', ['0']],
      TAKEN,
      RENAMED,
    ];
    await twins(implementation, oracle, calls, {
      // The words are those of the database's driver.
      inOtherWords: (call) => call === TAKEN || call === RENAMED,
      tables: ['experiments', 'experiment_tags', 'runs', 'tags'],
    });
  });

  test('searches', async () => {
    const before: Call[] = [
      create('alpha', { tags: [pair('team', 'Red'), pair('n', '1')] }),
      create('beta_1', { tags: [pair('team', 'red')] }),
      create('beta 2', { tags: [pair('team', 'blue'), pair('n', '')] }),
      create('100%', { tags: [] }),
      create('deleted', { tags: [pair('team', 'Red')] }),
      ['experiments.delete', ['5']],
    ];
    const filters = [
      "name = 'alpha'",
      "name = 'Alpha'",
      "name != 'alpha'",
      "name LIKE 'b%'",
      "name LIKE 'B%'",
      "name ILIKE 'B%'",
      "name LIKE 'beta__'",
      "attribute.name LIKE '%\\%'",
      "tags.team = 'red'",
      "tags.team != 'red'",
      "tags.team ILIKE 'RED'",
      "tags.team = 'Red' AND name = 'alpha'",
      "tags.team = 'red' AND tags.n = '1'",
      'tags.n IS NULL',
      'tags.n IS NOT NULL',
      "tags.`n` = ''",
      'creation_time > 0',
      `creation_time >= ${Date.UTC(2024, 1, 29, 12) + 1000}`,
      'last_update_time < 5',
      "experiment_id = '1'",
      "experiment_id != '1'",
      "experiment_id IN ('1', '3', '99')",
      "experiment_id NOT IN ('1', '3', '99')",
      "experiment_id = '99999999999999'",
      "experiment_id != '99999999999999'",
      "experiment_id = 'x'",
      "experiment_id > '1'",
      'creation_time > 1.5',
      "name > 'a'",
      'nothing = 1',
      "tags.team IN ('red')",
    ];
    const orders = [
      ['name'],
      ['name DESC'],
      ['experiment_id'],
      ['creation_time ASC', 'name'],
      ['last_update_time DESC'],
      ['tags.team'],
    ];
    await twins(
      implementation,
      oracle,
      [
        ...filters.map((filter) => search({ filter })),
        ...orders.map((order_by) => search({ order_by, view_type: 'ALL' })),
        search({}),
        search({ max_results: 2 }),
        search({ max_results: 2, page_token: 'eyJvZmZzZXQiOiAyfQ==' }),
        search({ max_results: 2, page_token: 'eyJvZmZzZXQiOiA0fQ==', view_type: 'ALL' }),
        search({ max_results: 2, page_token: 'eyJvZmZzZXQiOiA5OX0=' }),
        search({ max_results: 0 }),
        search({ max_results: -1 }),
        search({ max_results: 50_001 }),
      ],
      { before },
    );
  });
});
