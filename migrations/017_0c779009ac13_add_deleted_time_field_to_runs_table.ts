import { addColumn, alterTable, bigint, optional, revision } from '../src/schema/operations.js';

export default revision('0c779009ac13', {
  parent: 'bd07f7e963c5',
  title: 'runs.deleted_time: new column',
  operations: [alterTable('runs', addColumn(optional('deleted_time', bigint())))],
});
