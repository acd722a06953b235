import { addCheck, alterColumn, alterTable, isOneOf, revision, where } from '../src/schema/operations.js';

export default revision('c48cb773bb87', {
  parent: '39d1c3be5f05',
  title: 'metrics.is_nan: its default again, where the revision before lost it',
  operations: [
    where(
      'restatesColumns',
      // MLflow's script adds the check a second time; databases have had both ever since.
      alterTable('metrics', alterColumn('is_nan', { default: '0' }), addCheck(null, isOneOf('is_nan', [0, 1]), 2)),
    ),
  ],
});
