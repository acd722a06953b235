/** What stands in the way of changing columns, and stays: to be dropped before, and made again after. */
import type { ColumnChange, TableDelta } from '../../schema/delta.js';
import {
  type Check,
  type ForeignKey,
  type Index,
  type Key,
  type Schema,
  sameForeignKey,
  sameNames,
  type Table,
} from '../../schema/model.js';
import { spellType } from './spell.js';

/** Whether the column itself changes; its default is a constraint, and changes without it. */
export function alters({ from, to }: ColumnChange): boolean {
  return spellType(from.type) !== spellType(to.type) || from.nullable !== to.nullable;
}

export interface Dependents {
  readonly primaryKey: Key | null;
  readonly uniques: readonly Key[];
  readonly checks: readonly Check[];
  readonly indexes: readonly Index[];
  readonly foreignKeys: readonly ForeignKey[];
  /** References of other tables to the columns, with the table each belongs to. */
  readonly referencing: readonly (readonly [table: string, key: ForeignKey])[];
}

/** What must go before columns of a table can be altered or dropped, and be made again after it. */
export function dependentsOf(before: Table, target: Table, delta: TableDelta, schema: Schema): Dependents {
  const columns = new Set(delta.alterColumns.filter(alters).map(({ name }) => name));
  const touched = (names: readonly string[]) => names.some((name) => columns.has(name));
  const staysKey = (key: Key) => target.uniques.some((other) => sameNames(other.columns, key.columns));
  const others = [...schema.tables.values()].filter(({ name }) => name !== before.name);
  return {
    primaryKey:
      delta.primaryKey === null && before.primaryKey && touched(before.primaryKey.columns) ? before.primaryKey : null,
    uniques: before.uniques.filter((key) => touched(key.columns) && staysKey(key)),
    checks: before.checks.filter((check) => touched(columnsOfCheck(check)) && target.checks.includes(check)),
    indexes: before.indexes.filter((index) => touched(columnsOfIndex(index)) && target.indexes.includes(index)),
    foreignKeys: before.foreignKeys.filter(
      (key) =>
        (touched(key.columns) || (key.table === before.name && touched(key.references))) &&
        target.foreignKeys.some((other) => other.name === key.name && sameForeignKey(other, key)),
    ),
    referencing: others.flatMap((other) =>
      other.foreignKeys
        .filter((key) => key.table === before.name && touched(key.references))
        .map((key) => [other.name, key] as const),
    ),
  };
}

const columnsOfCheck = ({ expression }: Check) => ('sql' in expression ? namesIn(expression.sql) : [expression.column]);

const columnsOfIndex = (index: Index) => [
  ...index.columns.map(({ name }) => name),
  ...(index.include ?? []),
  ...namesIn(index.where ?? ''),
];

/** The catalog writes names in brackets. */
const namesIn = (text: string) => [...text.matchAll(/\[(\w+)\]/g)].map(([, name]) => name ?? '');
