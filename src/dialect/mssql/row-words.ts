import { sql } from 'kysely';
import { misfitOf } from '../fit.js';
import { afterEach, foldText, heldDoubles, type RowWords } from '../row-words.js';
import { queryWords } from './query-words.js';

/** @param collation the database's own */
export const rowWordsOf = (collation: string | null): RowWords => ({
  exactly: ({ type }, name) => {
    if (type.kind === 'bigint') return `CONVERT(varchar(20), ${name})`;
    // Style 23 is yyyy-mm-dd (https://learn.microsoft.com/en-us/sql/t-sql/functions/cast-and-convert-transact-sql).
    return type.kind === 'date' ? `CONVERT(varchar(10), ${name}, 23)` : name;
  },
  maxValues: queryWords.maxValues,
  rowNumber: null,
  after: afterEach,
  held: heldDoubles({ infinities: false }),
  folds: ({ type }) =>
    type.kind === 'varchar' && !type.caseSensitive && !/_CS_|_BIN/.test(collation ?? '') ? foldText : null,
  misfit: (column) => misfitOf(column, { zeroCharacter: false, nonFinite: true }),
  first: (limit) => sql`OFFSET 0 ROWS FETCH NEXT ${sql.lit(limit)} ROWS ONLY`,
});
