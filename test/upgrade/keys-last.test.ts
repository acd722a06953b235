/** Keys that are given to a table when it is full: which, and when not. That the end is the same is tested in goldens.test.ts. */
import { expect, test } from 'vitest';
import { postgresql } from '../../src/dialect/postgresql/index.js';
import { schemaAt } from '../../src/schema/lineage.js';
import { EMPTY_SCHEMA } from '../../src/schema/model.js';
import {
  backfill,
  createTable,
  foreignKey,
  integer,
  type Operation,
  primaryKey,
  required,
} from '../../src/schema/operations.js';
import { keysLast } from '../../src/upgrade/keys-last.js';
import { planOffline } from '../../src/upgrade/script.js';

const made = createTable('made', required('id', integer()), primaryKey('made_pk', 'id'));
const filling = (more: { over?: string; reads?: readonly string[] } = {}) =>
  backfill({
    title: 'fill it',
    over: { table: more.over ?? 'runs', key: 'run_uuid' },
    reads: more.reads ?? [],
    writes: ['made'],
    statements: () => [],
  });
const child = createTable(
  'child',
  required('id', integer()),
  foreignKey(null, { columns: ['id'], table: 'made', references: ['id'] }),
);

/** The operations in their order, in a word each. */
function order(
  operations: readonly Operation[],
  at: readonly string[] = operations.map(() => 'a'),
  live = EMPTY_SCHEMA,
) {
  const fused = operations.map((operation, i) => ({ revisions: [at[i] ?? ''], at: at[i] ?? '', operation }));
  return keysLast(fused, live).map(({ operation }) => {
    if (operation.op === 'createTable')
      return `${operation.table.name}${operation.table.primaryKey ? ' with its key' : ''}`;
    return operation.op === 'alterTable' ? `key of ${operation.table}` : operation.op;
  });
}

test('a table that is filled in its revision gets its keys behind the last rows', () => {
  expect(order([made, filling(), filling()])).toEqual(['made', 'backfill', 'backfill', 'key of made']);
});

test.each([
  { what: 'nothing fills it', operations: [made] },
  { what: 'it is filled in another revision', operations: [made, filling()], at: ['a', 'b'] },
  { what: 'its own rows are gone through', operations: [made, filling({ over: 'made' })] },
  { what: 'its own rows are read', operations: [made, filling({ reads: ['made'] })] },
  { what: 'another table refers to it before', operations: [made, child, filling()] },
])('not where $what', ({ operations, at }) => {
  expect(order(operations, at)[0]).toBe('made with its key');
});

test('a table that is there already, half filled by another program, keeps its keys', () => {
  const live = schemaAt('89d4b8295536', postgresql.traits);
  const [create = made] = planOffline('7ac759974ad8', '89d4b8295536', postgresql).revisions.flatMap(
    ({ revision }) => revision.operations,
  );
  expect(order([create, filling()], ['a', 'a'], live)[0]).toBe('latest_metrics with its key');
});

test('on PostgreSQL so it is with latest_metrics, which has a row for every metric of every run', () => {
  const plan = planOffline('7ac759974ad8', '89d4b8295536', postgresql);
  const statements = plan.revisions.flatMap(({ steps }) =>
    steps.flatMap((step) => step.statements.map(({ sql }) => sql)),
  );
  expect(statements.map((sql) => [sql.split(' ')[0], /PRIMARY KEY/.test(sql), /REFERENCES/.test(sql)])).toEqual([
    ['CREATE', false, false],
    ['INSERT', false, false],
    ['ALTER', true, true],
  ]);
});
