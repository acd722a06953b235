import { addIndex, alterTable, revision } from '../src/schema/operations.js';

export default revision('1971f2d9a75b', {
  parent: '6f8d9c3b2a1e',
  title: 'trace_info: index on time and id',
  operations: [
    alterTable('trace_info', addIndex('index_trace_info_timestamp_ms_request_id', ['timestamp_ms', 'request_id'])),
  ],
});
