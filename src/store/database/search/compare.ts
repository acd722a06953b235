/** A comparison of a filter as SQL: the value's type says how the column is compared. */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { QueryWords, TextComparator } from '../../../dialect/query-words.js';
import { invalidParameter } from '../../errors.js';
import type { Comparison } from '../../search/index.js';

const TEXTUAL: readonly TextComparator[] = ['=', '!=', 'LIKE', 'ILIKE', 'RLIKE', 'IN', 'NOT IN'];
const NUMERIC = ['=', '!=', '<', '<=', '>', '>='];

/**
 * Of a column with the value of a comparison that is no question for NULL.
 * @throws StoreError where the database cannot compare so
 */
export function compare(
  words: QueryWords,
  column: RawBuilder<unknown>,
  { comparator, value }: Pick<Comparison, 'comparator' | 'value'>,
): RawBuilder<SqlBool> {
  const textual = TEXTUAL.find((each) => each === comparator);
  if (typeof value === 'number' && NUMERIC.includes(comparator)) {
    return sql`${column} ${sql.raw(comparator)} ${words.number(value)}`;
  }
  if (textual !== undefined && (typeof value === 'string' || Array.isArray(value))) {
    const compared = words.compareText(column, textual, value as string | readonly string[]);
    if (compared !== undefined) return compared;
  }
  throw invalidParameter(
    `${comparator} operator is not supported for this database. Consider using LIKE or ILIKE operators instead.`,
  );
}

/** A column whose texts have to be one text exactly. */
export function equals(words: QueryWords, column: RawBuilder<unknown>, text: string): RawBuilder<SqlBool> {
  return compare(words, column, { comparator: '=', value: text });
}
