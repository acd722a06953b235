import { alterColumn, alterTable, revision, text } from '../src/schema/operations.js';

export default revision('4465047574b1', {
  parent: '5b0e9adcef9c',
  title: 'datasets.dataset_schema: 16 MiB, where text holds less',
  operations: [alterTable('datasets', alterColumn('dataset_schema', { type: text({ atLeast: 'medium' }) }))],
});
