import {
  addColumn,
  alterColumn,
  alterTable,
  boolean,
  double,
  required,
  revision,
  rowsIn,
  setPrimaryKey,
} from '../src/schema/operations.js';

export default revision('181f10493468', {
  parent: '90e64c465722',
  title: 'metrics: double precision, and NaN as a value of its own',
  irreversible: {
    because:
      'the schema before it has no way to say NaN; where values were single precision, they stay rounded to it (0.1 reads 0.10000000149011612)',
    counts: [rowsIn('metrics', 'points in metrics')],
  },
  undo: { never: 'single precision, and no way to say NaN, is what the schema before it has: values would be rounded' },
  operations: [
    alterTable(
      'metrics',
      alterColumn('value', { type: double(), nullable: false }),
      addColumn(required('is_nan', boolean(), { default: '0' })),
      setPrimaryKey('metric_pk', 'key', 'timestamp', 'step', 'run_uuid', 'value', 'is_nan'),
    ),
  ],
});
