/** Python's reading of JSON, numbers and blanks, against Python's own, on more texts than a database is filled with. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { finiteFloat, firstOf, loads, strip, type Value, wholeNumber } from '../../src/schema/python.js';
import { anyDocument, anyScalar, BLANKS, documents, NUMBERS, SCALARS, sample } from '../support/awkward.js';
import { type Exact, Oracle } from '../support/oracle.js';

const missing = inject('oracleMissing');
let oracle: Oracle;
beforeAll(() => {
  if (missing === null) oracle = new Oracle();
});
afterAll(() => oracle?.[Symbol.asyncDispose]());

const member = (value: Value | undefined, key: string) => (value instanceof Map ? (value.get(key) ?? null) : null);
const exact = (value: Exact | null) => (value === null ? null : 'int' in value ? value.int : Number(value.float));

describe.skipIf(missing !== null)(missing === null ? 'as Python has it' : `NOT RUN, ${missing}`, () => {
  test('members of objects, as whole numbers and as doubles', async () => {
    const keys = ['input_tokens', 'input_cost'];
    const spelt = [...NUMBERS, ...SCALARS].flatMap((text) => [text, JSON.stringify(text)]);
    const texts = [
      ...documents(keys),
      ...documents(keys.toReversed()),
      ...sample(anyDocument(keys), 4000),
      ...spelt.map((text) => `{"input_tokens": ${text}, "input_cost": ${text}}`),
    ].filter((text) => text.isWellFormed());
    const expected = await oracle.call<Record<string, Exact | null>>(
      'trace_values',
      texts.map((text) => [{ 'mlflow.trace.tokenUsage': text, 'mlflow.trace.cost': text }, {}]),
    );
    const wrong = texts.flatMap((text, i) => {
      const value = loads(text);
      const found = [
        wholeNumber(member(value, 'input_tokens'))?.toString() ?? null,
        finiteFloat(member(value, 'input_cost')),
      ];
      const mlflow = [exact(expected[i]?.input_tokens ?? null), exact(expected[i]?.input_cost ?? null)];
      return JSON.stringify(found) === JSON.stringify(mlflow) ? [] : [{ text, mlflow, found }];
    });
    expect(wrong).toEqual([]);
    expect(expected.filter((row) => row.input_tokens !== null).length).toBeGreaterThan(500);
  });

  test('texts that are a value, or stand for themselves', async () => {
    const texts = [...SCALARS, ...sample(anyScalar, 4000)].filter((text) => text.isWellFormed());
    const expected = await oracle.call<[Exact | null, boolean]>('assessments', texts);
    const wrong = texts.flatMap((text, i) => {
      const value = loads(text);
      const number = value === undefined || typeof value === 'string' ? null : finiteFloat(value);
      return (number !== null) === expected[i]?.[1] &&
        (number === null || Object.is(number + 0, Number(exact(expected[i]?.[0] ?? null)) + 0))
        ? []
        : [text];
    });
    expect(wrong).toEqual([]);
  });

  test('blanks around a text', async () => {
    const unit = fc.oneof(fc.constantFrom(...BLANKS), fc.string({ unit: 'binary', maxLength: 1 }));
    const texts = sample(
      fc.array(unit, { maxLength: 6 }).map((parts) => parts.join('')),
      3000,
    ).map((text) => text.replaceAll(/\p{L}/gu, 'x'));
    expect(texts.map((text) => strip(text).toLowerCase())).toEqual(await oracle.call<string>('strip_lower', texts));
  });
});

test('the first characters are counted by code points', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(12), (text, length) => {
      expect(firstOf(text, length)).toBe([...text].slice(0, length).join(''));
    }),
  );
});
