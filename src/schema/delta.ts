/** What is still to be done to a table, element by element, to bring it from one state to another. */
import {
  type Check,
  type Column,
  columnOf,
  type ForeignKey,
  type Index,
  type Key,
  sameExpression,
  sameForeignKey,
  sameIndex,
  sameNames,
  type Table,
} from './model.js';
import type { TableChange } from './operations.js';

export interface ColumnChange {
  readonly name: string;
  readonly from: Column;
  readonly to: Column;
}

export interface TableDelta {
  readonly table: string;
  readonly renameColumns: readonly { readonly from: string; readonly to: string }[];
  readonly addColumns: readonly Column[];
  readonly alterColumns: readonly ColumnChange[];
  readonly dropColumns: readonly Column[];
  /** The primary key changes; `from` null: there is none yet (an upgrade was cut off between drop and add). */
  readonly primaryKey: { readonly from: Key | null; readonly to: Key | null } | null;
  readonly addUniques: readonly Key[];
  readonly dropUniques: readonly Key[];
  readonly addForeignKeys: readonly ForeignKey[];
  readonly dropForeignKeys: readonly ForeignKey[];
  readonly addChecks: readonly Check[];
  readonly dropChecks: readonly Check[];
  readonly addIndexes: readonly Index[];
  readonly dropIndexes: readonly Index[];
}

/** Whether two columns are the same to a dialect: it compares them as it would write them. */
export type SameColumn = (a: Column, b: Column) => boolean;

/**
 * The difference between a table as it is and as it is to be. `changes` tell which columns that seem to be dropped and
 * added are renamed.
 */
export function deltaOf(from: Table, to: Table, changes: readonly TableChange[], same: SameColumn): TableDelta {
  const renameColumns = changes.flatMap((change) =>
    change.change === 'renameColumn' && columnOf(from, change.from) && !columnOf(to, change.from)
      ? [{ from: change.from, to: change.to }]
      : [],
  );
  const newName = (name: string) => renameColumns.find((rename) => rename.from === name)?.to ?? name;
  const columns = from.columns.map((column) => ({ ...column, name: newName(column.name) }));
  const before = (name: string) => columns.find((column) => column.name === name);

  return {
    table: from.name,
    renameColumns,
    addColumns: to.columns.filter(({ name }) => !before(name)),
    alterColumns: to.columns.flatMap((column) => {
      const was = before(column.name);
      return was && !same(was, column) ? [{ name: column.name, from: was, to: column }] : [];
    }),
    dropColumns: columns.filter(({ name }) => !columnOf(to, name)),
    primaryKey: sameNames(from.primaryKey?.columns.map(newName) ?? [], to.primaryKey?.columns ?? [])
      ? null
      : { from: from.primaryKey, to: to.primaryKey },
    addUniques: without(to.uniques, from.uniques, sameKey),
    dropUniques: without(from.uniques, to.uniques, sameKey),
    addForeignKeys: without(to.foreignKeys, from.foreignKeys, sameNamedForeignKey),
    dropForeignKeys: without(from.foreignKeys, to.foreignKeys, sameNamedForeignKey),
    addChecks: without(to.checks, from.checks, sameCheck),
    dropChecks: without(from.checks, to.checks, sameCheck),
    addIndexes: without(to.indexes, from.indexes, sameNamedIndex),
    dropIndexes: without(from.indexes, to.indexes, sameNamedIndex),
  };
}

/** Whether nothing is left to be done. */
export function isEmpty(delta: TableDelta): boolean {
  const { table: _, primaryKey, ...lists } = delta;
  return primaryKey === null && Object.values(lists).every((list) => list.length === 0);
}

/** The elements of `of` that have no equal in `taken`; equals are paired off one by one, as a table can have a check twice. */
function without<T>(of: readonly T[], taken: readonly T[], same: (a: T, b: T) => boolean): T[] {
  const left = [...taken];
  return of.filter((each) => {
    const at = left.findIndex((other) => same(each, other));
    if (at < 0) return true;
    left.splice(at, 1);
    return false;
  });
}

const sameKey = (a: Key, b: Key) => sameNames(a.columns, b.columns);
const sameNamedForeignKey = (a: ForeignKey, b: ForeignKey) => a.name === b.name && sameForeignKey(a, b);
const sameCheck = (a: Check, b: Check) => sameExpression(a.expression, b.expression);
const sameNamedIndex = (a: Index, b: Index) => a.name === b.name && sameIndex(a, b);
