/** `--older-than` means what it means to MLflow, to the millisecond. */
import fc from 'fast-check';
import { describe, expect, inject, test } from 'vitest';
import { parseAge } from '../../src/gc/age.js';
import { Oracle } from '../support/oracle.js';

const parsed = (text: string): string | null => {
  try {
    return BigInt(parseAge(text)).toString();
  } catch {
    return null;
  }
};

const number = fc.oneof(
  { weight: 3, arbitrary: fc.nat(100_000).map(String) },
  { weight: 3, arbitrary: fc.tuple(fc.nat(1000), fc.nat(10 ** 9)).map(([whole, rest]) => `${whole}.${rest}`) },
  {
    weight: 3,
    arbitrary: fc.double({ min: 0, max: 1e6, noNaN: true, noDefaultInfinity: true }).map((each) => each.toFixed(9)),
  },
  fc.constantFrom(
    '0',
    '.5',
    '5.',
    '.',
    '1.2.3',
    '',
    '0.0005',
    '0.0015',
    '999999999',
    '1000000000',
    '99999999999999999999',
  ),
);
const age = fc
  .tuple(fc.option(number), fc.option(number), fc.option(number), fc.option(number))
  .map((parts) => parts.map((part, i) => (part === null ? '' : `${part}${'dhms'[i]}`)).join(''));
const text = fc.oneof(
  { weight: 9, arbitrary: age },
  fc.string({ maxLength: 6 }),
  fc.constantFrom('1h1d', ' 1d', '1d ', '1D', '-1d', '1w'),
);

describe.skipIf(inject('oracleMissing') !== null)('the age of gc', () => {
  test('is read as MLflow reads it', async () => {
    await using oracle = new Oracle();
    const texts = fc.sample(text, { numRuns: 3000, seed: 6 }).filter((each) => !/[\n\u0660-\uffff]/.test(each));
    const theirs = await oracle.call<string | null>('older_than', texts);
    expect(theirs.filter((each) => each !== null).length).toBeGreaterThan(1000);
    expect(texts.map((each) => [each, parsed(each)])).toEqual(texts.map((each, i) => [each, theirs[i]]));
  });
});
