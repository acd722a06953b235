import { misfitOf } from '../fit.js';
import { afterEach, foldText, heldDoubles, limit, type RowWords } from '../row-words.js';
import { queryWords } from './query-words.js';

/** https://dev.mysql.com/doc/refman/8.4/en/storage-requirements.html#data-types-storage-reqs-strings */
const TEXT_BYTES = { plain: 2 ** 16 - 1, medium: 2 ** 24 - 1, long: 2 ** 32 - 1 };

/** @param collation of tables that name none */
export const rowWordsOf = (collation: string | null): RowWords => ({
  exactly: ({ type }, name) =>
    type.kind === 'bigint' || type.kind === 'date' || type.kind === 'json' ? `CAST(${name} AS CHAR)` : name,
  maxValues: queryWords.maxValues,
  rowNumber: null,
  // Tuples are compared row by row (https://dev.mysql.com/doc/refman/8.4/en/range-optimization.html#row-constructor-range-optimization).
  after: afterEach,
  // A FLOAT shows six digits of what it holds (FLT_DIG).
  held: heldDoubles({ infinities: false, single: (value) => Number(Math.fround(value).toPrecision(6)) }),
  folds: ({ type }) => {
    const isBlind = type.kind === 'varchar' && !type.caseSensitive && !/_(?:bin|cs|as_cs)$/.test(collation ?? '');
    return isBlind ? foldText : null;
  },
  misfit: (column) => misfitOf(column, { zeroCharacter: false, nonFinite: true, textBytes: TEXT_BYTES }),
  first: limit,
});
