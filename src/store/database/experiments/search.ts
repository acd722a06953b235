import { type CompiledQuery, type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely';
import { columnList, type Packing } from '../../../dialect/query-words.js';
import type { Experiment, Page } from '../../records.js';
import { type Comparison, decodePageToken, encodePageToken, parseSearch } from '../../search/index.js';
import { stagesOf } from '../../stages.js';
import type { Experiments } from '../../store.js';
import { validateMaxResults } from '../../validate.js';
import type { Context } from '../context.js';
import type { Tables } from '../entities/index.js';
import { compare, equals } from '../search/compare.js';
import {
  COLUMNS,
  columnId,
  columnIds,
  EXPERIMENT_COLUMNS,
  type ExperimentRow,
  experimentsOf,
  TAG_COLUMNS,
  type TagRow,
  withTags,
} from './rows.js';

const BY_DEFAULT = 1000;

type Question = Parameters<Experiments['search']>[0];

export async function searchExperiments(context: Context, question: Question): Promise<Page<Experiment>> {
  const { max_results = BY_DEFAULT, page_token } = question;
  validateMaxResults(max_results);
  return context.pool.read(async (db: Kysely<Tables>) => {
    const { filter, order_by, view_type } = question;
    const asked = JSON.stringify(['experiments', filter, order_by, view_type, max_results, page_token]);
    const { rows, tags } = await ask(context, db, asked, () => queryOf(context, question, max_results));
    const page = rows.slice(0, max_results);
    return {
      items: tags ? experimentsOf(page, tags) : await withTags(context, db, page),
      next_page_token:
        rows.length > max_results ? encodePageToken(decodePageToken(page_token) + max_results) : undefined,
    };
  });
}

/** The experiments; and their tags, where one statement can ask for both. */
async function ask(
  { pool: { words }, questions }: Context,
  db: Kysely<Tables>,
  asked: string,
  query: () => RawBuilder<ExperimentRow>,
): Promise<{ readonly rows: readonly ExperimentRow[]; readonly tags?: readonly TagRow[] }> {
  const { packing } = words;
  if (!packing) {
    const kept = questions.of(asked, () => query().compile(db));
    return { rows: (await db.executeQuery(kept as CompiledQuery<ExperimentRow>)).rows };
  }
  const kept = questions.of(asked, () => withTheirTags(packing, query()).compile(db));
  const [both] = (await db.executeQuery(kept as CompiledQuery<Packed>)).rows;
  return {
    rows: packing.unpack<ExperimentRow>(EXPERIMENT_COLUMNS, both?.experiments),
    tags: packing.unpack(TAG_COLUMNS, both?.tags),
  };
}

interface Packed {
  readonly experiments: unknown;
  readonly tags: unknown;
}

function withTheirTags({ pack }: Packing, query: RawBuilder<ExperimentRow>): RawBuilder<Packed> {
  const found = sql.table('found');
  const experiments = pack(COLUMNS, sql`SELECT * FROM ${found}`);
  const columns = Object.keys(TAG_COLUMNS);
  const tags = sql`SELECT ${columnList(columns)} FROM ${sql.table('experiment_tags')} WHERE ${sql.ref('experiment_id')} IN (SELECT ${sql.ref('experiment_id')} FROM ${found})`;
  return sql`WITH ${found} AS (${query}) SELECT ${experiments} AS experiments, ${pack(columns, tags)} AS tags`;
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
