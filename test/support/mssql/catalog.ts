/** Answers to the catalog's queries (src/dialect/mssql/catalog.ts) about a model, in the spelling of the server. */
import { QUERIES } from '../../../src/dialect/mssql/catalog.js';
import { asServerWrites } from './expression.js';
import { COLLATION, type ModelServer, type ModelTable } from './model.js';

export type Row = Readonly<Record<string, string | number | boolean | null>>;

/** Rows of a query; null when it is none of the catalog's. */
export function catalogRows(server: ModelServer, query: string): Row[] | null {
  const found = Object.entries(QUERIES).find(([, sql]) => sql === query);
  const rows = found && ROWS[found[0] as keyof typeof QUERIES];
  return rows ? tablesOf(server).flatMap(rows) : null;
}

const tablesOf = (server: ModelServer) => [...server.tables.values()].sort((a, b) => (a.name < b.name ? -1 : 1));

const ROWS: Record<keyof typeof QUERIES, (table: ModelTable) => Row[]> = {
  tables: ({ name }) => [{ name }],
  columns: (table) =>
    table.columns.map((column) => {
      const [, type = '', size] = /^(\w+)(?:\((\w+)\))?$/.exec(column.type) ?? [];
      const unit = type.startsWith('n') ? 2 : 1;
      const value = table.defaults.find((each) => each.column === column.name)?.value;
      return {
        table: table.name,
        name: column.name,
        type,
        length: size === undefined ? 8 : size === 'max' ? -1 : Number(size) * unit,
        precision: 0,
        scale: 0,
        nullable: column.nullable,
        numbered: column.identity,
        collation: type.includes('char') ? (column.collation ?? COLLATION) : null,
        // A number gets parentheses of its own.
        default: value === undefined ? null : /^-?\d/.test(value) ? `((${value}))` : `(${value})`,
        generated: column.computed && `(${column.computed.replaceAll(/\w+/g, '[$&]').replaceAll(' ', '')})`,
      };
    }),
  keys: (table) =>
    [
      ...(table.primaryKey ? [{ ...table.primaryKey, kind: 'PK' }] : []),
      ...table.uniques.map((key) => ({ ...key, kind: 'UQ' })),
    ].flatMap(({ name, kind, columns }) => columns.map((column) => ({ table: table.name, name, kind, column }))),
  foreignKeys: (table) =>
    table.foreignKeys.flatMap((key) =>
      key.columns.map((column, i) => ({
        table: table.name,
        name: key.name,
        column,
        referenced: key.table,
        reference: key.references[i] ?? '',
        on_delete: key.onDelete.toUpperCase().replace(' ', '_'),
        on_update: key.onUpdate.toUpperCase().replace(' ', '_'),
      })),
    ),
  checks: (table) =>
    table.checks.map(({ name, expression }) => ({ table: table.name, name, definition: asServerWrites(expression) })),
  indexes: (table) =>
    table.indexes.flatMap(({ name, unique, columns }) =>
      columns.map((column) => ({
        table: table.name,
        name,
        unique,
        disabled: false,
        where: null,
        column: column.name,
        descending: column.descending,
        included: false,
      })),
    ),
  triggers: (table) => table.triggers.map(({ name }) => ({ name, table: table.name })),
};
