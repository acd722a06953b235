import { addColumn, alterTable, bigint, required, revision } from '../src/schema/operations.js';

export default revision('6953534de441', {
  parent: '400f98739977',
  title: 'inputs.step: new column',
  operations: [alterTable('inputs', addColumn(required('step', bigint(), { default: '0' })))],
});
