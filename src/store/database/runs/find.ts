/** Finds the runs of a page. */
import { type Kysely, sql } from 'kysely';
import type { QueryWords } from '../../../dialect/query-words.js';
import type { Tables } from '../entities/index.js';
import { LedSearch, type PageOf, type Tuning } from './led-search.js';
import { type Asked, filterOf, foundIds, orderingOf, type Parts, scopeOf, tieOf } from './query.js';

/** Their ids, in order. @param tuning for tests */
export async function findIds(
  words: QueryWords,
  db: Kysely<Tables>,
  asked: Asked,
  page: PageOf,
  tuning?: Tuning,
): Promise<readonly string[]> {
  const filters = asked.where.map((comparison, at) => filterOf(words, comparison, `f${at}`));
  const orders = [...asked.asked.map((order, at) => orderingOf(order, `o${at}`)), ...asked.ties.map(tieOf)];
  const whole: Parts = {
    scope: scopeOf(asked),
    filters,
    orders,
    join: sql`JOIN`,
    page: words.page(page.limit, page.offset),
  };
  const [first] = orders;
  const { oneByOne } = words;
  const led = first && oneByOne && new LedSearch({ oneByOne, words, db, asked, whole, first, page, tuning });
  return (led && (await led.ids())) ?? foundIds(db, whole);
}
