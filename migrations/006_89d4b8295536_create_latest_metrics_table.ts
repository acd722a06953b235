import {
  backfill,
  bigint,
  boolean,
  createTable,
  double,
  foreignKey,
  optional,
  primaryKey,
  required,
  revision,
  varchar,
} from '../src/schema/operations.js';

export default revision('89d4b8295536', {
  parent: '7ac759974ad8',
  title: 'latest_metrics: the last point of each metric of each run',
  undo: { comesBack: ['latest_metrics'] },
  operations: [
    createTable(
      'latest_metrics',
      required('key', varchar(250)),
      required('value', double()),
      optional('timestamp', bigint()),
      required('step', bigint()),
      required('is_nan', boolean()),
      required('run_uuid', varchar(32)),
      primaryKey('latest_metric_pk', 'key', 'run_uuid'),
      foreignKey(null, { columns: ['run_uuid'], table: 'runs' }),
    ),
    // Latest: highest step, then timestamp, then value, a NaN counting as the 0 that stands for it, as MLflow's store
    // compares them ever since. MLflow's script fails where a NaN and a number share the last step and timestamp
    // (docs/differences.md).
    backfill({
      title: 'find the latest point of each metric',
      over: { table: 'metrics', key: ['run_uuid', 'key'] },
      reads: ['metrics'],
      writes: ['latest_metrics'],
      statements: ({ id, firstOfEach }, range) => {
        const group = ['run_uuid', 'key'];
        const order = [
          { column: 'step', descending: true },
          { column: 'timestamp', descending: true },
          { column: 'value', descending: true },
          { column: 'is_nan', descending: false },
        ];
        const columns = [...group, ...order.map(({ column }) => column)];
        return [
          `INSERT INTO ${id('latest_metrics')} (${columns.map(id).join(', ')})
SELECT ${columns.map((name) => `m.${id(name)}`).join(', ')}
FROM (${firstOfEach({ table: 'metrics', group, order, range })}) m
WHERE NOT EXISTS (SELECT 1 FROM ${id('latest_metrics')} l WHERE l.${id('key')} = m.${id('key')} AND l.${id('run_uuid')} = m.${id('run_uuid')})`,
        ];
      },
    }),
  ],
});
