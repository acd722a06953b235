/** Rows made of values by name: for sources that know nouns, not tables. */
import { columnsOf, type Row, type Value } from '../rows/values.js';
import type { Column, Table } from '../schema/model.js';

/** Values by the names of columns. What is not there, or undefined, is the column's default. */
export type Values = Readonly<Record<string, Value | undefined>>;

/** How to make rows of a table. Values of columns that the table does not have are handed to `onUnknown`. */
export function rowMaker(table: Table, onUnknown: (column: string) => void): (values: Values) => Row {
  const columns = columnsOf(table);
  const names = columns.map(({ name }) => name);
  const known = new Set(names);
  const defaults = columns.map(defaultOf);
  return (values) => {
    for (const name in values) if (values[name] != null && !known.has(name)) onUnknown(name);
    return names.map((name, at) => values[name] ?? (values[name] === null ? null : (defaults[at] ?? null)));
  };
}

/** What a column holds where nothing is said. */
export function defaultOf({ type, default: given }: Column): Value {
  if (!given || given.kind === 'native') return null;
  if (given.kind === 'false') return false;
  switch (type.kind) {
    case 'boolean':
      return given.value !== '0' && given.value !== 'false';
    case 'integer':
    case 'bigint':
    case 'float':
    case 'double':
      return Number(given.value);
    default:
      return given.value;
  }
}
