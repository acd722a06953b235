/** Parts of filters and orders that chance puts together, over few enough words that something is found. */
import * as fc from 'fast-check';
import type { Call } from '../../support/oracle.js';

/** Another one asks other questions. */
export const SEED = Number(process.env.MTRACK_SEED ?? 4);
const QUESTIONS = 50;

export const TEXTS = ['a', 'A', 'ab', 'Ab', 'a%b', 'a_b', 'ä', 'Ä', "it's", '', '10', '9', '模型', 'x y'];
export const KEYS = ['k', 'K', 'long key', 'a.b'];

export const pair = (key: string, value: string) => ({ key, value });

/** Keys that are the same but for their case are two on some databases only. */
export const pairs = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...KEYS), fc.constantFrom(...TEXTS)), {
    selector: ([key]) => key.toLowerCase(),
    maxLength: 3,
  })
  .map((list) => list.map(([key, value]) => pair(key, value)));

const quotes = (text: string) => (text.includes("'") ? `"${text}"` : `'${text}'`);
export const quoted = fc.constantFrom(...TEXTS, 'a%', '%b', '_', '%', 'A%', 'none').map(quotes);
export const quotedOf = (...texts: readonly string[]) => fc.constantFrom(...texts).map(quotes);
export const key = fc.constantFrom(...KEYS, 'absent').map((name) => (/^\w+$/.test(name) ? name : `\`${name}\``));
export const textual = fc.constantFrom('=', '!=', 'LIKE', 'ILIKE');
export const ordered = fc.constantFrom('=', '!=', '<', '<=', '>', '>=');
export const listed = fc.array(quoted, { minLength: 1, maxLength: 3 }).map((list) => `(${list.join(', ')})`);
export const number = fc.constantFrom('0', '1', '-0.5', '1.5', '2', '1e300');

export const join = (...parts: readonly (fc.Arbitrary<string> | string)[]) =>
  fc
    .tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part)))
    .map((words) => words.join(' '));

export const under = (scopes: readonly string[], name: fc.Arbitrary<string> = key) =>
  fc.tuple(fc.constantFrom(...scopes), name).map((parts) => parts.join('.'));

export const clauses = (...clause: fc.Arbitrary<string>[]) =>
  fc.array(fc.oneof(...clause), { maxLength: 3 }).map((list) => list.join(' AND '));

export const orders = (...columns: fc.Arbitrary<string>[]) =>
  fc.array(
    fc.tuple(fc.oneof(...columns), fc.constantFrom('', ' ASC', ' DESC')).map((parts) => parts.join('')),
    { maxLength: 2 },
  );

export const sizes = fc.constantFrom(1, 3, 7, 40, 1000);

/** Each question, and its second page. @param before calls that were made before these */
export function asked(method: string, question: fc.Arbitrary<object>, before: number): Call[] {
  return fc.sample(question, { numRuns: QUESTIONS, seed: SEED }).flatMap((each, at): Call[] => [
    [method, [each]],
    [method, [{ ...each, page_token: { of: before + 2 * at, path: ['next_page_token'] } }]],
  ]);
}

export const sample = <Item>(items: fc.Arbitrary<Item>, count: number): Item[] =>
  fc.sample(items, { numRuns: count, seed: SEED });
