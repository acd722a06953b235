import { type RawBuilder, type SqlBool, sql } from 'kysely';
import {
  columnList,
  compareExactText,
  type Insertion,
  isIn,
  limitOffset,
  NOTHING,
  notLess,
  type QueryWords,
  rowList,
  type TextComparator,
} from '../query-words.js';

export const queryWords: QueryWords = {
  // Values are sent in the text of a statement, whose length is limited (max_allowed_packet): 16 MiB and more.
  maxValues: 65_535,
  insert,
  locking: { from: NOTHING, end: sql`FOR UPDATE` },
  compareText,
  page: limitOffset,
};

/**
 * IGNORE would let other errors pass as well, and MariaDB has no alias for the new row: VALUES() is what both know
 * (https://mariadb.com/kb/en/insert-on-duplicate-key-update/).
 */
function insert({ table, columns, rows, key, conflict }: Insertion): RawBuilder<unknown> {
  const into = sql`INSERT INTO ${sql.table(table)} (${columnList(columns)}) VALUES ${rowList(rows)} ON DUPLICATE KEY UPDATE`;
  const fresh = (column: string) => sql`VALUES(${sql.ref(column)})`;
  if (conflict === 'keep') {
    const unchanged = sql.ref(key[0] ?? '');
    return sql`${into} ${unchanged} = ${unchanged}`;
  }
  const order = conflict.unlessLess;
  const taken = (column: string) =>
    order
      ? sql`IF(${notLess(order.map((each) => [fresh(each), sql.ref(each)] as const))}, ${fresh(column)}, ${sql.ref(column)})`
      : fresh(column);
  // From left to right, each with what was assigned before it: a row that is taken stays one that is not less.
  return sql`${into} ${sql.join(conflict.update.map((column) => sql`${sql.ref(column)} = ${taken(column)}`))}`;
}

/** Collations are blind to case, and mostly to accents: an index is asked in the column's own, and the bytes decide. */
function compareText(
  column: RawBuilder<unknown>,
  comparator: TextComparator,
  value: string | readonly string[],
): RawBuilder<SqlBool> {
  const bytes = sql`BINARY ${column}`;
  const wanted = sql.val(value);
  switch (comparator) {
    case 'IN':
    case 'NOT IN':
      return isIn(bytes, comparator, [value].flat());
    case 'RLIKE':
      return sql`CAST(${column} AS BINARY) REGEXP BINARY ${wanted}`;
    case 'ILIKE':
      return compareExactText(column, comparator, value);
    case '!=':
      return sql`(${column} != ${wanted} OR ${bytes} != ${wanted})`;
    default:
      return sql`(${column} ${sql.raw(comparator)} ${wanted} AND ${bytes} ${sql.raw(comparator)} ${wanted})`;
  }
}
