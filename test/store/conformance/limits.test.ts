/** Limits that MLflow takes from its environment: the same calls are refused in the same words. */
import { expect, test } from 'vitest';
import { SERVERS, withDatabase } from '../../support/databases.js';
import { ORACLE_HEAD } from '../../support/mlflow.js';
import { type Call, Oracle, type Reference } from '../../support/oracle.js';
import { upgradeTo } from '../../support/state.js';
import { START } from '../../support/twin.js';
import { databaseStore } from '../implementations.js';

const RUN: Reference = { of: 0, path: ['info', 'run_id'] };
const LONG = 'x'.repeat(9000);
const pair = (key: string, value: string) => ({ key, value });
const batch = (params: readonly object[], tags: readonly object[]): Call => [
  'runs.logBatch',
  [RUN, { metrics: [], params, tags }],
];
const CALLS: readonly Call[] = [
  ['runs.create', [{ experiment_id: '0', tags: [], run_name: 'r', user_id: 'me', start_time: 1 }]],
  ['runs.logParam', [RUN, pair('p', LONG)]],
  ['runs.setTag', [RUN, pair('t', LONG)]],
  batch([pair('p', 'short'), pair('q', LONG)], []),
  batch([], [pair('t', 'short'), pair('u', LONG)]),
  ['experiments.create', [{ name: 'far', tags: [], artifact_location: `s3://bucket/${'y'.repeat(60)}` }]],
  ['experiments.create', [{ name: 'near', tags: [], artifact_location: 's3://bucket/y' }]],
];

const ENVIRONMENT = { MLFLOW_TRUNCATE_LONG_VALUES: 'false', MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH: '50' };

test('long values are refused, and locations that are longer than is said', async () => {
  await withDatabase(SERVERS.sqlite.empty, async (database) => {
    await upgradeTo(database, ORACLE_HEAD);
    await using mine = databaseStore(await SERVERS.sqlite.copy(database));
    const { runs, experiments } = await mine.open({
      limits: { truncateLongValues: false, artifactLocationLength: 50 },
    });
    const { info } = await runs.create({ experiment_id: '0', tags: [] });
    const said = async (call: Promise<unknown>) =>
      call.then(
        () => 'fine',
        (error: unknown) => (error as Error).message,
      );
    const metrics: never[] = [];
    const ours = [
      'fine',
      await said(runs.logParam(info.run_id, pair('p', LONG))),
      await said(runs.setTag(info.run_id, pair('t', LONG))),
      await said(runs.logBatch(info.run_id, { metrics, params: [pair('p', 'short'), pair('q', LONG)], tags: [] })),
      await said(runs.logBatch(info.run_id, { metrics, params: [], tags: [pair('t', 'short'), pair('u', LONG)] })),
      await said(experiments.create({ name: 'far', tags: [], artifact_location: `s3://bucket/${'y'.repeat(60)}` })),
      await said(experiments.create({ name: 'near', tags: [], artifact_location: 's3://bucket/y' })),
    ];
    Object.assign(process.env, ENVIRONMENT);
    try {
      await using oracle = new Oracle();
      const theirs = await oracle.script(database.uri, '/a', START, CALLS);
      expect(ours).toEqual(theirs.map((answer) => ('error' in answer ? answer.error[1] : 'fine')));
      expect(ours.filter((each) => each === 'fine')).toHaveLength(2);
    } finally {
      for (const name of Object.keys(ENVIRONMENT)) delete process.env[name];
    }
  });
});
