import { misfitOf } from '../fit.js';
import { afterTuple, limit, type RowWords } from '../row-words.js';
import { queryWords } from './query-words.js';

export const rowWords: RowWords = {
  exactly: ({ type }, name) =>
    type.kind === 'bigint' || type.kind === 'date' || type.kind === 'json' ? `${name}::text` : name,
  maxValues: queryWords.maxValues,
  rowNumber: null,
  after: afterTuple,
  held: () => null,
  folds: () => null,
  misfit: (column) => misfitOf(column, { zeroCharacter: true, nonFinite: false }),
  first: limit,
};
