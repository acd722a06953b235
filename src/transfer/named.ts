/** Rows by the names of their columns. */
import { columnsOf, type Row, type Value } from '../rows/values.js';
import type { Table } from '../schema/model.js';

export type Named = Readonly<Record<string, Value>>;

/** How to name the values of a table's rows. */
export function namer(table: Table): (row: Row) => Named {
  const names = columnsOf(table).map(({ name }) => name);
  return (row) => {
    const named: Record<string, Value> = {};
    for (let at = 0; at < names.length; at++) named[names[at] ?? ''] = row[at] ?? null;
    return named;
  };
}

/** How to change single values of a table's rows. Columns that the table does not have are passed over. */
export function changer(table: Table): (row: Row, changes: Named) => Row {
  const names = columnsOf(table).map(({ name }) => name);
  return (row, changes) => {
    let changed = row;
    for (const [name, value] of Object.entries(changes)) {
      const at = names.indexOf(name);
      if (at >= 0 && !Object.is(changed[at] ?? null, value)) changed = changed.with(at, value);
    }
    return changed;
  };
}
