import {
  addColumn,
  addForeignKey,
  addIndex,
  addUnique,
  alterTable,
  createTable,
  dropForeignKey,
  dropIndex,
  dropUnique,
  insertRow,
  optional,
  primaryKey,
  required,
  revision,
  setPrimaryKey,
  text,
  varchar,
} from '../src/schema/operations.js';

const workspace = addColumn(required('workspace', varchar(63), { default: 'default' }));
const ofModel = { columns: ['workspace', 'name'], table: 'registered_models', onUpdate: 'cascade' } as const;
const ofVersion = {
  columns: ['workspace', 'name', 'version'],
  table: 'model_versions',
  onUpdate: 'cascade',
} as const;

/** A resource whose name was unique, and is unique in its workspace from here on. */
const named = (table: string, name: string, unique: string) =>
  alterTable(
    table,
    dropUnique(name),
    workspace,
    addUnique(unique, 'workspace', name),
    addIndex(`idx_${table}_workspace`, ['workspace']),
  );

export default revision('1b5f0d9ad7c1', {
  parent: 'c8d9e0f1a2b3',
  title: 'workspaces: a column in twelve tables, and in the keys of the registry',
  notes: ['Everything that is there belongs to the workspace "default" afterwards.'],
  operations: [
    named('experiments', 'name', 'uq_experiments_workspace_name'),
    alterTable('experiments', addIndex('idx_experiments_workspace_creation_time', ['workspace', 'creation_time'])),

    // A key that is referred to cannot change: the references go first and come back on the new keys.
    alterTable('model_version_tags', dropForeignKey(['name', 'version'], 'model_versions')),
    alterTable('model_versions', dropForeignKey(['name'], 'registered_models')),
    alterTable('registered_model_tags', dropForeignKey(['name'], 'registered_models')),
    alterTable('registered_model_aliases', dropForeignKey(['name'], 'registered_models')),

    alterTable(
      'registered_models',
      dropUnique('name'),
      workspace,
      setPrimaryKey('registered_model_pk', 'workspace', 'name'),
      addIndex('idx_registered_models_workspace', ['workspace']),
    ),
    alterTable(
      'model_versions',
      workspace,
      setPrimaryKey('model_version_pk', 'workspace', 'name', 'version'),
      addForeignKey('fk_model_versions_registered_models', ofModel),
    ),
    alterTable(
      'registered_model_tags',
      workspace,
      setPrimaryKey('registered_model_tag_pk', 'workspace', 'key', 'name'),
      addForeignKey('fk_registered_model_tags_registered_models', ofModel),
    ),
    alterTable(
      'model_version_tags',
      workspace,
      setPrimaryKey('model_version_tag_pk', 'workspace', 'key', 'name', 'version'),
      addForeignKey('fk_model_version_tags_model_versions', ofVersion),
    ),
    alterTable(
      'registered_model_aliases',
      workspace,
      setPrimaryKey('registered_model_alias_pk', 'workspace', 'name', 'alias'),
      addForeignKey('fk_registered_model_aliases_registered_models', { ...ofModel, onDelete: 'cascade' }),
    ),

    alterTable('evaluation_datasets', workspace, addIndex('idx_evaluation_datasets_workspace', ['workspace'])),
    alterTable('webhooks', workspace, addIndex('idx_webhooks_workspace', ['workspace'])),
    named('secrets', 'secret_name', 'uq_secrets_workspace_secret_name'),
    named('endpoints', 'name', 'uq_endpoints_workspace_name'),
    named('model_definitions', 'name', 'uq_model_definitions_workspace_name'),
    alterTable(
      'jobs',
      dropIndex('index_jobs_name_status_creation_time'),
      workspace,
      addIndex('index_jobs_name_status_creation_time', ['job_name', 'workspace', 'status', 'creation_time']),
    ),

    createTable(
      'workspaces',
      required('name', varchar(63)),
      optional('description', text()),
      optional('default_artifact_root', text()),
      primaryKey('workspaces_pk', 'name'),
    ),
    insertRow('workspaces', { name: 'default', description: 'Default workspace for legacy resources' }),
  ],
});
