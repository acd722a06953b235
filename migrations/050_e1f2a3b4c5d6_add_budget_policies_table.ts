import {
  bigint,
  createTable,
  float,
  index,
  integer,
  optional,
  primaryKey,
  required,
  revision,
  varchar,
} from '../src/schema/operations.js';

export default revision('e1f2a3b4c5d6', {
  parent: '1b5f0d9ad7c1',
  title: 'budget_policies: new table',
  operations: [
    createTable(
      'budget_policies',
      required('budget_policy_id', varchar(36)),
      required('budget_unit', varchar(32)),
      required('budget_amount', float()),
      required('duration_unit', varchar(32)),
      required('duration_value', integer()),
      required('target_scope', varchar(32)),
      required('budget_action', varchar(32)),
      optional('created_by', varchar(255)),
      required('created_at', bigint()),
      optional('last_updated_by', varchar(255)),
      required('last_updated_at', bigint()),
      required('workspace', varchar(63), { default: 'default' }),
      primaryKey('budget_policies_pk', 'budget_policy_id'),
      index('idx_budget_policies_workspace', ['workspace']),
    ),
  ],
});
