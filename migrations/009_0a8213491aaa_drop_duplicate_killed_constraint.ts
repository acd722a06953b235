import { alterTable, dropCheck, isOneOf, revision, rowsIn } from '../src/schema/operations.js';
import { STATUSES_WITHOUT_KILLED } from './008_cfd24bdc0731_update_run_status_constraint_with_killed.js';

export default revision('0a8213491aaa', {
  parent: 'cfd24bdc0731',
  title: 'runs.status: the check that refuses KILLED goes, where it is still there',
  irreversible: {
    because: 'the check that goes would refuse runs that are KILLED',
    counts: [rowsIn('runs', 'runs that are KILLED', ({ id, literal }) => `${id('status')} = ${literal('KILLED')}`)],
  },
  operations: [alterTable('runs', dropCheck(isOneOf('status', STATUSES_WITHOUT_KILLED)))],
});
