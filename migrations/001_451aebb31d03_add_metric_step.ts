import { addColumn, alterTable, bigint, required, revision, rowsIn, setPrimaryKey } from '../src/schema/operations.js';

export default revision('451aebb31d03', {
  parent: null,
  title: 'metrics: a step for each point, in the primary key too',
  irreversible: {
    because: 'once two points differ in their step only, the schema without steps cannot hold both',
    counts: [rowsIn('metrics', 'points in metrics')],
  },
  operations: [
    alterTable(
      'metrics',
      addColumn(required('step', bigint(), { default: '0' })),
      setPrimaryKey('metric_pk', 'key', 'timestamp', 'step', 'run_uuid', 'value'),
    ),
  ],
});
