import { addColumn, alterTable, optional, revision, varchar } from '../src/schema/operations.js';

export default revision('b7e2c1a4d9f3', {
  parent: '17e22815139b',
  title: 'jobs.creator: new column',
  operations: [alterTable('jobs', addColumn(optional('creator', varchar(255))))],
});
