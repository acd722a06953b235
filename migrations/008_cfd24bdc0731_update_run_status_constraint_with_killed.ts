import {
  addCheck,
  alterColumn,
  alterTable,
  dropCheck,
  isOneOf,
  revision,
  varchar,
  where,
} from '../src/schema/operations.js';

export const STATUSES_WITHOUT_KILLED = ['SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING'];

export default revision('cfd24bdc0731', {
  parent: '2b4d017a5e9b',
  title: 'runs.status: KILLED is allowed',
  operations: [
    alterTable(
      'runs',
      where('dropsCheckOfOldType', dropCheck(isOneOf('status', STATUSES_WITHOUT_KILLED))),
      alterColumn('status', { type: varchar(9) }),
      addCheck(null, isOneOf('status', [...STATUSES_WITHOUT_KILLED, 'KILLED'])),
    ),
  ],
});
