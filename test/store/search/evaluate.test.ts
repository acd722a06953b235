/** What a record meets, and where it is sorted. oracle.test.ts asks MLflow the same. */
import { describe, expect, test } from 'vitest';
import { matcher, matches, parseFilter, type Searchable, sorted } from '../../../src/store/search/index.js';

describe('a record', () => {
  const record = (found: Readonly<Record<string, string | number | null>>): Searchable => ({
    find: (kind, key) => found[`${kind}.${key}`],
  });
  const holds = (filter: string, found: Readonly<Record<string, string | number | null>>) =>
    matcher('runs', parseFilter('runs', filter))(record(found));

  test('that lacks a key meets no comparison with it, not even !=', () => {
    expect(holds("params.a != 'x'", {})).toBe(false);
    expect(holds('metrics.a != 1', {})).toBe(false);
    expect(holds('params.a IS NULL', {})).toBe(true);
    expect(holds('params.a IS NOT NULL', { 'parameter.a': '' })).toBe(true);
  });

  test('whose metric is NaN is unequal to every number, and meets nothing else', () => {
    const nan = { 'metric.a': Number.NaN };
    expect(['=', '!=', '<', '<=', '>', '>='].map((comparator) => holds(`metrics.a ${comparator} 1`, nan))).toEqual([
      false,
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  test('whose text is greater than another by code points comes behind it', () => {
    const found = { 'attribute.name': '😀' };
    expect(matches('runs', { kind: 'attribute', key: 'name', comparator: '>', value: '\uffee' }, record(found))).toBe(
      true,
    );
  });

  test('whose number is compared with a text is unequal to it', () => {
    const found = { 'attribute.x': 1 };
    const compared = (comparator: '=' | '!=' | '<') =>
      matches('runs', { kind: 'attribute', key: 'x', comparator, value: '1' }, record(found));
    expect([compared('='), compared('!='), compared('<')]).toEqual([false, true, false]);
  });

  test('comes last without a value, behind NaN, in both directions', () => {
    const values = [null, 1, Number.NaN, 3, 2];
    const records = values.map((value) => record({ 'metric.a': value }));
    const order = (ascending: boolean) =>
      sorted(records, [{ kind: 'metric', key: 'a', ascending }]).map((each) => each.find('metric', 'a'));
    expect(order(true)).toEqual([1, 2, 3, Number.NaN, null]);
    expect(order(false)).toEqual([3, 2, 1, Number.NaN, null]);
  });
});
