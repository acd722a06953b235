/** Where the database store does not do as MLflow's, on purpose: see docs/differences.md. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SERVERS, withDatabase } from '../../support/databases.js';
import { ORACLE_HEAD } from '../../support/mlflow.js';
import { type Answer, type Call, Oracle, type Reference } from '../../support/oracle.js';
import { run, upgradeTo } from '../../support/state.js';
import { START, script } from '../../support/twin.js';
import { databaseStore, forEachDatabaseStore } from '../implementations.js';

let oracle: Oracle;
beforeAll(() => {
  oracle = new Oracle();
});
afterAll(() => oracle[Symbol.asyncDispose]());

const RUN: Reference = { of: 0, path: ['info', 'run_id'] };
const create: Call = ['runs.create', [{ experiment_id: '0', tags: [], run_name: 'r', user_id: 'me', start_time: 1 }]];
const metric = (key: string, value: number): Call => [
  'runs.logMetric',
  [RUN, { key, value, timestamp: 1, step: value }],
];
const failed = (answers: readonly Answer[]) => answers.map((answer) => ('error' in answer ? answer.error[0] : 'fine'));

await forEachDatabaseStore('differences', ({ fresh, server }) => {
  test.skipIf(server.dialect !== 'mysql')('names and values that differ in case only', async () => {
    const calls: Call[] = [
      create,
      ['runs.logParam', [RUN, { key: 'p', value: 'a' }]],
      ['runs.logParam', [RUN, { key: 'p', value: 'A' }]],
      metric('m', 1),
      metric('M', 2),
    ];
    await using mine = await fresh(ORACLE_HEAD);
    await using other = await fresh(ORACLE_HEAD);
    const ours = await script(mine, calls);
    const theirs = await oracle.script(other.uri, other.artifactRoot, START, calls);
    expect(failed(ours)).toEqual(['fine', 'fine', 'INVALID_PARAMETER_VALUE', 'fine', 'fine']);
    expect(failed(theirs)).toEqual(['fine', 'fine', 'fine', 'fine', 'BAD_REQUEST']);
    const store = await mine.open();
    const [first] = ours as { result: { info: { run_id: string } } }[];
    const { data } = await store.runs.get(first?.result.info.run_id ?? '');
    expect(data.params).toEqual([{ key: 'p', value: 'a' }]);
    expect(data.metrics).toEqual([{ key: 'm', value: 2, timestamp: 1, step: 2 }]);
    expect((await store.metrics.history(first?.result.info.run_id ?? '', 'm')).items).toHaveLength(2);
  });
});

test('a database without an experiment 0, in which another one is called Default', async () => {
  await withDatabase(SERVERS.sqlite.empty, async (database) => {
    await upgradeTo(database, ORACLE_HEAD);
    await run(
      database,
      "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, workspace) VALUES (5, 'Default', '/a', 'active', 'default')",
    );
    await using mine = databaseStore(await SERVERS.sqlite.copy(database));
    const store = await mine.open();
    expect((await store.experiments.search({})).items.map(({ experiment_id }) => experiment_id)).toEqual(['5']);
    await expect(oracle.script(database.uri, '/a', START, [])).rejects.toThrow('UNIQUE constraint failed');
  });
});
