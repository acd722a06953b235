import { type RawBuilder, type SqlBool, sql } from 'kysely';
import {
  amongHoles,
  columnList,
  compareExactText,
  type Insertion,
  insertValues,
  isGreater,
  isIn,
  limitOffset,
  NOTHING,
  type QueryWords,
  rowList,
  type TextComparator,
} from '../query-words.js';
import { union } from './union.js';

// Values are sent in the text of a statement, whose length is limited (max_allowed_packet): 16 MiB and more.
const maxValues = 65_535;

export const queryWords: QueryWords = {
  maxValues,
  keepsUnicode: true,
  insert,
  insertMany: (shape, rows) => insertValues({ insert, maxValues }, shape, rows),
  among: amongHoles,
  packing: null,
  union,
  // MySQL has no RETURNING: its driver tells the last number.
  returning: () => ({ output: NOTHING, end: NOTHING }),
  // Our sessions have NO_AUTO_VALUE_ON_ZERO (SQL_MODE).
  givingNumbers: (_, insert) => insert,
  locking: { from: NOTHING, end: sql`FOR UPDATE` },
  compareText,
  number: (value) => sql`${value}`,
  // https://mariadb.com/kb/en/index-hints-how-to-force-query-plans/, https://dev.mysql.com/doc/refman/8.4/en/join.html
  oneByOne: {
    straight: sql`STRAIGHT_JOIN`,
    estimate: (query) => sql`EXPLAIN ${query}`,
    unindexed: (column) => sql`(${column} + 0)`,
  },
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
  const order = conflict.ifGreater ?? [];
  const assign = (column: string, by: readonly string[]) => {
    const greater = isGreater(by.map((each) => [fresh(each), sql.ref(each)] as const));
    return sql`${sql.ref(column)} = ${by.length > 0 ? sql`IF(${greater}, ${fresh(column)}, ${sql.ref(column)})` : fresh(column)}`;
  };
  // From left to right, each with what was assigned before it: those that are compared come last, the least of them
  // first, and each is compared by itself and those above it.
  const others = conflict.update.filter((column) => !order.includes(column));
  const compared = order.map((column, at) => assign(column, order.slice(0, at + 1))).reverse();
  return sql`${into} ${sql.join([...others.map((column) => assign(column, order)), ...compared])}`;
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
