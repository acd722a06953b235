/** What the file store does with a filter and an order: MLflow's way of comparing and sorting records in memory. */
import { invalidParameter } from '../errors.js';
import type { Clause, Comparison, Entity, Kind, Order } from './ast.js';
import { checkFilter } from './check.js';

/** What a record has under a name; `undefined` and `null` are both nothing. */
export type Found = string | number | null | undefined;

/** A record that can be searched. */
export interface Searchable {
  /** Attributes under the names of the grammar's table, without an alias. A metric may be NaN. */
  find(kind: Kind, key: string, dataset?: Order['dataset']): Found;
  /** Each dataset of a run has a name and a digest; its contexts are the values of its tags mlflow.data.context. */
  findEach?(kind: 'dataset', key: string): readonly string[];
}

/** Whether a record meets every clause; the clauses are checked once, for what a file store can answer. */
export function matcher(entity: Entity, clauses: readonly Clause[]): (record: Searchable) => boolean {
  const tests = checkFilter(entity, clauses, 'file').map((comparison) => testOf(entity, comparison));
  return (record) => tests.every((test) => test(record));
}

export function matches(entity: Entity, comparison: Comparison, record: Searchable): boolean {
  return testOf(entity, comparison)(record);
}

function testOf(entity: Entity, comparison: Comparison): (record: Searchable) => boolean {
  const { kind, key, comparator } = comparison;
  if (comparator === 'IS NULL') return (record) => record.find(kind, key) == null;
  if (comparator === 'IS NOT NULL') return (record) => record.find(kind, key) != null;
  const test = valueTest(comparison);
  if (kind === 'dataset') return (record) => record.findEach?.(kind, key).some(test) ?? false;
  // What is missing meets nothing, but that an experiment's time is unequal to any.
  const missing = entity === 'experiments' && kind === 'attribute' && comparator === '!=';
  return (record) => {
    const found = record.find(kind, key);
    return found == null ? missing : test(found);
  };
}

type Test = (found: string | number) => boolean;

/** A text never equals a number. An order between the two is one that MLflow fails on: here neither is first. */
function valueTest({ comparator, value }: Comparison): Test {
  if (Array.isArray(value)) {
    const members = new Set<string | number>(value);
    return (found) => members.has(found) === (comparator === 'IN');
  }
  if (typeof value !== 'string' && typeof value !== 'number') return () => false;
  if (comparator === 'LIKE' || comparator === 'ILIKE') {
    const pattern = likePattern(String(value), comparator === 'ILIKE');
    return (found) => pattern.test(String(found));
  }
  const accepts = ACCEPTED[comparator];
  if (accepts === undefined) throw invalidParameter(`Invalid comparator '${comparator}'`);
  return (found) =>
    typeof found === typeof value ? accepts(compare(found, value)) : comparator === '!=' && found !== value;
}

/** By the result of a comparison, which is NaN where a NaN takes part: only != is true then. */
const ACCEPTED: Partial<Record<Comparison['comparator'], (result: number) => boolean>> = {
  '=': (result) => result === 0,
  '!=': (result) => result !== 0,
  '<': (result) => result < 0,
  '<=': (result) => result <= 0,
  '>': (result) => result > 0,
  '>=': (result) => result >= 0,
};

function compare(one: string | number, other: string | number): number {
  if (one === other) return 0;
  if (typeof one === 'string' && typeof other === 'string') return compareTexts(one, other);
  return one < other ? -1 : one > other ? 1 : Number.NaN;
}

/** Python compares texts by code points, JavaScript by UTF-16 units. */
function compareTexts(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  let at = 0;
  while (at < length && one[at] === other[at]) at += 1;
  if (at === length) return one.length - other.length;
  // Where two pairs share their first half, what is left of both are the second halves, and these compare as they are.
  return (one.codePointAt(at) ?? 0) - (other.codePointAt(at) ?? 0);
}

/**
 * `%` is any text within a line, and `_` any one character but the end of a line; the text must match from its beginning.
 * A single newline at its end is passed over, as Python's `$` does.
 */
export function likePattern(pattern: string, ignoreCase: boolean): RegExp {
  const body = pattern
    .replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
    .replaceAll('%', '[^\\n]*')
    .replaceAll('_', '[^\\n]');
  // With the dot or without it: Python takes all four for one letter in two cases.
  const caseless = body.replace(/[iIıİ]/g, '[iIıİ]');
  return new RegExp(
    `^${ignoreCase ? caseless : body}${pattern.endsWith('%') ? '' : '(?=\\n?$)'}`,
    ignoreCase ? 'iu' : 'u',
  );
}

/**
 * Records in an order that parseOrderBy or parseLoggedModelOrder gave, ties included. What is missing comes last in either
 * direction. NaN does so among runs, in front of what is missing; elsewhere MLflow leaves it where the sort happens to put
 * it, and here it is behind the numbers too.
 */
export function sorted<Record extends Searchable>(records: readonly Record[], orders: readonly Order[]): Record[] {
  const keyed = records.map((record) => ({
    record,
    keys: orders.map(({ kind, key, dataset }) => record.find(kind, key, dataset)),
  }));
  keyed.sort((one, other) => {
    for (const [at, { ascending }] of orders.entries()) {
      const result = inOrder(one.keys[at], other.keys[at], ascending);
      if (result !== 0) return result;
    }
    return 0;
  });
  return keyed.map(({ record }) => record);
}

/** Values, then NaN, then nothing. */
const rank = (found: Found) => (found == null ? 2 : Number.isNaN(found) ? 1 : 0);

function inOrder(one: Found, other: Found, ascending: boolean): number {
  const ranks = rank(one) - rank(other);
  if (ranks !== 0 || one == null || other == null || Number.isNaN(one)) return ranks;
  return ascending ? compare(one, other) : compare(other, one);
}
