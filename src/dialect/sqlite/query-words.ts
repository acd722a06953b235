import { sql } from 'kysely';
import { compareExactText, insertOnConflict, limitOffset, NOTHING, type QueryWords } from '../query-words.js';

export const queryWords: QueryWords = {
  // SQLITE_MAX_VARIABLE_NUMBER (https://www.sqlite.org/limits.html#max_variable_number).
  maxValues: 32_766,
  insert: insertOnConflict,
  locking: { from: NOTHING, end: NOTHING },
  compareText: (column, comparator, value) =>
    comparator === 'RLIKE' ? sql`${column} REGEXP ${sql.val(value)}` : compareExactText(column, comparator, value),
  page: limitOffset,
};
