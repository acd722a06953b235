import { alterColumn, alterTable, revision, text } from '../src/schema/operations.js';

export default revision('17e22815139b', {
  parent: '1971f2d9a75b',
  title: 'experiment_tags.value: 5000 characters to text',
  operations: [
    alterTable('experiment_tags', alterColumn('value', { type: text({ atLeast: 'medium', unicode: true }) })),
  ],
});
