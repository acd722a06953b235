import { afterTuple, limit, type RowWords } from '../row-words.js';

export const rowWords: RowWords = {
  exactly: ({ type }, name) =>
    type.kind === 'bigint' || type.kind === 'date' || type.kind === 'json' ? `${name}::text` : name,
  rowNumber: null,
  after: afterTuple,
  first: limit,
};
