import { addColumn, alterTable, bigint, optional, revision } from '../src/schema/operations.js';

export default revision('97727af70f4d', {
  parent: 'cc1f77228345',
  title: 'experiments: creation_time and last_update_time',
  operations: [
    alterTable(
      'experiments',
      addColumn(optional('creation_time', bigint())),
      addColumn(optional('last_update_time', bigint())),
    ),
  ],
});
