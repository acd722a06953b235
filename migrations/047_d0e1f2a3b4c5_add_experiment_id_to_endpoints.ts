import {
  addColumn,
  addForeignKey,
  alterTable,
  boolean,
  integer,
  optional,
  required,
  revision,
} from '../src/schema/operations.js';

export default revision('d0e1f2a3b4c5', {
  parent: 'd3e4f5a6b7c8',
  title: 'endpoints: experiment and usage tracking',
  operations: [
    alterTable(
      'endpoints',
      addColumn(optional('experiment_id', integer())),
      addColumn(required('usage_tracking', boolean(), { default: '0' })),
      addForeignKey('fk_endpoints_experiment_id', {
        columns: ['experiment_id'],
        table: 'experiments',
        onDelete: 'set null',
      }),
    ),
  ],
});
