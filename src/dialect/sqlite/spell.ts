/** How SQLite writes columns and values. Declared types are kept as text and nothing enforces a length. */
import type { Column, ColumnDefault, ColumnType } from '../../schema/model.js';
import type { Literal } from '../../schema/words.js';
import { quoteIfNeeded } from './table-sql.js';

/** As SQLAlchemy declares it, which is what MLflow's databases have. */
export function spellType(type: ColumnType): string {
  switch (type.kind) {
    case 'integer':
      return 'INTEGER';
    case 'bigint':
      return 'BIGINT';
    case 'boolean':
      return 'BOOLEAN';
    case 'float':
    case 'double':
      return 'FLOAT';
    case 'date':
      return 'DATE';
    case 'json':
      return 'JSON';
    case 'binary':
      return 'BLOB';
    case 'varchar':
      return `VARCHAR(${type.length})`;
    case 'text':
      return 'TEXT';
    case 'native':
      return type.sql;
  }
}

/** A default as it stands in CREATE TABLE. */
export function spellDefault(value: ColumnDefault): string {
  switch (value.kind) {
    case 'text':
      return literal(value.value);
    case 'false':
      return '0';
    case 'native':
      return value.sql;
  }
}

/** The clauses of a column after its name and type, in SQLAlchemy's order. */
export function clausesOf(column: Column): string[] {
  if (column.generated) return [`GENERATED ALWAYS AS (${column.generated}) STORED`];
  return [
    ...(column.default ? [`DEFAULT ${spellDefault(column.default)}`] : []),
    ...(column.nullable ? [] : ['NOT NULL']),
  ];
}

/** The type of a column as it is declared: only INTEGER numbers itself (https://www.sqlite.org/autoinc.html). */
export function declaredType(column: Column): string {
  return column.numbered ? 'INTEGER' : spellType(column.type);
}

/** A column in one line, equal for two columns that SQLite takes alike. */
export function spellColumn(column: Column): string {
  return [quoteIfNeeded(column.name), declaredType(column), ...clausesOf(column)].join(' ');
}

/** A value as SQL. */
export function literal(value: Literal): string {
  if (value === null) return 'NULL';
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'number') return String(value);
  return `'${value.replaceAll("'", "''")}'`;
}
