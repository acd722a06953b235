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
  varchar,
} from '../src/schema/operations.js';

export default revision('867495a8f9d4', {
  parent: 'acf3f17fdcc7',
  title: 'trace_info, trace_tags, trace_request_metadata: new tables',
  operations: [
    createTable(
      'trace_info',
      required('request_id', varchar(50)),
      required('experiment_id', integer()),
      required('timestamp_ms', bigint()),
      optional('execution_time_ms', bigint()),
      required('status', varchar(50)),
      primaryKey('trace_info_pk', 'request_id'),
      foreignKey('fk_trace_info_experiment_id', { columns: ['experiment_id'], table: 'experiments' }),
      index('index_trace_info_experiment_id_timestamp_ms', ['experiment_id', 'timestamp_ms']),
    ),
    createTable(
      'trace_tags',
      required('key', varchar(250)),
      optional('value', varchar(8000)),
      required('request_id', varchar(50)),
      primaryKey('trace_tag_pk', 'key', 'request_id'),
      foreignKey('fk_trace_tags_request_id', { columns: ['request_id'], table: 'trace_info' }),
      index('index_trace_tags_request_id', ['request_id']),
    ),
    createTable(
      'trace_request_metadata',
      required('key', varchar(250)),
      optional('value', varchar(8000)),
      required('request_id', varchar(50)),
      primaryKey('trace_request_metadata_pk', 'key', 'request_id'),
      foreignKey('fk_trace_request_metadata_request_id', { columns: ['request_id'], table: 'trace_info' }),
      index('index_trace_request_metadata_request_id', ['request_id']),
    ),
  ],
});
