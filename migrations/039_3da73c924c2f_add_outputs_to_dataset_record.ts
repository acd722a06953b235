import { addColumn, alterTable, json, optional, revision } from '../src/schema/operations.js';

export default revision('3da73c924c2f', {
  parent: '71994744cf8e',
  title: 'evaluation_dataset_records.outputs: new column',
  operations: [alterTable('evaluation_dataset_records', addColumn(optional('outputs', json())))],
});
