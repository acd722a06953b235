import { alterColumn, alterTable, revision, text } from '../src/schema/operations.js';

export default revision('bda7b8c39065', {
  parent: '6953534de441',
  title: 'model_version_tags.value: 5000 characters to text',
  operations: [alterTable('model_version_tags', alterColumn('value', { type: text() }))],
});
