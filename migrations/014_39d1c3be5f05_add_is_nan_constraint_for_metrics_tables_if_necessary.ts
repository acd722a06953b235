import {
  addCheck,
  alterColumn,
  alterTable,
  alterTableIfNecessary,
  isOneOf,
  revision,
  where,
} from '../src/schema/operations.js';

const isBoolean = where('checksBooleans', addCheck(null, isOneOf('is_nan', [0, 1])));

export default revision('39d1c3be5f05', {
  parent: 'a8c4a736bde6',
  title: 'metrics, latest_metrics: is_nan is checked to be a boolean',
  operations: [
    // SQLAlchemy before 1.4 wrote this check with the table.
    alterTableIfNecessary('latest_metrics', isBoolean),
    // The default is lost where a column is restated: the next revision gives it back.
    alterTable('metrics', where('restatesColumns', alterColumn('is_nan', { default: null })), isBoolean),
  ],
});
