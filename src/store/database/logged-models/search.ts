/** The search for logged models, whose metrics can be those of one dataset. */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { invalidParameter } from '../../errors.js';
import type { LoggedModel, Page } from '../../records.js';
import {
  type Comparison,
  checkFilter,
  decodeLoggedModelToken,
  encodeLoggedModelToken,
  likePattern,
  type Order,
  parseFilter,
  parseLoggedModelOrder,
} from '../../search/index.js';
import type { LoggedModels } from '../../store.js';
import type { Context } from '../context.js';
import { columnIds } from '../experiments/rows.js';
import { compare } from '../search/compare.js';
import type { LoggedModelRow } from './lookup.js';
import { loggedModelsOf } from './rows.js';

type Question = Parameters<LoggedModels['search']>[0];
type Dataset = NonNullable<Question['datasets']>[number];

const BY_DEFAULT = 100;
const NULLABLE = ['model_type', 'source_run_id'];

export async function searchLoggedModels(context: Context, question: Question): Promise<Page<LoggedModel>> {
  const { experiment_ids, filter, datasets = [], order_by = [], page_token } = question;
  if (datasets.some(({ dataset_name }) => !dataset_name)) {
    throw invalidParameter('`dataset_name` in the `datasets` clause must be specified.');
  }
  const limit = question.max_results || BY_DEFAULT;
  if (limit < 0)
    throw invalidParameter(`Invalid value for max_results. It must be a positive integer, but got ${limit}`);
  const asked = {
    experimentIds: experiment_ids,
    filter: filter || null,
    orderBy: order_by.length === 0 ? null : order_by.map(written),
  };
  const offset = page_token ? decodeLoggedModelToken(page_token, asked) : 0;
  const where = checkFilter('loggedModels', parseFilter('loggedModels', filter));
  const ids = columnIds(experiment_ids);
  const orderBy = parseLoggedModelOrder(asked.orderBy);
  if (ids.length === 0) return { items: [] };
  return context.pool.read(async (db) => {
    const { rows } = await statement(context, ids, where, orderBy, datasets, limit, offset).execute(db);
    const items = await loggedModelsOf(context, db, rows.slice(0, limit));
    return rows.length > limit ? { items, next_page_token: encodeLoggedModelToken(asked, offset + limit) } : { items };
  });
}

/** As MLflow's server gives it to its store, whose tokens hold it. */
const written = ({
  field_name,
  ascending,
  dataset_name,
  dataset_digest,
}: NonNullable<Question['order_by']>[number]) => ({
  field_name,
  ascending: ascending ?? true,
  dataset_name: dataset_name || null,
  dataset_digest: dataset_digest || null,
});

function statement(
  { pool: { words } }: Context,
  experimentIds: readonly number[],
  where: readonly Comparison[],
  orderBy: readonly Order[],
  datasets: readonly Dataset[],
  limit: number,
  offset: number,
): RawBuilder<LoggedModelRow> {
  const own = sql`${sql.ref('x.model_id')} = ${sql.ref('m.model_id')}`;
  const child = (table: string, conditions: readonly RawBuilder<unknown>[]) =>
    sql<SqlBool>`EXISTS (SELECT 1 FROM ${sql.table(table)} AS x WHERE ${sql.join([own, ...conditions], sql` AND `)})`;
  const named = (column: string, name: string) => sql`${sql.ref(`x.${column}`)} = ${name}`;
  const onDatasets =
    datasets.length === 0
      ? []
      : [
          sql`(${sql.join(
            datasets.map(({ dataset_name: name, dataset_digest: digest }) => measured(name, digest)),
            sql` OR `,
          )})`,
        ];

  const condition = (comparison: Comparison): RawBuilder<SqlBool> => {
    const { kind, key } = comparison;
    const on = (column: string) => compare(words, sql.ref(column), comparison);
    switch (kind) {
      case 'metric':
        return child('logged_model_metrics', [named('metric_name', key), on('x.metric_value'), ...onDatasets]);
      case 'parameter':
        return child('logged_model_params', [named('param_key', key), on('x.param_value')]);
      case 'tag':
        return child('logged_model_tags', [named('tag_key', key), on('x.tag_value')]);
      default:
        return key === 'status' ? statusIs(comparison) : on(`m.${key}`);
    }
  };

  const conditions = [
    sql`${sql.ref('m.lifecycle_stage')} != 'deleted'`,
    sql`${sql.ref('m.experiment_id')} IN (${sql.join(experimentIds.map((id) => sql.val(id)))})`,
    ...where.map(condition),
    ...(onDatasets.length > 0 && !where.some(({ kind }) => kind === 'metric')
      ? [child('logged_model_metrics', onDatasets)]
      : []),
  ];
  // The latest one that was measured: an index has them in order.
  const values = orderBy.map(({ kind, key, dataset }) => {
    if (kind === 'attribute') return sql.ref(`m.${key}`);
    const on = dataset === undefined ? [] : [measured(dataset.name, dataset.digest)];
    return sql`(SELECT x.metric_value FROM logged_model_metrics AS x WHERE ${sql.join([own, named('metric_name', key), ...on], sql` AND `)} ORDER BY x.metric_timestamp_ms DESC, x.metric_step DESC, x.run_id ASC ${words.page(1)})`;
  });
  const sorted = orderBy.map(({ kind, key, ascending }, at) => {
    const value = sql.ref(`q.o${at}`);
    const direction = sql.raw(ascending ? 'ASC' : 'DESC');
    const nulls =
      kind === 'attribute' && !NULLABLE.includes(key) ? sql`` : sql`CASE WHEN ${value} IS NULL THEN 1 ELSE 0 END, `;
    return sql`${nulls}${value} ${direction}`;
  });
  const columns = values.map((value, at) => sql`${value} AS ${sql.ref(`o${at}`)}`);
  return sql<LoggedModelRow>`SELECT * FROM (SELECT m.*, ${sql.join(columns)} FROM logged_models AS m WHERE ${sql.join(conditions, sql` AND `)}) AS q ORDER BY ${sql.join(sorted)} ${words.page(limit + 1, offset)}`;
}

/** Of a metric, on a dataset of this name; on any version of it where no digest is given. */
function measured(name: string, digest: string | undefined): RawBuilder<unknown> {
  const conditions = [
    ...(name === '' ? [] : [sql`${sql.ref('x.dataset_name')} = ${name}`]),
    ...(digest ? [sql`${sql.ref('x.dataset_digest')} = ${digest}`] : []),
  ];
  return sql`(${sql.join(conditions, sql` AND `)})`;
}

const STATUSES = ['0', '1', '2', '3'];

/** A status is a number in the database, and compared as the text of one. */
function statusIs({ comparator, value }: Comparison): RawBuilder<SqlBool> {
  const found = STATUSES.filter((status) => {
    if (Array.isArray(value)) return value.includes(status) === (comparator === 'IN');
    const text = String(value);
    if (comparator === 'LIKE' || comparator === 'ILIKE') return likePattern(text, comparator === 'ILIKE').test(status);
    return (status === text) === (comparator === '=');
  });
  if (found.length === 0) return sql`1 = 0`;
  return sql`${sql.ref('m.status')} IN (${sql.join(found.map((status) => sql.val(Number(status))))})`;
}
