import {
  addColumn,
  alterTable,
  createTable,
  double,
  foreignKey,
  index,
  json,
  optional,
  primaryKey,
  required,
  revision,
  varchar,
} from '../src/schema/operations.js';

export default revision('c8d9e0f1a2b3', {
  parent: 'd0e1f2a3b4c5',
  title: 'span_metrics: new table; spans.dimension_attributes: new column',
  operations: [
    createTable(
      'span_metrics',
      required('trace_id', varchar(50)),
      required('span_id', varchar(50)),
      required('key', varchar(250)),
      optional('value', double()),
      primaryKey('span_metrics_pk', 'trace_id', 'span_id', 'key'),
      foreignKey('fk_span_metrics_span', { columns: ['trace_id', 'span_id'], table: 'spans', onDelete: 'cascade' }),
      index('index_span_metrics_trace_id_span_id', ['trace_id', 'span_id']),
    ),
    alterTable('spans', addColumn(optional('dimension_attributes', json()))),
  ],
});
