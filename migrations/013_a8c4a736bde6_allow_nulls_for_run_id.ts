import { alterColumn, alterTable, revision } from '../src/schema/operations.js';

export default revision('a8c4a736bde6', {
  parent: '84291f40a231',
  title: 'model_versions.run_id: may be null',
  operations: [alterTable('model_versions', alterColumn('run_id', { nullable: true }))],
});
