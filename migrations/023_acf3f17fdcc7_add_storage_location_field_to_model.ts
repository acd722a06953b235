import { addColumn, alterTable, optional, revision, varchar } from '../src/schema/operations.js';

export default revision('acf3f17fdcc7', {
  parent: '2d6e25af4d3e',
  title: 'model_versions.storage_location: new column',
  operations: [alterTable('model_versions', addColumn(optional('storage_location', varchar(500))))],
});
