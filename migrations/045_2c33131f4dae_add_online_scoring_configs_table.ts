import {
  createTable,
  double,
  foreignKey,
  integer,
  optional,
  primaryKey,
  required,
  revision,
  text,
  varchar,
} from '../src/schema/operations.js';

export default revision('2c33131f4dae', {
  parent: 'c9d4e5f6a7b8',
  title: 'online_scoring_configs: new table',
  operations: [
    createTable(
      'online_scoring_configs',
      required('online_scoring_config_id', varchar(36)),
      required('scorer_id', varchar(36)),
      required('sample_rate', double()),
      required('experiment_id', integer()),
      optional('filter_string', text()),
      primaryKey('online_scoring_config_pk', 'online_scoring_config_id'),
      foreignKey('fk_online_scoring_configs_scorer_id', {
        columns: ['scorer_id'],
        table: 'scorers',
        onDelete: 'cascade',
      }),
      foreignKey('fk_online_scoring_configs_experiment_id', { columns: ['experiment_id'], table: 'experiments' }),
    ),
  ],
});
