/** Requests are read as protobuf reads them, answers written as MLflow writes them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pythonDumps, pythonJson, pythonType } from '../../src/server/wire/python.js';
import {
  int32,
  many,
  message,
  needed,
  optional,
  double as readDouble,
  int64 as readInt64,
  text as readText,
  requestReader,
} from '../../src/server/wire/read.js';
import { duration, timestamp } from '../../src/server/wire/times.js';
import { double, flag, int64, list, mapOf, optional as maybe, object, text } from '../../src/server/wire/write.js';

describe('an answer', () => {
  interface Everything {
    readonly text: string;
    readonly whole: number;
    readonly flag: boolean;
    readonly perhaps: string | undefined;
    readonly list: readonly { readonly key: string }[];
    readonly map: Readonly<Record<string, string>>;
  }
  const everything = object<Everything>({
    text,
    whole: int64,
    flag,
    perhaps: maybe(text),
    list: list(object<{ readonly key: string }>({ key: text })),
    map: mapOf(text),
  });

  test('is the JSON of what it is given, without what is empty', () => {
    const texts = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(
        fc.record({
          text: texts,
          whole: fc.maxSafeInteger(),
          flag: fc.boolean(),
          perhaps: fc.option(texts, { nil: undefined }),
          list: fc.array(fc.record({ key: texts })),
          map: fc.dictionary(texts, texts),
        }),
        (value) => {
          const { list, map, ...rest } = value;
          const expected = { ...rest, ...(list.length > 0 && { list }), ...(Object.keys(map).length > 0 && { map }) };
          expect(JSON.parse(everything.write(value))).toEqual(JSON.parse(JSON.stringify(expected)));
        },
      ),
    );
  });

  test('has doubles that read back as they were, with a point as in Python', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(JSON.parse(double.write(value))).toBe(value);
      }),
    );
    expect([1, -0, 0.5, 1e300, 5e-324, NaN, Infinity, -Infinity].map(double.write)).toEqual([
      '1.0',
      '-0.0',
      '0.5',
      '1e+300',
      '5e-324',
      '"NaN"',
      '"Infinity"',
      '"-Infinity"',
    ]);
  });

  test('has times as protobuf has them', () => {
    expect([0, 1_700_000_000_123, 1_700_000_000_000].map(timestamp.write)).toEqual([
      '"1970-01-01T00:00:00Z"',
      '"2023-11-14T22:13:20.123Z"',
      '"2023-11-14T22:13:20Z"',
    ]);
    expect([0, 1500, 7, 61_000].map(duration.write)).toEqual(['"0s"', '"1.500s"', '"0.007s"', '"61s"']);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), (time) => {
        expect(timestamp.read(JSON.parse(timestamp.write(time)))).toBe(time);
        expect(duration.read(JSON.parse(duration.write(time)))).toBe(time);
      }),
    );
    expect(timestamp.read('2023-11-14T23:13:20.123456789+01:00')).toBe(1_700_000_000_123);
    expect(() => timestamp.read('yesterday')).toThrow();
  });
});

describe('a request', () => {
  const read = requestReader({
    run_id: needed(readText),
    max_results: optional(int32),
    metrics: many(message('M', { key: optional(readText), value: optional(readDouble), step: optional(readInt64) })),
  });

  test('may spell its names in camel case, and numbers as texts', () => {
    expect(
      read({ run_id: 'r', maxResults: '5', metrics: [{ key: 'a', value: 'NaN', step: '7' }], unknown: {} }),
    ).toEqual({
      run_id: 'r',
      max_results: 5,
      metrics: [{ key: 'a', value: NaN, step: 7 }],
    });
  });

  test('takes null for what is missing', () => {
    expect(read({ run_id: 'r', max_results: null, metrics: null })).toEqual({ run_id: 'r', metrics: [] });
  });

  test('is refused with the place of what is wrong', () => {
    expect(() => read({ run_id: 'r', metrics: [{ key: 'a' }, { key: 'b', step: 1.5 }] })).toThrow(
      "Invalid value 1.5 for parameter 'metrics[1].step' supplied:  Hint: Value was of type 'float'.",
    );
    expect(() => read({ run_id: '' })).toThrow("Missing value for required parameter 'run_id'.");
    expect(() => read({ run_id: 'r', max_results: 2 ** 31 })).toThrow("parameter 'max_results'");
    expect(() => read({ run_id: 'r', metrics: [{ step: 2 ** 53 }] })).toThrow("parameter 'metrics[0].step'");
    expect(() => read({ run_id: 'r', runId: 's' })).toThrow("Request specifies both 'run_id' and 'runId'");
  });
});

test("values are in Python's words", () => {
  expect([null, true, 1, 1.5, 'x', [], {}].map(pythonType)).toEqual([
    'NoneType',
    'bool',
    'int',
    'float',
    'str',
    'list',
    'dict',
  ]);
  expect(pythonJson({ b: [1, 'ü😀'], a: null })).toBe('{"a":null,"b":[1,"\\u00fc\\ud83d\\ude00"]}');
  expect(pythonDumps({ a: [1n, 1, 0.5, 'ü'], b: null })).toBe('{"a": [1, 1.0, 0.5, "\\u00fc"], "b": null}');
});
