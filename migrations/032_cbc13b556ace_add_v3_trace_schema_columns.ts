import { addColumn, alterTable, optional, revision, varchar } from '../src/schema/operations.js';

export default revision('cbc13b556ace', {
  parent: 'bda7b8c39065',
  title: 'trace_info: client id and previews of request and response',
  operations: [
    alterTable(
      'trace_info',
      addColumn(optional('client_request_id', varchar(50))),
      addColumn(optional('request_preview', varchar(1000))),
      addColumn(optional('response_preview', varchar(1000))),
    ),
  ],
});
