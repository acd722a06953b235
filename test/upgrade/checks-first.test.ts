/** Checks that are made with their table: which, and when not. That the end is the same is tested in goldens.test.ts. */
import { expect, test } from 'vitest';
import {
  addCheck,
  addColumn,
  alterTable,
  backfill,
  createTable,
  integer,
  isOneOf,
  optional,
  required,
} from '../../src/schema/operations.js';
import { checksFirst } from '../../src/upgrade/checks-first.js';

const make = createTable('made', required('id', integer()));
const fill = backfill({
  title: 'fill it',
  over: { table: 'runs', key: 'run_uuid' },
  writes: ['made'],
  statements: () => [],
});
const check = (copies?: number) => alterTable('made', addCheck(null, isOneOf('id', [0, 1]), copies));
const column = alterTable('made', addColumn(optional('more', integer())));

/** What becomes of operations of the revisions a, b, c …: the revisions of each, and the checks that a table is made with. */
const joined = (...operations: Parameters<typeof checksFirst>[0][number]['operation'][]) =>
  checksFirst(
    operations.map((operation, i) => {
      const id = String.fromCharCode(97 + i);
      return { revisions: [id], at: id, operation };
    }),
  ).map(({ revisions, at, operation }) => ({
    does: revisions.join(''),
    at,
    checks: operation.op === 'createTable' ? operation.table.checks.length : null,
  }));

test('a check of a later revision is made with the table, rows in between or not', () => {
  expect(joined(make, fill, check())).toEqual([
    { does: 'ac', at: 'a', checks: 1 },
    { does: 'b', at: 'b', checks: null },
  ]);
  expect(joined(make, check(), check())).toEqual([{ does: 'abc', at: 'a', checks: 2 }]);
});

test.each([
  { what: 'the table was there before', operations: [fill, check()] },
  { what: 'the table was changed in between', operations: [make, column, check()] },
  { what: 'there must be two of it', operations: [make, check(2)] },
])('not where $what', ({ operations }) => {
  expect(joined(...operations).every(({ does, checks }) => does.length === 1 && !checks)).toBe(true);
});
