import { alterColumn, alterTable, revision, varchar } from '../src/schema/operations.js';

export default revision('7ac759974ad8', {
  parent: 'df50e92ffc5e',
  title: 'tags.value: 250 to 5000 characters',
  operations: [alterTable('tags', alterColumn('value', { type: varchar(5000) }))],
});
