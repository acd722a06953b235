/**
 * The golden schemas that real MLflow made (shared/fixtures/schema), and a live schema of ours, brought to one form, so
 * that the two can be compared whole: columns in order, names, types, defaults, keys, references, checks, indexes.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { CheckExpression, ColumnDefault, ColumnType, Schema, Table } from '../../src/schema/model.js';
import { FIXTURES } from './fixtures.js';

export interface PlainTable {
  columns: {
    name: string;
    type: string;
    nullable: boolean;
    default: string | null;
    generated: boolean;
    numbered: boolean;
  }[];
  primary_key: { name: string | null; columns: string[] } | null;
  unique: { name: string | null; columns: string[] }[];
  foreign_keys: {
    name: string | null;
    columns: string[];
    ref_table: string;
    ref_columns: string[];
    on_delete: string;
    on_update: string;
  }[];
  checks: { name: string | null; says: string }[];
  indexes: { name: string; unique: boolean; columns: string[]; include: string[]; where: string | null }[];
}
export interface PlainSchema {
  tables: Record<string, PlainTable>;
  triggers: { name: string; table: string }[];
}

/** Alembic writes no version table into the goldens; ours is left out as well. */
const VERSION_TABLE = 'alembic_version';

// ---------------------------------------------------------------- goldens

interface GoldenColumn {
  name: string;
  type: string;
  nullable: boolean;
  default: string | null;
  generated: string | null;
  identity?: string | null;
  extra?: string | null;
  collation?: string | null;
}
interface GoldenTable {
  collation?: string | null;
  columns: GoldenColumn[];
  primary_key: PlainTable['primary_key'];
  unique: PlainTable['unique'];
  foreign_keys: PlainTable['foreign_keys'];
  checks: { name: string | null; sql: string }[];
  indexes: {
    name: string;
    unique: boolean;
    columns: { column: string; order: 'asc' | 'desc' | 'include'; prefix?: number | null }[];
    where?: string | null;
  }[];
}

export function goldenPath(dialect: string, revision: string): string {
  return join(FIXTURES, 'schema', dialect, `${revision}.json.gz`);
}

/** A checkout without ../shared has a few of them only. */
export function hasGoldens(dialect: string, revision: string): boolean {
  return existsSync(goldenPath(dialect, revision));
}

/** @param dialect folder of the goldens: sqlite, postgresql or mariadb */
export function golden(dialect: string, revision: string): PlainSchema {
  const read = JSON.parse(gunzipSync(readFileSync(goldenPath(dialect, revision))).toString('utf8')) as {
    tables: Record<string, GoldenTable>;
    triggers?: { name: string; table: string | null }[];
  };
  const tables = Object.entries(read.tables).map(([name, table]): [string, PlainTable] => [name, plainGolden(table)]);
  return sorted({
    tables: Object.fromEntries(tables),
    triggers: (read.triggers ?? []).flatMap(({ name, table }) => (table === null ? [] : [{ name, table }])),
  });
}

function plainGolden(table: GoldenTable): PlainTable {
  // MariaDB's JSON is LONGTEXT with a check that is named after the column.
  const isJson = ({ name, sql }: { name: string | null; sql: string }) => sql === `json_valid(\`${name}\`)`;
  const json = new Set(table.checks.filter(isJson).map(({ name }) => name));
  return {
    columns: table.columns.map((column) => plainColumn(column, table.collation ?? null, json.has(column.name))),
    primary_key: table.primary_key && { name: table.primary_key.name, columns: table.primary_key.columns },
    unique: table.unique.map(({ name, columns }) => ({ name, columns })),
    foreign_keys: table.foreign_keys.map((key) => ({
      ...key,
      on_delete: sameAction(key.on_delete),
      on_update: sameAction(key.on_update),
    })),
    checks: table.checks.filter((check) => !isJson(check)).map(({ name, sql }) => ({ name, says: bareText(sql) })),
    indexes: table.indexes.map((index) => ({
      name: index.name,
      unique: index.unique,
      columns: index.columns
        .filter(({ order }) => order !== 'include')
        .map(({ column, order, prefix }) => `${column.replaceAll('"', '')}${prefix ? `(${prefix})` : ''} ${order}`),
      include: index.columns.filter(({ order }) => order === 'include').map(({ column }) => column),
      where: index.where ?? null,
    })),
  };
}

function plainColumn(
  column: GoldenColumn,
  tableCollation: string | null,
  isJson: boolean,
): PlainTable['columns'][number] {
  const { name, type, nullable, default: value, generated, identity, extra, collation } = column;
  const numbered = Boolean(identity) || /^nextval\(/.test(value ?? '') || /auto_increment/.test(extra ?? '');
  const own = collation && collation !== tableCollation ? ` COLLATE ${collation}` : '';
  return {
    name,
    type: isJson ? 'json' : type + own,
    nullable,
    // PostgreSQL keeps a generated column's expression where others keep a default; MariaDB writes NULL for none.
    default: generated || numbered || value === 'NULL' ? null : value,
    generated: generated !== null,
    numbered,
  };
}

/** RESTRICT and NO ACTION differ only for deferred constraints, which MariaDB has not. */
const sameAction = (action: string) => (action.toUpperCase() === 'RESTRICT' ? 'NO ACTION' : action.toUpperCase());

/** A check without quotes, casts, parentheses and case: column and values in their order. */
function bareText(sql: string): string {
  return sql
    .replaceAll(/::[a-z ]+(\[\])?/g, '')
    .replaceAll(/\bCHECK\b|= ANY|ARRAY|\bIN\b/gi, ' ')
    .replaceAll(/[()[\]"'`,]/g, ' ')
    .trim()
    .replaceAll(/\s+/g, ' ');
}

/** What the script that made the goldens says, as it says it. */
export interface RawDump {
  readonly tables: Record<string, { create_sql?: string }>;
  readonly triggers?: unknown;
}

/** Without the version table, which goldens lack, and the text of CREATE, which is laid out freely. */
export function comparable({ tables, triggers }: RawDump): unknown {
  const kept = Object.entries(tables)
    .filter(([name]) => name !== VERSION_TABLE)
    .map(([name, { create_sql: _, ...table }]) => [name, table]);
  return { tables: Object.fromEntries(kept), triggers: triggers ?? [] };
}

export function rawGolden(dialect: string, revision: string): unknown {
  return comparable(JSON.parse(gunzipSync(readFileSync(goldenPath(dialect, revision))).toString('utf8')) as RawDump);
}

// ---------------------------------------------------------------- ours

export function plain(schema: Schema): PlainSchema {
  const tables = [...schema.tables.values()]
    .filter(({ name }) => name !== VERSION_TABLE)
    .map((table): [string, PlainTable] => [table.name, plainTable(table)]);
  return sorted({
    tables: Object.fromEntries(tables),
    triggers: schema.triggers.map(({ name, table }) => ({ name, table })),
  });
}

function plainTable(table: Table): PlainTable {
  return {
    columns: table.columns.map((column) => ({
      name: column.name,
      type: nativeType(column.type),
      nullable: column.nullable,
      default: nativeDefault(column.default ?? null),
      generated: Boolean(column.generated),
      numbered: Boolean(column.numbered),
    })),
    primary_key: table.primaryKey && { name: table.primaryKey.name, columns: [...table.primaryKey.columns] },
    unique: table.uniques.map(({ name, columns }) => ({ name, columns: [...columns] })),
    foreign_keys: table.foreignKeys.map((key) => ({
      name: key.name,
      columns: [...key.columns],
      ref_table: key.table,
      ref_columns: [...key.references],
      on_delete: key.onDelete.toUpperCase(),
      on_update: key.onUpdate.toUpperCase(),
    })),
    checks: table.checks.map(({ name, expression }) => ({ name, says: says(expression) })),
    indexes: table.indexes.map((index) => ({
      name: index.name,
      unique: index.unique,
      columns: index.columns.map(
        ({ name, descending, prefix }) => `${name}${prefix ? `(${prefix})` : ''} ${descending ? 'desc' : 'asc'}`,
      ),
      include: [...(index.include ?? [])],
      where: index.where ?? null,
    })),
  };
}

function nativeType(type: ColumnType): string {
  if (type.kind !== 'native')
    throw new Error(`a catalog reader gave a type that is not the database's own: ${type.kind}`);
  return type.sql;
}

function nativeDefault(value: ColumnDefault | null): string | null {
  if (value === null) return null;
  if (value.kind !== 'native')
    throw new Error(`a catalog reader gave a default that is not the database's own: ${value.kind}`);
  return value.sql;
}

function says(expression: CheckExpression): string {
  return 'sql' in expression ? bareText(expression.sql) : [expression.column, ...expression.in].join(' ');
}

/** Only the order of columns means something. */
function sorted(schema: PlainSchema): PlainSchema {
  const by = <T>(list: T[]) => [...list].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  const tables = Object.entries(schema.tables)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, table]): [string, PlainTable] => [
      name,
      {
        ...table,
        unique: by(table.unique),
        foreign_keys: by(table.foreign_keys),
        checks: by(table.checks),
        indexes: by(table.indexes),
      },
    ]);
  return { tables: Object.fromEntries(tables), triggers: by(schema.triggers) };
}

/** A column that comes back is the last one of its table. */
export function inAnyOrder({ tables, triggers }: PlainSchema): PlainSchema {
  const entries = Object.entries(tables).map(([name, table]) => {
    const columns = [...table.columns].sort((a, b) => (a.name < b.name ? -1 : 1));
    return [name, { ...table, columns }] as const;
  });
  return { tables: Object.fromEntries(entries), triggers };
}
