import { addColumn, alterTable, json, optional, revision } from '../src/schema/operations.js';

export default revision('c3d6457b6d8a', {
  parent: '76601a5f987d',
  title: 'jobs.status_details: new column',
  operations: [alterTable('jobs', addColumn(optional('status_details', json())))],
});
