/** Rows that stand in one another's way, in words. */
import { columnsOf, type Row } from '../rows/values.js';
import type { Table } from '../schema/model.js';
import type { Different, Taken } from './merge.js';
import { type Problem, rowText } from './problems.js';
import { keyNames } from './sieve.js';

/** The experiment that MLflow makes by itself: each database has its own. */
export function isDefault(table: Table, row: Row): boolean {
  if (table.name !== 'experiments') return false;
  const at = (name: string) => row[columnsOf(table).findIndex((column) => column.name === name)];
  return at('experiment_id') === 0 && at('name') === 'Default';
}

export function differenceOf(table: Table, { row, columns }: Different): Problem {
  const names = keyNames(table);
  return {
    kind: 'different',
    where: rowText(table.name, names, valuesOf(table, names, row)),
    reason: `: the target has another ${columns.join(', ')}`,
    rows: { [table.name]: 1 },
  };
}

export function takenOf(table: Table, { row, by, columns }: Taken): Problem {
  const names = keyNames(table);
  return {
    kind: 'taken',
    where: rowText(table.name, names, valuesOf(table, names, row)),
    reason: `: the target has ${rowText(table.name, columns, valuesOf(table, columns, by))}`,
    rows: { [table.name]: 1 },
  };
}

export function missingRow(table: Table, row: Row): Problem {
  const names = keyNames(table);
  return {
    kind: 'missing',
    where: rowText(table.name, names, valuesOf(table, names, row)),
    reason: ': the target does not have it',
    rows: { [table.name]: 1 },
  };
}

function valuesOf(table: Table, names: readonly string[], row: Row) {
  const columns = columnsOf(table).map(({ name }) => name);
  return names.map((name) => row[columns.indexOf(name)] ?? null);
}
