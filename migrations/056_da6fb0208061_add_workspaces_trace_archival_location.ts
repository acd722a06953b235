import {
  addColumn,
  alterTable,
  integer,
  optional,
  required,
  revision,
  text,
  varchar,
} from '../src/schema/operations.js';

export default revision('da6fb0208061', {
  parent: '7d34483879f0',
  title: 'trace archival: columns of trace_info and workspaces',
  operations: [
    alterTable('trace_info', addColumn(required('db_payload_generation', integer(), { default: '0' }))),
    alterTable(
      'workspaces',
      addColumn(optional('trace_archival_location', text())),
      addColumn(optional('trace_archival_retention', varchar(32))),
    ),
  ],
});
