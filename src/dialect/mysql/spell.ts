/** How MySQL and MariaDB write columns and values. */
import type { Column, ColumnDefault, ColumnType } from '../../schema/model.js';
import type { Literal } from '../../schema/words.js';

/** A name in backticks, whatever is in it. */
export function quote(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** What literals and conversions mean is fixed for our sessions and scripts, whatever the server's default is. */
export const SQL_MODE = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO';

/** In a session without NO_BACKSLASH_ESCAPES, which ours are (SQL_MODE): a backslash escapes. */
export function literal(value: Literal): string {
  if (value === null) return 'NULL';
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'number') return String(value);
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** A type as the catalog spells it, so that the two can be compared. */
export function spellType(type: ColumnType): string {
  switch (type.kind) {
    case 'integer':
      return 'int';
    case 'bigint':
    case 'float':
    case 'double':
    case 'date':
    case 'json':
      return type.kind;
    case 'boolean':
      return 'tinyint(1)';
    case 'binary':
      return 'blob';
    case 'varchar':
      return `varchar(${type.length})${type.caseSensitive ? ' COLLATE utf8mb4_bin' : ''}`;
    case 'text':
      return type.atLeast === 'long' ? 'longtext' : type.atLeast === 'medium' ? 'mediumtext' : 'text';
    case 'native':
      // The width of integers is for display only, and MySQL 8.0.19 no longer shows it.
      return type.sql.replace(/^(int|bigint|smallint)\(\d+\)/, '$1');
  }
}

/** A default as the catalog spells it. */
export function spellDefault(value: ColumnDefault, type: ColumnType): string {
  switch (value.kind) {
    case 'text':
      return /int/.test(spellType(type)) ? value.value : literal(value.value);
    case 'false':
      return '0';
    case 'native':
      return value.sql;
  }
}

/** All that follows a column's name: MODIFY and CHANGE restate a column whole. */
export function definition(column: Column): string {
  if (column.generated) return `${spellType(column.type)} GENERATED ALWAYS AS (${column.generated}) STORED`;
  return [
    spellType(column.type),
    column.nullable ? 'NULL' : 'NOT NULL',
    ...(column.default ? [`DEFAULT ${spellDefault(column.default, column.type)}`] : []),
    ...(column.numbered ? ['AUTO_INCREMENT'] : []),
  ].join(' ');
}

/** A column in one line, equal for two columns that the server makes alike. */
export function spellColumn(column: Column): string {
  return `${column.name} ${definition(column)}`;
}
