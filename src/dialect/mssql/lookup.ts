/**
 * Dropping constraints that the server named. Those that are there when a plan is made come with their names from the
 * catalog. Defaults, and constraints that an earlier step of the plan makes or that a script written without a database
 * meets, are looked up by what they do when the statement runs. Each is one batch: its variable ends with it.
 */
import type { CheckExpression, ForeignKey } from '../../schema/model.js';
import { literal, quote, unicode } from './spell.js';

const objectId = (table: string) => `OBJECT_ID(${unicode(quote(table))})`;

/** @param from the catalog's rows of the constraint, called k; exactly one must be found */
function dropFound(table: string, from: string, what: string): string {
  return `DECLARE @drop nvarchar(max) = (
  SELECT ${unicode(`ALTER TABLE ${quote(table)} DROP CONSTRAINT `)} + QUOTENAME(k.name)
  FROM ${from.replaceAll('\n', '\n  ')}
);
IF @drop IS NULL THROW 50000, ${unicode(`${table} has no ${what}`)}, 1;
EXEC sys.sp_executesql @drop`;
}

/** Every default is a constraint, and keeps its column from being changed (error 5074). */
export function dropDefault(table: string, column: string): string {
  return dropFound(
    table,
    `sys.default_constraints k
WHERE k.parent_object_id = ${objectId(table)} AND COL_NAME(k.parent_object_id, k.parent_column_id) = ${unicode(column)}`,
    `default of ${column}`,
  );
}

/** Drops a key by what it is of, as the server named it. */
export function dropKey(table: string, type: 'PK' | 'UQ', columns: readonly string[]): string {
  const part =
    'sys.index_columns x WHERE x.object_id = k.parent_object_id AND x.index_id = k.unique_index_id AND x.key_ordinal';
  return dropFound(
    table,
    `sys.key_constraints k
WHERE k.parent_object_id = ${objectId(table)} AND k.type = ${unicode(type)}
${consistsOf(columns, part, 'COL_NAME(x.object_id, x.column_id)')}`,
    `${type === 'PK' ? 'primary key' : 'unique constraint'} on ${columns.join(', ')}`,
  );
}

/** Drops a reference by what it is of, as the server named it. */
export function dropForeignKey(table: string, key: ForeignKey): string {
  const part = 'sys.foreign_key_columns x WHERE x.constraint_object_id = k.object_id AND x.constraint_column_id';
  return dropFound(
    table,
    `sys.foreign_keys k
WHERE k.parent_object_id = ${objectId(table)} AND k.referenced_object_id = ${objectId(key.table)}
${consistsOf(key.columns, part, 'COL_NAME(x.parent_object_id, x.parent_column_id)')}`,
    `foreign key from ${key.columns.join(', ')} to ${key.table}`,
  );
}

/** These columns in this order, and no more. */
function consistsOf(columns: readonly string[], part: string, name: string): string {
  const each = columns.map(
    (column, i) => `  AND EXISTS (SELECT 1 FROM ${part} = ${i + 1} AND ${name} = ${unicode(column)})`,
  );
  return [`  AND (SELECT COUNT(*) FROM ${part} > 0) = ${columns.length}`, ...each].join('\n');
}

/** The server rewrites `x IN ('A', 'B')` as `([x]='B' OR [x]='A')`: it is told by its alternatives and their number. */
export function dropCheck(table: string, expression: CheckExpression): string {
  const [text, conditions] =
    'sql' in expression
      ? [expression.sql, [`k.definition = ${unicode(expression.sql)}`]]
      : [
          `${expression.column} in ${expression.in.join(', ')}`,
          [
            `LEN(k.definition) - LEN(REPLACE(k.definition, N'=', N'')) = ${expression.in.length}`,
            ...expression.in.map((value) => {
              const right = typeof value === 'number' ? `(${value})` : literal(value);
              return `CHARINDEX(${unicode(`${quote(expression.column)}=${right}`)}, k.definition) > 0`;
            }),
          ],
        ];
  return dropFound(
    table,
    `sys.check_constraints k
WHERE k.parent_object_id = ${objectId(table)}
${conditions.map((condition) => `  AND ${condition}`).join('\n')}`,
    `check that ${text}`,
  );
}
