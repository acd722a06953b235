import { insertOnConflict, limitOffset, NOTHING, type QueryWords } from '../query-words.js';

export const queryWords: QueryWords = {
  // SQLITE_MAX_VARIABLE_NUMBER (https://www.sqlite.org/limits.html#max_variable_number).
  maxValues: 32_766,
  insert: insertOnConflict,
  locking: { from: NOTHING, end: NOTHING },
  page: limitOffset,
};
