import { alterColumn, alterTable, revision, varchar } from '../src/schema/operations.js';

export default revision('f5a4f2784254', {
  parent: '4465047574b1',
  title: 'tags.value: 5000 to 8000 characters',
  operations: [alterTable('tags', alterColumn('value', { type: varchar(8000) }))],
});
