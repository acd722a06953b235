import { sql } from 'kysely';
import {
  type ColumnKind,
  columnList,
  compareExactText,
  hole,
  type InsertShape,
  insertOnConflict,
  limitOffset,
  NOTHING,
  onConflict,
  type QueryWords,
  type Statement,
} from '../query-words.js';
import { packing } from './packing.js';

export const queryWords: QueryWords = {
  // A 16-bit count in the protocol (https://www.postgresql.org/docs/current/protocol-message-formats.html, Bind).
  maxValues: 65_535,
  keepsUnicode: true,
  insert: insertOnConflict,
  insertMany: (shape, rows) => (rows.length === 0 ? [] : [insertArrays(shape, rows)]),
  // A plan for any array takes it for one of ten: the server would plan anew, each time, for an array of one.
  among: (values) =>
    values.length === 1
      ? { shape: '1', values, has: (column) => sql`${column} = ${hole()}` }
      : { shape: 'n', values: [values], has: (column) => sql`${column} = ANY(${hole()})` },
  packing,
  union: null,
  returning: (column) => ({ output: NOTHING, end: sql`RETURNING ${sql.ref(column)}` }),
  givingNumbers: (_, insert) => insert,
  locking: { from: NOTHING, end: sql`FOR UPDATE` },
  compareText: (column, comparator, value) => {
    if (comparator === 'RLIKE') return sql`${column} ~ ${sql.val(value)}`;
    if (comparator === 'ILIKE') return sql`${column} ILIKE ${sql.val(value)}`;
    return compareExactText(column, comparator, value);
  },
  // Without its type it would be taken for one of the column's.
  number: (value) => sql`${value}::numeric`,
  oneByOne: null,
  page: limitOffset,
};

const ARRAYS: Readonly<Record<ColumnKind, string>> = {
  text: 'text[]',
  integer: 'int4[]',
  bigint: 'int8[]',
  double: 'float8[]',
  boolean: 'bool[]',
};

/** Each column as one array: one shape, which the server has to read and plan once, does for any number of rows. */
function insertArrays(
  { name, table, columns, key, conflict }: InsertShape,
  rows: readonly (readonly unknown[])[],
): Statement {
  const names = Object.keys(columns);
  return {
    shape: name,
    build: () => {
      const arrays = Object.values(columns).map((kind) => sql`${hole()}::${sql.raw(ARRAYS[kind])}`);
      const insert = sql`INSERT INTO ${sql.table(table)} (${columnList(names)}) SELECT * FROM unnest(${sql.join(arrays)})`;
      return conflict === 'refuse' ? insert : sql`${insert} ${onConflict(table, key, conflict)}`;
    },
    values: names.map((_, at) => rows.map((row) => row[at])),
  };
}
