/**
 * Rows as lines of JSON. A row is an array of its values in the order of the table's columns: null, true, false, texts,
 * and numbers as they are; whole numbers beyond 2^53 as a string of digits; "NaN", "Infinity", "-Infinity" and "-0" for
 * the doubles that JSON does not have; bytes as {"base64": "…"}.
 *
 * The canonical line is the same for rows that databases hold to be equal: the sign of zero, which not every database
 * keeps, does not show, nor does the spelling of a JSON value, which MySQL changes.
 */
import type { Column } from '../schema/model.js';
import { type Row, type Value, whole } from './values.js';

type Plain = null | boolean | number | string | { readonly base64: string };

/** The line of a row, without a line end, from which `lineReader` makes the row again. */
export function lineOf(row: Row): string {
  return stringified(row, plain);
}

/** How to write the line that equal rows have in common, for comparing. */
export function canonicalWriter(columns: readonly Column[]): (row: Row) => string {
  const isJson = columns.map(({ type }) => type.kind === 'json');
  return (row) =>
    stringified(row, (value, at) => {
      if (typeof value === 'string') return isJson[at] ? canonicalJson(value) : value;
      return value === 0 ? 0 : plain(value);
    });
}

function stringified(row: Row, write: (value: Value, at: number) => Plain): string {
  let changed: unknown[] | undefined;
  for (let at = 0; at < row.length; at++) {
    const value = row[at] ?? null;
    const written = write(value, at);
    if (Object.is(written, value)) continue;
    changed ??= [...row];
    changed[at] = written;
  }
  return JSON.stringify(changed ?? row);
}

function plain(value: Value): Plain {
  switch (typeof value) {
    case 'bigint':
      return value.toString();
    case 'number':
      if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : value;
      return String(value);
    case 'object':
      return value === null ? null : { base64: Buffer.from(value).toString('base64') };
    default:
      return value;
  }
}

/** How to read lines that `lineOf` wrote of rows of these columns. The reader throws a SyntaxError for any other line. */
export function lineReader(columns: readonly Column[]): (line: string) => Row {
  const readers = columns.map(({ type }) => READERS[type.kind] ?? asItIs);
  return (line) => {
    const values: unknown = JSON.parse(line);
    if (!Array.isArray(values) || values.length !== readers.length) {
      throw new SyntaxError(`no row of ${readers.length} values: ${line.slice(0, 100)}`);
    }
    return readers.map((read, at) => read(values[at]));
  };
}

/** How to read many lines at once, one below the other. The reader throws a SyntaxError for what `lineOf` has not written. */
export function linesReader(columns: readonly Column[]): (lines: string) => Row[] {
  const readers = columns.map(({ type }) => READERS[type.kind] ?? asItIs);
  return (lines) => {
    // A line's end within a text is written otherwise.
    const rows: unknown[] = JSON.parse(`[${lines.replace(/\n$/, '').replaceAll('\n', ',')}]`);
    return rows.map((values) => {
      if (!Array.isArray(values) || values.length !== readers.length) {
        throw new SyntaxError(`no row of ${readers.length} values: ${JSON.stringify(values).slice(0, 100)}`);
      }
      for (let at = 0; at < readers.length; at++) {
        const value: unknown = values[at];
        // Most are what they are.
        if (typeof value !== 'number' && value !== null) values[at] = readers[at]?.(value);
      }
      return values;
    });
  };
}

function asItIs(value: unknown): Value {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null)
    return value;
  if (typeof value === 'object' && 'base64' in value && typeof value.base64 === 'string') {
    return Buffer.from(value.base64, 'base64');
  }
  throw new SyntaxError(`no value of a row: ${JSON.stringify(value)?.slice(0, 100)}`);
}

const wholeNumber = (value: unknown): Value =>
  typeof value === 'string' && /^-?\d+$/.test(value) ? whole(BigInt(value)) : asItIs(value);

const DOUBLES: ReadonlyMap<unknown, number> = new Map<unknown, number>([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-0', -0],
]);

const double = (value: unknown): Value => DOUBLES.get(value) ?? asItIs(value);

const READERS: Readonly<Partial<Record<Column['type']['kind'], (value: unknown) => Value>>> = {
  integer: wholeNumber,
  bigint: wholeNumber,
  float: double,
  double,
};

/** A JSON text with its members in order and without blanks; a text that is no JSON as it is. */
function canonicalJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), (_, value: unknown) =>
      value !== null && typeof value === 'object' && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value,
    );
  } catch {
    return text;
  }
}
