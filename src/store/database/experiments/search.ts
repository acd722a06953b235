import { type CompiledQuery, type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Experiment, Page } from '../../records.js';
import { type Comparison, decodePageToken, encodePageToken, parseSearch } from '../../search/index.js';
import { stagesOf } from '../../stages.js';
import type { Experiments } from '../../store.js';
import { validateMaxResults } from '../../validate.js';
import type { Context } from '../context.js';
import type { Tables } from '../entities/index.js';
import { compare, equals } from '../search/compare.js';
import { COLUMNS, columnId, columnIds, type ExperimentRow, withTags } from './rows.js';

const BY_DEFAULT = 1000;

type Question = Parameters<Experiments['search']>[0];

export async function searchExperiments(context: Context, question: Question): Promise<Page<Experiment>> {
  const { max_results = BY_DEFAULT, page_token } = question;
  validateMaxResults(max_results);
  return context.pool.read(async (db: Kysely<Tables>) => {
    const { filter, order_by, view_type } = question;
    const asked = JSON.stringify(['experiments', filter, order_by, view_type, max_results, page_token]);
    const query = context.questions.of(asked, () => queryOf(context, question, max_results).compile(db));
    const { rows } = await db.executeQuery(query as CompiledQuery<ExperimentRow>);
    return {
      items: await withTags(context, db, rows.slice(0, max_results)),
      next_page_token:
        rows.length > max_results ? encodePageToken(decodePageToken(page_token) + max_results) : undefined,
    };
  });
}

/** One row more than the page has. @throws StoreError where the filter, the order or the token are wrong */
function queryOf(
  context: Context,
  { filter, order_by, view_type, page_token }: Question,
  maxResults: number,
): RawBuilder<ExperimentRow> {
  const { where, orderBy } = parseSearch('experiments', filter, order_by);
  const offset = decodePageToken(page_token);
  const conditions = [
    sql<SqlBool>`${sql.ref('e.lifecycle_stage')} IN (${sql.join(stagesOf(view_type))})`,
    ...where.map((comparison) => condition(context, comparison)),
  ];
  const orders = orderBy.map(
    ({ key, ascending }) => sql`${sql.ref(`e.${key}`)} ${sql.raw(ascending ? 'ASC' : 'DESC')}`,
  );
  const columns = sql.join(COLUMNS.map((column) => sql.ref(`e.${column}`)));
  const page = context.pool.words.page(maxResults + 1, offset);
  return sql`SELECT ${columns} FROM ${sql.table('experiments')} AS e WHERE ${sql.join(conditions, sql` AND `)} ORDER BY ${sql.join(orders)} ${page}`;
}

function condition({ pool: { words } }: Context, comparison: Comparison): RawBuilder<SqlBool> {
  const { kind, key, comparator } = comparison;
  if (kind === 'tag') {
    const own = sql`SELECT 1 FROM ${sql.table('experiment_tags')} AS t WHERE ${sql.ref('t.experiment_id')} = ${sql.ref('e.experiment_id')}`;
    if (comparator === 'IS NULL') return sql`NOT EXISTS (${own} AND ${sql.ref('t.key')} = ${key})`;
    if (comparator === 'IS NOT NULL') return sql`EXISTS (${own} AND ${sql.ref('t.key')} = ${key})`;
    return sql`EXISTS (${own} AND ${equals(words, sql.ref('t.key'), key)} AND ${compare(words, sql.ref('t.value'), comparison)})`;
  }
  return key === 'experiment_id' ? idCondition(comparison) : compare(words, sql.ref(`e.${key}`), comparison);
}

/** An id that no experiment can have is none of theirs. */
function idCondition({ comparator, value }: Comparison): RawBuilder<SqlBool> {
  const ids = Array.isArray(value) ? columnIds(value) : [columnId(String(value))].filter((id) => id !== undefined);
  const isOne =
    ids.length === 0 ? sql<SqlBool>`1 = 0` : sql<SqlBool>`${sql.ref('e.experiment_id')} IN (${sql.join(ids)})`;
  return comparator === '!=' || comparator === 'NOT IN' ? sql`NOT (${isOne})` : isOne;
}
