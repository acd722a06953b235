import {
  bigint,
  createTable,
  foreignKey,
  integer,
  optional,
  primaryKey,
  required,
  revision,
  unique,
  varchar,
} from '../src/schema/operations.js';

export default revision('2b4d017a5e9b', {
  parent: '89d4b8295536',
  title: 'registered_models, model_versions: new tables',
  operations: [
    createTable(
      'registered_models',
      required('name', varchar(256)),
      optional('creation_time', bigint()),
      optional('last_updated_time', bigint()),
      optional('description', varchar(5000)),
      unique(null, 'name'),
      primaryKey('registered_model_pk', 'name'),
    ),
    createTable(
      'model_versions',
      required('name', varchar(256)),
      required('version', integer()),
      optional('creation_time', bigint()),
      optional('last_updated_time', bigint()),
      optional('description', varchar(5000)),
      optional('user_id', varchar(256)),
      optional('current_stage', varchar(20)),
      optional('source', varchar(500)),
      required('run_id', varchar(32)),
      optional('status', varchar(20)),
      optional('status_message', varchar(500)),
      primaryKey('model_version_pk', 'name', 'version'),
      foreignKey(null, { columns: ['name'], table: 'registered_models', onUpdate: 'cascade' }),
    ),
  ],
});
