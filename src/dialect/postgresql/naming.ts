import type { Naming } from '../../schema/fold.js';

/** Names are cut to 63 bytes, the longer of table and columns first (makeObjectName in src/backend/commands/indexcmds.c). */
function objectName(table: string, columns: readonly string[], label: string): string {
  let [first, second] = [table, columns.join('_')];
  while (first.length + second.length + label.length + 2 > 63) {
    if (first.length > second.length) first = first.slice(0, -1);
    else second = second.slice(0, -1);
  }
  return `${first}_${second}_${label}`;
}

/** What the server calls constraints that are made without a name. */
export const naming: Naming = {
  foreignKey: (table, columns) => objectName(table.name, columns, 'fkey'),
  unique: (table, columns) => objectName(table.name, columns, 'key'),
  check: (table, column) => objectName(table.name, [column], 'check'),
};
