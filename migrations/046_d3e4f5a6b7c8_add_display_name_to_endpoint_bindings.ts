import { addColumn, alterTable, optional, revision, varchar } from '../src/schema/operations.js';

export default revision('d3e4f5a6b7c8', {
  parent: '2c33131f4dae',
  title: 'endpoint_bindings.display_name: new column',
  operations: [alterTable('endpoint_bindings', addColumn(optional('display_name', varchar(255))))],
});
