import { addColumn, alterTable, optional, revision, varchar } from '../src/schema/operations.js';

export default revision('84291f40a231', {
  parent: '27a6a02d2cf1',
  title: 'model_versions.run_link: new column',
  operations: [alterTable('model_versions', addColumn(optional('run_link', varchar(500))))],
});
