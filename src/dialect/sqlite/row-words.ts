import { afterTuple, heldDoubles, limit, type RowWords } from '../row-words.js';
import { queryWords } from './query-words.js';
import { ROWID_NAMES } from './rowid.js';

/** Both drivers give whole numbers as doubles, or fail, where these do not hold them. */
const LARGEST = Number.MAX_SAFE_INTEGER;

export const rowWords: RowWords = {
  exactly: ({ type }, name) =>
    type.kind === 'bigint' || type.kind === 'integer'
      ? `CASE WHEN ${name} BETWEEN -${LARGEST} AND ${LARGEST} THEN ${name} ELSE CAST(${name} AS TEXT) END`
      : name,
  // None of MLflow's tables is WITHOUT ROWID: their primary keys are indexes beside the rows.
  maxValues: queryWords.maxValues,
  rowNumber: ROWID_NAMES[0],
  after: afterTuple,
  held: heldDoubles({ infinities: true }),
  folds: () => null,
  // Any value in any column, but for what its constraints are about.
  misfit: ({ nullable }) =>
    nullable ? null : (value) => (value === null ? 'is missing, and the column needs a value' : null),
  first: limit,
};
