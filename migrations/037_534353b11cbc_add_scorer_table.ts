import {
  bigint,
  createTable,
  foreignKey,
  index,
  integer,
  optional,
  primaryKey,
  required,
  revision,
  text,
  varchar,
} from '../src/schema/operations.js';

export default revision('534353b11cbc', {
  parent: '1a0cddfcaa16',
  title: 'scorers, scorer_versions: new tables',
  operations: [
    createTable(
      'scorers',
      required('experiment_id', integer()),
      required('scorer_name', varchar(256)),
      required('scorer_id', varchar(36)),
      primaryKey('scorer_pk', 'scorer_id'),
      foreignKey('fk_scorers_experiment_id', { columns: ['experiment_id'], table: 'experiments', onDelete: 'cascade' }),
      index('index_scorers_experiment_id_scorer_name', ['experiment_id', 'scorer_name'], { unique: true }),
    ),
    createTable(
      'scorer_versions',
      required('scorer_id', varchar(36)),
      required('scorer_version', integer()),
      required('serialized_scorer', text()),
      optional('creation_time', bigint()),
      primaryKey('scorer_version_pk', 'scorer_id', 'scorer_version'),
      foreignKey('fk_scorer_versions_scorer_id', { columns: ['scorer_id'], table: 'scorers', onDelete: 'cascade' }),
      index('index_scorer_versions_scorer_id', ['scorer_id']),
    ),
  ],
});
