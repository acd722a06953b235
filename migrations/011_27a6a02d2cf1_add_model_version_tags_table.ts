import {
  createTable,
  foreignKey,
  integer,
  optional,
  primaryKey,
  required,
  revision,
  varchar,
} from '../src/schema/operations.js';

export default revision('27a6a02d2cf1', {
  parent: '728d730b5ebd',
  title: 'model_version_tags: new table',
  operations: [
    createTable(
      'model_version_tags',
      required('key', varchar(250)),
      optional('value', varchar(5000)),
      required('name', varchar(256)),
      required('version', integer()),
      primaryKey('model_version_tag_pk', 'key', 'name', 'version'),
      foreignKey(null, { columns: ['name', 'version'], table: 'model_versions', onUpdate: 'cascade' }),
    ),
  ],
});
