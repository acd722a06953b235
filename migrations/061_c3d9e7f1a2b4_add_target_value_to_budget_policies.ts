import { addColumn, addIndex, alterTable, optional, revision, varchar } from '../src/schema/operations.js';

export default revision('c3d9e7f1a2b4', {
  parent: 'c1d2e3f4a5b6',
  title: 'budget_policies.target_value: new column and index',
  operations: [
    alterTable(
      'budget_policies',
      addColumn(optional('target_value', varchar(255))),
      addIndex('idx_budget_policies_target_value', ['target_value']),
    ),
  ],
});
