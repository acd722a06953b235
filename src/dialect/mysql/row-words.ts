import { afterEach, limit, type RowWords } from '../row-words.js';

export const rowWords: RowWords = {
  exactly: ({ type }, name) =>
    type.kind === 'bigint' || type.kind === 'date' || type.kind === 'json' ? `CAST(${name} AS CHAR)` : name,
  rowNumber: null,
  // Tuples are compared row by row (https://dev.mysql.com/doc/refman/8.4/en/range-optimization.html#row-constructor-range-optimization).
  after: afterEach,
  first: limit,
};
