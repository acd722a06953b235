import {
  bigint,
  createTable,
  double,
  index,
  integer,
  optional,
  primaryKey,
  required,
  revision,
  text,
  varchar,
} from '../src/schema/operations.js';

export default revision('bf29a5ff90ea', {
  parent: '3da73c924c2f',
  title: 'jobs: new table',
  operations: [
    createTable(
      'jobs',
      required('id', varchar(36)),
      required('creation_time', bigint()),
      required('function_fullname', varchar(500)),
      required('params', text()),
      optional('timeout', double()),
      required('status', integer()),
      optional('result', text()),
      required('retry_count', integer()),
      required('last_update_time', bigint()),
      primaryKey('jobs_pk', 'id'),
      index('index_jobs_function_status_creation_time', ['function_fullname', 'status', 'creation_time']),
    ),
  ],
});
