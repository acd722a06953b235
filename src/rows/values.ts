/** The values of rows as they come from drivers. What a SQLite file holds in a column of another type is kept as it is. */
import { type RawBuilder, sql } from 'kysely';
import type { Dialect } from '../dialect/dialect.js';
import type { Row, Value } from '../dialect/loader.js';
import type { Column, Table } from '../schema/model.js';

export type { Row, Value };

/** The columns that rows of a table have values of: not those that the database works out. */
export function columnsOf(table: Table): readonly Column[] {
  return table.columns.filter(({ generated }) => !generated);
}

/** What the driver gave for a column that was read by `RowWords.exactly`, as a value. */
export function readerOf({ type }: Column): (given: unknown) => Value {
  switch (type.kind) {
    case 'boolean':
      return (given) => (given === 0 || given === 1 ? given === 1 : asValue(given));
    case 'integer':
    case 'bigint':
      return (given) => (typeof given === 'number' ? given : wholeNumber(given));
    case 'float':
    case 'double':
      return (given) => (typeof given === 'number' ? given : doubleOf(given));
    default:
      return asValue;
  }
}

function wholeNumber(given: unknown): Value {
  if (typeof given === 'string' && /^-?\d+$/.test(given)) return whole(BigInt(given));
  return asValue(given);
}

function doubleOf(given: unknown): Value {
  // A whole number that SQLite gave as such.
  return typeof given === 'bigint' ? Number(given) : asValue(given);
}

/** A number where a double holds it exactly. */
export function whole(number: bigint): number | bigint {
  const double = Number(number);
  return Number.isSafeInteger(double) ? double : number;
}

/** @throws {TypeError} for what no driver gives for a column that was read exactly */
function asValue(given: unknown): Value {
  switch (typeof given) {
    case 'string':
    case 'number':
    case 'boolean':
      return given;
    case 'bigint':
      return whole(given);
    default:
      if (given === null || given === undefined) return null;
      if (given instanceof Uint8Array) return given;
      throw new TypeError(`a driver gave ${Object.prototype.toString.call(given)} for a value`);
  }
}

/** A value in a query. SQLite's drivers bind no booleans. */
export const bound = (value: Value, { words }: Dialect): RawBuilder<unknown> =>
  typeof value === 'boolean' ? sql.raw(words.literal(value)) : sql`${value}`;
