import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalWriter, lineOf, lineReader, linesReader } from '../../src/rows/json.js';
import type { Row } from '../../src/rows/values.js';
import type { Column, ColumnType } from '../../src/schema/model.js';

const column = (name: string, type: ColumnType): Column => ({ name, type, nullable: true });
const COLUMNS: readonly Column[] = [
  column('text', { kind: 'text' }),
  column('whole', { kind: 'bigint' }),
  column('double', { kind: 'double' }),
  column('truth', { kind: 'boolean' }),
  column('bytes', { kind: 'binary' }),
  column('json', { kind: 'json' }),
];

const whole = fc
  .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
  .map((n) => (Number.isSafeInteger(Number(n)) ? Number(n) : n));
const nullable = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null });
const rows = fc.tuple(
  nullable(fc.string({ unit: 'binary' })),
  nullable(whole),
  nullable(fc.double()),
  nullable(fc.boolean()),
  nullable(fc.uint8Array().map((bytes) => Buffer.from(bytes))),
  nullable(fc.json()),
);

const canonical = canonicalWriter(COLUMNS);

describe('a row as a line', () => {
  test('is the same row when it is read again', () => {
    const read = lineReader(COLUMNS);
    fc.assert(fc.property(rows, (row: Row) => void expect(read(lineOf(row))).toEqual(row)));
  });

  test('is the same row when many are read at once', () => {
    const read = linesReader(COLUMNS);
    fc.assert(
      fc.property(fc.array(rows), (all: Row[]) => {
        expect(read(all.map(lineOf).join('\n'))).toEqual(all);
        expect(read(all.map((row) => `${lineOf(row)}\n`).join(''))).toEqual(all);
      }),
    );
  });

  test('is one line, whatever is in it', () => {
    fc.assert(fc.property(rows, (row: Row) => void expect(lineOf(row)).not.toMatch(/[\r\n]/)));
  });

  test.each(['{}', '[1]', 'null', '["a",1,2,true,null,{"base65":""}]', '["a",1,[2],true,null,null]'])(
    'is not %s',
    (line) => {
      expect(() => lineReader(COLUMNS)(line)).toThrow(SyntaxError);
      expect(() => linesReader(COLUMNS)(line)).toThrow(SyntaxError);
    },
  );
});

describe('a canonical line', () => {
  test('differs where anything but the sign of zero or the spelling of JSON does', () => {
    fc.assert(
      fc.property(rows, rows, (a: Row, b: Row) => {
        const same = lineOf(a) === lineOf(b);
        if (same) expect(canonical(a)).toBe(canonical(b));
        else if (Object.is(a[2], b[2]) && a[5] === b[5]) expect(canonical(a)).not.toBe(canonical(b));
      }),
    );
  });

  const spelt = (double: number | null, json: string | null) => canonical(['', 1, double, true, null, json]);

  test('is the same for both zeros', () => expect(spelt(-0, null)).toBe(spelt(0, null)));

  test('is the same however JSON is spelt', () => {
    expect(spelt(1, '{"b": [1.0, null], "a": {"d": 1e2, "c": "\\u00e9"}}')).toBe(
      spelt(1, '{"a":{"c":"é","d":100},"b":[1,null]}'),
    );
    expect(spelt(1, '[1, 2]')).not.toBe(spelt(1, '[2, 1]'));
    expect(spelt(1, 'null')).not.toBe(spelt(1, null));
    expect(spelt(1, '{no JSON')).not.toBe(spelt(1, '{no  JSON'));
  });

  test('tells whole numbers apart that one double stands for', () => {
    const of = (n: bigint) => canonical(['', n, 1, true, null, null]);
    expect(of(2n ** 60n)).not.toBe(of(2n ** 60n + 1n));
  });
});
