import { sql } from 'kysely';
import {
  compareExactText,
  hole,
  insertOnConflict,
  insertValues,
  limitOffset,
  NOTHING,
  type QueryWords,
} from '../query-words.js';

// SQLITE_MAX_VARIABLE_NUMBER (https://www.sqlite.org/limits.html#max_variable_number).
const maxValues = 32_766;

export const queryWords: QueryWords = {
  maxValues,
  keepsUnicode: true,
  insert: insertOnConflict,
  insertMany: (shape, rows) => insertValues({ insert: insertOnConflict, maxValues }, shape, rows),
  // One value of JSON: there is one shape for any number of them, and no limit (https://www.sqlite.org/json1.html#jeach).
  among: (values) =>
    values.length === 1
      ? { shape: '1', values, has: (column) => sql`${column} = ${hole()}` }
      : {
          shape: 'n',
          values: [JSON.stringify(values)],
          has: (column) => sql`${column} IN (SELECT value FROM json_each(${hole()}))`,
        },
  packing: null,
  union: null,
  returning: (column) => ({ output: NOTHING, end: sql`RETURNING ${sql.ref(column)}` }),
  givingNumbers: (_, insert) => insert,
  locking: { from: NOTHING, end: NOTHING },
  compareText: (column, comparator, value) =>
    comparator === 'RLIKE' ? sql`${column} REGEXP ${sql.val(value)}` : compareExactText(column, comparator, value),
  number: (value) => sql`${value}`,
  // https://www.sqlite.org/optoverview.html#manual_control_of_query_plans_using_cross_join
  oneByOne: { straight: sql`CROSS JOIN`, estimate: null, unindexed: (column) => column },
  page: limitOffset,
};
