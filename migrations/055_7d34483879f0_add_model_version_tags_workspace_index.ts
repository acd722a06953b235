import { addIndex, alterTable, revision } from '../src/schema/operations.js';

export default revision('7d34483879f0', {
  parent: 'ae8bbe7743c9',
  title: 'registered_model_tags, model_version_tags: indexes that begin with the workspace',
  operations: [
    alterTable(
      'model_version_tags',
      addIndex('idx_model_version_tags_workspace_name_version', ['workspace', 'name', 'version']),
    ),
    alterTable('registered_model_tags', addIndex('idx_registered_model_tags_workspace_name', ['workspace', 'name'])),
  ],
});
