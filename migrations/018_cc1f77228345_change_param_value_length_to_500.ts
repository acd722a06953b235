import { alterColumn, alterTable, revision, varchar } from '../src/schema/operations.js';

export default revision('cc1f77228345', {
  parent: '0c779009ac13',
  title: 'params.value: 250 to 500 characters',
  operations: [alterTable('params', alterColumn('value', { type: varchar(500) }))],
});
