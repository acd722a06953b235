import {
  createTable,
  foreignKey,
  optional,
  primaryKey,
  required,
  revision,
  varchar,
} from '../src/schema/operations.js';

export default revision('728d730b5ebd', {
  parent: '0a8213491aaa',
  title: 'registered_model_tags: new table',
  operations: [
    createTable(
      'registered_model_tags',
      required('key', varchar(250)),
      optional('value', varchar(5000)),
      required('name', varchar(256)),
      primaryKey('registered_model_tag_pk', 'key', 'name'),
      foreignKey(null, { columns: ['name'], table: 'registered_models', onUpdate: 'cascade' }),
    ),
  ],
});
