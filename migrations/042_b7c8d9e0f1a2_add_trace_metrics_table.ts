import {
  createTable,
  double,
  foreignKey,
  index,
  optional,
  primaryKey,
  required,
  revision,
  varchar,
} from '../src/schema/operations.js';

export default revision('b7c8d9e0f1a2', {
  parent: '1bd49d398cd23',
  title: 'trace_metrics: new table',
  operations: [
    createTable(
      'trace_metrics',
      required('request_id', varchar(50)),
      required('key', varchar(250)),
      optional('value', double()),
      primaryKey('trace_metrics_pk', 'request_id', 'key'),
      foreignKey('fk_trace_metrics_request_id', { columns: ['request_id'], table: 'trace_info', onDelete: 'cascade' }),
      index('index_trace_metrics_request_id', ['request_id']),
    ),
  ],
});
