import { addForeignKey, alterTable, dropForeignKey, revision } from '../src/schema/operations.js';

export default revision('6f8d9c3b2a1e', {
  parent: 'c3d9e7f1a2b4',
  title: 'trace_info: deleted with its experiment',
  operations: [
    alterTable(
      'trace_info',
      dropForeignKey(['experiment_id'], 'experiments'),
      addForeignKey('fk_trace_info_experiment_id', {
        columns: ['experiment_id'],
        table: 'experiments',
        onDelete: 'cascade',
      }),
    ),
  ],
});
