import { addForeignKey, alterTable, dropForeignKey, revision } from '../src/schema/operations.js';

const cascade = (table: string) =>
  alterTable(
    table,
    dropForeignKey(['request_id'], 'trace_info'),
    addForeignKey(`fk_${table}_request_id`, { columns: ['request_id'], table: 'trace_info', onDelete: 'cascade' }),
  );

export default revision('5b0e9adcef9c', {
  parent: '867495a8f9d4',
  title: 'trace_tags, trace_request_metadata: deleted with their trace',
  operations: [cascade('trace_tags'), cascade('trace_request_metadata')],
});
