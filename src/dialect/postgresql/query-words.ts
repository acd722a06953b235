import { sql } from 'kysely';
import { insertOnConflict, limitOffset, NOTHING, type QueryWords } from '../query-words.js';

export const queryWords: QueryWords = {
  // A 16-bit count in the protocol (https://www.postgresql.org/docs/current/protocol-message-formats.html, Bind).
  maxValues: 65_535,
  insert: insertOnConflict,
  locking: { from: NOTHING, end: sql`FOR UPDATE` },
  page: limitOffset,
};
