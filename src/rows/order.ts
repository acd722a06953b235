import type { Schema, Table } from '../schema/model.js';

/** The tables so that each comes after those that its foreign keys refer to. @throws {Error} for references in a circle */
export function inForeignKeyOrder({ tables }: Schema): readonly Table[] {
  const ordered = new Map<string, Table>();
  const visit = (table: Table, path: readonly string[]): void => {
    if (ordered.has(table.name)) return;
    if (path.includes(table.name)) throw new Error(`tables refer to each other: ${[...path, table.name].join(', ')}`);
    for (const { table: name } of table.foreignKeys) {
      const referred = tables.get(name);
      if (referred && referred !== table) visit(referred, [...path, table.name]);
    }
    ordered.set(table.name, table);
  };
  for (const table of tables.values()) visit(table, []);
  return [...ordered.values()];
}
