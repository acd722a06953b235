import { createTable, foreignKey, integer, primaryKey, required, revision, varchar } from '../src/schema/operations.js';

export default revision('3500859a5d39', {
  parent: '97727af70f4d',
  title: 'registered_model_aliases: new table',
  operations: [
    // MLflow 2.3.0 shipped the table before the revision: like every createTable, this one is done where it is there.
    createTable(
      'registered_model_aliases',
      required('alias', varchar(256)),
      required('version', integer()),
      required('name', varchar(256)),
      primaryKey('registered_model_alias_pk', 'name', 'alias'),
      foreignKey('registered_model_alias_name_fkey', {
        columns: ['name'],
        table: 'registered_models',
        onDelete: 'cascade',
        onUpdate: 'cascade',
      }),
    ),
  ],
});
