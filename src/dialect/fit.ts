/** Whether a value is one that a column can hold: SQLite holds any value in any column, the servers do not. */
import type { Column } from '../schema/model.js';
import type { Value } from './loader.js';

/** What a database cannot hold that another one can. */
export interface Limits {
  /** Texts with U+0000. */
  readonly zeroCharacter: boolean;
  /** NaN and the infinities. */
  readonly nonFinite: boolean;
  /** Bytes that a `text` column holds, by how much it is declared to hold at least; no limit where undefined. */
  readonly textBytes?: Readonly<Record<'plain' | 'medium' | 'long', number>>;
  /** How long a text is in the units that the length of a column counts: code points where undefined. */
  readonly lengthOf?: (text: string) => number;
}

export type Misfit = (value: Value) => string | null;

/** Says why a column cannot hold a value; null for one that it can. */
export function misfitOf(column: Column, limits: Limits): Misfit {
  const typed = misfitOfType(column, limits);
  return (value) => {
    if (value === null) return column.nullable ? null : 'is missing, and the column needs a value';
    return typed(value);
  };
}

function misfitOfType({ type }: Column, limits: Limits): Misfit {
  switch (type.kind) {
    case 'integer':
      return (value) => wholeMisfit(value, 31n);
    case 'bigint':
      return (value) => wholeMisfit(value, 63n);
    case 'float':
    case 'double':
      return (value) => {
        if (typeof value !== 'number') return typeof value === 'bigint' ? null : `is no number: ${shown(value)}`;
        return Number.isFinite(value) || !limits.nonFinite ? null : `is ${value}, which this database cannot hold`;
      };
    case 'boolean':
      return (value) => (typeof value === 'boolean' ? null : `is neither true nor false: ${shown(value)}`);
    case 'binary':
      return (value) => (value instanceof Uint8Array ? null : `holds no bytes: ${shown(value)}`);
    case 'date':
      return (value) =>
        typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) ? null : `is no date: ${shown(value)}`;
    case 'varchar':
      return textMisfit(limits, (text) => tooLong(text, type.length, limits.lengthOf ?? codePoints));
    case 'json':
      return textMisfit(limits, (text) => (isJson(text) ? null : `is no JSON: ${shown(text)}`));
    default: {
      const most = type.kind === 'text' ? limits.textBytes?.[type.atLeast ?? 'plain'] : undefined;
      return textMisfit(limits, (text) => (most === undefined ? null : tooManyBytes(text, most)));
    }
  }
}

function wholeMisfit(value: Value, bits: bigint): string | null {
  if (typeof value === 'number' && Number.isSafeInteger(value)) {
    return bits === 63n || (value >= -(2 ** 31) && value < 2 ** 31) ? null : outOfRange(value);
  }
  if (typeof value !== 'bigint') return `is no whole number: ${shown(value)}`;
  return value >= -(1n << bits) && value < 1n << bits ? null : outOfRange(value);
}

const outOfRange = (value: number | bigint) => `is ${value}, which is out of the range of the column`;

function textMisfit({ zeroCharacter }: Limits, further: (text: string) => string | null): Misfit {
  return (value) => {
    if (typeof value !== 'string') return `is no text: ${shown(value)}`;
    if (zeroCharacter && value.includes('\0')) return 'has the character U+0000, which this database cannot hold';
    return further(value);
  };
}

function tooLong(text: string, most: number, lengthOf: (text: string) => number): string | null {
  // No count of code points is larger than that of UTF-16 units.
  if (lengthOf === codePoints && text.length <= most) return null;
  const length = lengthOf(text);
  return length <= most ? null : `has ${length} characters, and the column holds ${most}`;
}

function tooManyBytes(text: string, most: number): string | null {
  // At most three bytes for each unit of UTF-16.
  if (text.length * 3 <= most) return null;
  const bytes = Buffer.byteLength(text);
  return bytes <= most ? null : `has ${bytes} bytes, and the column holds ${most}`;
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const shown = (value: Value) => {
  const text = value instanceof Uint8Array ? `${value.length} bytes` : String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
};
