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

export default revision('df50e92ffc5e', {
  parent: '181f10493468',
  title: 'experiment_tags: new table',
  operations: [
    createTable(
      'experiment_tags',
      required('key', varchar(250)),
      optional('value', varchar(5000)),
      required('experiment_id', integer()),
      primaryKey('experiment_tag_pk', 'key', 'experiment_id'),
      foreignKey(null, { columns: ['experiment_id'], table: 'experiments' }),
    ),
  ],
});
