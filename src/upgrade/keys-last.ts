/**
 * A table that a revision makes and fills is given its keys when it is full: an index is then built in one go, and
 * references are checked by one query, where both would otherwise be looked after at every row.
 */
import { referencedBy, tablesOf, writtenBy } from '../schema/describe.js';
import type { Schema, Table } from '../schema/model.js';
import type { TableChange } from '../schema/operations.js';
import type { Fused } from './fuse.js';

/** @param live tables that are there already keep the keys that they have */
export function keysLast(fused: readonly Fused[], live: Schema): Fused[] {
  const result = [...fused];
  for (const each of fused) {
    const { operation } = each;
    if (operation.op !== 'createTable' || live.tables.has(operation.table.name)) continue;
    const fill = result.findLastIndex((other) => other.at === each.at && fills(other, operation.table.name));
    const at = result.indexOf(each);
    if (fill < 0 || !result.slice(at + 1, fill + 1).every((other) => isFree(other, operation.table.name))) continue;
    const { table, keys } = withoutKeys(operation.table);
    result[at] = { ...each, operation: { ...operation, table } };
    result.splice(fill + 1, 0, { ...each, operation: { op: 'alterTable', table: table.name, changes: keys } });
  }
  return result;
}

const fills = ({ operation }: Fused, table: string) =>
  operation.op === 'backfill' && writtenBy(operation).includes(table);

/** Whether it has nothing to do with a table but that it adds rows to it: it needs no key to find them by. */
function isFree({ operation }: Fused, table: string): boolean {
  if (operation.op === 'backfill') return operation.over.table !== table && !operation.reads?.includes(table);
  return !tablesOf(operation).includes(table) && !referencedBy(operation).includes(table);
}

function withoutKeys(table: Table): { table: Table; keys: TableChange[] } {
  const { primaryKey, uniques, foreignKeys, indexes } = table;
  return {
    table: { ...table, primaryKey: null, uniques: [], foreignKeys: [], indexes: [] },
    keys: [
      ...(primaryKey ? [{ change: 'setPrimaryKey', key: primaryKey } as const] : []),
      ...uniques.map((key) => ({ change: 'addUnique', key }) as const),
      ...foreignKeys.map((foreignKey) => ({ change: 'addForeignKey', foreignKey }) as const),
      ...indexes.map((index) => ({ change: 'addIndex', index }) as const),
    ],
  };
}
