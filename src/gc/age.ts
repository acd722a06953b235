/**
 * `--older-than` as MLflow reads it: days, hours, minutes and seconds in this order, each a decimal number. The arithmetic is
 * that of Python's `timedelta`, so that the same words mean the same millisecond.
 */
import { MtrackError } from '../errors.js';

const GRAMMAR = /^(?:([.\d]+?)d)?(?:([.\d]+?)h)?(?:([.\d]+?)m)?(?:([.\d]+?)s)?$/;
/** Microseconds of each part. */
const PARTS = [86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000] as const;
/** `timedelta` holds no more. */
const MOST_DAYS = 999_999_999n;

/**
 * @returns milliseconds
 * @throws {MtrackError} USAGE
 */
export function parseAge(text: string): number {
  const parts = GRAMMAR.exec(text)?.slice(1);
  // A number with two points, or with nothing but one, is of the grammar and none of Python's.
  if (!parts || parts.some((part) => part !== undefined && !/^(?:\d+\.?\d*|\.\d+)$/.test(part))) throw notAnAge(text);
  const microseconds = sum(parts.map((part) => (part === undefined ? 0 : Number(part))));
  if (microseconds >= (MOST_DAYS + 1n) * BigInt(PARTS[0])) throw notAnAge(text);
  const [seconds, rest] = [microseconds / 1_000_000n, microseconds % 1_000_000n];
  return Math.trunc(Number(`${seconds}.${String(rest).padStart(6, '0')}`) * 1000);
}

/** Whole parts exactly; what is left of all together, rounded to the even one of two that are as near. */
function sum(values: readonly number[]): bigint {
  let whole = 0n;
  let left = 0;
  // In the order in which Python adds: seconds first.
  for (let i = PARTS.length - 1; i >= 0; i--) {
    const [value, factor] = [values[i] ?? 0, PARTS[i] ?? 0];
    if (!Number.isFinite(value)) return (MOST_DAYS + 1n) * BigInt(PARTS[0]);
    const integer = Math.trunc(value);
    whole += BigInt(integer) * BigInt(factor);
    const rest = (value - integer) * factor;
    whole += BigInt(Math.trunc(rest));
    left += rest - Math.trunc(rest);
  }
  const odd = whole % 2n === 0n ? 0 : 1;
  const rounded =
    Math.abs(Math.round(left) - left) === 0.5 ? 2 * Math.round((left + odd) * 0.5) - odd : Math.round(left);
  return whole + BigInt(rounded);
}

function notAnAge(text: string): MtrackError {
  return new MtrackError('USAGE', {
    found: `--older-than ${text}: no age`,
    expected: 'days, hours, minutes and seconds in this order, whole or with a point: 30d, 1d2h3m4s, 1.5d',
  });
}
