import { sql } from 'kysely';
import { compareExactText, insertOnConflict, limitOffset, NOTHING, type QueryWords } from '../query-words.js';

export const queryWords: QueryWords = {
  // A 16-bit count in the protocol (https://www.postgresql.org/docs/current/protocol-message-formats.html, Bind).
  maxValues: 65_535,
  insert: insertOnConflict,
  locking: { from: NOTHING, end: sql`FOR UPDATE` },
  compareText: (column, comparator, value) => {
    if (comparator === 'RLIKE') return sql`${column} ~ ${sql.val(value)}`;
    if (comparator === 'ILIKE') return sql`${column} ILIKE ${sql.val(value)}`;
    return compareExactText(column, comparator, value);
  },
  page: limitOffset,
};
