/** How SQL Server writes columns and values: so that what is declared and what `sys.columns` says compare. */
import type { Column, ColumnType } from '../../schema/model.js';
import type { Literal } from '../../schema/words.js';

/** What MLflow's revisions give a column whose case matters. */
export const EXACT = 'SQL_Latin1_General_CP1_CS_AS';

/** A name in brackets, whatever is in it. */
export function quote(name: string): string {
  return `[${name.replaceAll(']', ']]')}]`;
}

/**
 * A text without N is in the code page of the database, as MLflow's columns are: with N the column would be converted to
 * be compared, and its index would be of no use
 * (https://learn.microsoft.com/en-us/sql/t-sql/data-types/data-type-precedence-transact-sql).
 */
export function literal(value: Literal): string {
  if (value === null) return 'NULL';
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'number') return String(value);
  return isAscii(value) ? text(value) : byCodes(value);
}

/** What is not ASCII by its code: sqlcmd reads a script in the code page of the machine, and not as what it was written in. */
function byCodes(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant.
  const [first = '', ...others] = value.split(/([^\u0000-\u007f])/);
  const parts = others.map((part, i) => (i % 2 === 0 ? `NCHAR(${part.charCodeAt(0)})` : unicode(part)));
  // Of several short texts the server makes 4000 characters at the most.
  return `(${[`CAST(${unicode(first)} AS nvarchar(max))`, ...parts.filter((part) => part !== "N''")].join(' + ')})`;
}

/** A text for the catalog and for dynamic SQL, whose names are Unicode. */
export function unicode(value: string): string {
  return `N${text(value)}`;
}

const text = (value: string) => `'${value.replaceAll("'", "''")}'`;

/** Whether a text is the same in every code page. */
export function isAscii(value: string): boolean {
  return [...value].every((character) => character < '\u0080');
}

/** A type in T-SQL. */
export function spellType(type: ColumnType): string {
  switch (type.kind) {
    case 'integer':
      return 'int';
    case 'boolean':
      return 'bit';
    case 'bigint':
    case 'date':
      return type.kind;
    // FLOAT is FLOAT(53) here (https://learn.microsoft.com/en-us/sql/t-sql/data-types/float-and-real-transact-sql).
    case 'float':
    case 'double':
      return 'float';
    // There was no type for JSON before SQL Server 2025, and MLflow does not use it.
    case 'json':
      return 'nvarchar(max)';
    case 'binary':
      return 'varbinary(max)';
    case 'text':
      return type.unicode ? 'nvarchar(max)' : 'varchar(max)';
    case 'varchar':
      return `varchar(${type.length})${type.caseSensitive ? ` COLLATE ${EXACT}` : ''}`;
    case 'native':
      return type.sql;
  }
}

/** A default, without the parentheses that the catalog puts around it: `('0')`, `((0))`. */
export function spellDefault(column: Column): string | null {
  const value = column.default;
  if (!value) return null;
  switch (value.kind) {
    case 'text':
      return literal(value.value);
    case 'false':
      return '0';
    case 'native':
      return bare(value.sql);
  }
}

/** Takes away parentheses around the whole. */
export function bare(expression: string): string {
  let text = expression.trim();
  while (text.startsWith('(') && closing(text) === text.length - 1) text = text.slice(1, -1).trim();
  return text;
}

/** Where the parenthesis closes that a text begins with; what is in quotes is passed over. */
function closing(text: string): number {
  let depth = 0;
  let quoted = false;
  for (const [at, character] of [...text].entries()) {
    if (character === "'") quoted = !quoted;
    if (quoted) continue;
    if (character === '(') depth++;
    if (character === ')' && --depth === 0) return at;
  }
  return -1;
}

/** All that follows a column's name in CREATE TABLE and ADD. NULL is written out: left out, it depends on the session. */
export function definition(column: Column): string {
  if (column.generated) return `AS (${column.generated}) PERSISTED`;
  const value = spellDefault(column);
  return [
    spellType(column.type),
    nullability(column),
    ...(column.numbered ? ['IDENTITY'] : []),
    ...(value === null ? [] : [`DEFAULT ${value}`]),
  ].join(' ');
}

/** What a column must say with every change of its type: left out, it would become NULL. */
export const nullability = (column: Column) => (column.nullable ? 'NULL' : 'NOT NULL');

/**
 * @param collation the database's own, which the catalog says of each column and a declaration of none. An expression
 * comes back from the catalog with brackets and without blanks.
 */
export function spellColumn(column: Column, collation: string | null): string {
  const { name, generated } = column;
  if (generated) return `${name} AS ${bare(generated).replaceAll(/[[\]\s]/g, '')} PERSISTED`;
  const spelt = definition(column);
  return `${name} ${collation === null ? spelt : spelt.replace(` COLLATE ${collation} `, ' ')}`;
}
