/** What MLflow said to a question, and what we say, in one form: to be compared. */
import fc from 'fast-check';
import { StoreError } from '../../../src/store/errors.js';
import type { Plain } from '../../support/oracle.js';

export type Said = { readonly result: Plain } | { readonly error: readonly [string, string | null, string] };

/** Sets have no order, and Python's have a new one in each process. */
const ordered = (message: string) =>
  message.replace(/\{('[^{}]*')\}/g, (_, members: string) => `{${members.split(', ').sort().join(', ')}}`);

/** Python's numbers as ours. */
export function plain(value: Plain): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  const exact = value as { readonly int?: string; readonly float?: string };
  if (exact.int !== undefined) return Number(exact.int);
  if (exact.float !== undefined) return Number(exact.float.replace(/^(-?)inf$/, '$1Infinity'));
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

/** MLflow failed without an error of its own; its stores give it the code of one, and its own text. */
export function crashed(said: Said): boolean {
  if ('result' in said) return false;
  const [name, code, message] = said.error;
  if (name !== 'MlflowException' || code === 'BAD_REQUEST') return true;
  return code === 'INTERNAL_ERROR' && !message.startsWith('`order_by` contains duplicate fields');
}

/** Where MLflow fails, we refuse the parameter, in words of our own. */
export function theirs(said: Said, read: (result: unknown, exact: Plain) => unknown = (result) => result): unknown {
  if ('result' in said) return { result: read(plain(said.result), said.result) };
  const [, code, message] = said.error;
  return crashed(said) ? { code: 'INVALID_PARAMETER_VALUE' } : { code, message: ordered(message) };
}

export function ours(said: Said, read: () => unknown): unknown {
  try {
    return { result: read() };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return crashed(said) ? { code: error.code } : { code: error.code, message: ordered(error.message) };
  }
}

/** Cases of each sort; more of them with MTRACK_SEARCH_CASES, others with MTRACK_SEARCH_SEED. */
export const COUNT = Number(process.env.MTRACK_SEARCH_CASES ?? 3000);
export const SEED = Number(process.env.MTRACK_SEARCH_SEED ?? Math.floor(Math.random() * 2 ** 31));
export const sample = <Value>(values: fc.Arbitrary<Value>, count = COUNT) =>
  fc.sample(values, { numRuns: count, seed: SEED });
