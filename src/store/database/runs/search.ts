/**
 * A search for runs in two steps, so that its cost follows the page: the ids of the page with a filter and an order as
 * joins, each of which finds at most one row of a run by a primary key; and then the rows of these runs, with what
 * belongs to them.
 */
import { type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely';
import type { QueryWords } from '../../../dialect/query-words.js';
import type { Page, Run } from '../../records.js';
import { type Comparison, decodePageToken, encodePageToken, type Order, parseSearch } from '../../search/index.js';
import { stagesOf } from '../../stages.js';
import type { Runs } from '../../store.js';
import { validateMaxResults } from '../../validate.js';
import type { Context } from '../context.js';
import type { Tables } from '../entities/index.js';
import { columnIds } from '../experiments/rows.js';
import { compare, equals } from '../search/compare.js';
import { rowsOf } from '../statements.js';
import { RUN_NAME, runsOf } from './children.js';
import { COLUMNS, type RunRow } from './rows.js';

const BY_DEFAULT = 1000;

type Question = Parameters<Runs['search']>[0];

export async function searchRuns(context: Context, question: Question): Promise<Page<Run>> {
  const { filter, order_by, max_results = BY_DEFAULT, page_token } = question;
  validateMaxResults(max_results);
  const { where, orderBy } = parseSearch('runs', filter, order_by);
  const offset = decodePageToken(page_token);
  const experimentIds = columnIds(question.experiment_ids);
  if (experimentIds.length === 0) return { items: [] };
  const stages = stagesOf(question.run_view_type);
  return context.pool.read(async (db) => {
    const ids = idsQuery(context.pool.words, {
      where,
      asked: orderBy.slice(0, order_by?.length ?? 0),
      ties: orderBy.slice(order_by?.length ?? 0),
      experimentIds,
      stages,
      page: context.pool.words.page(max_results + 1, offset),
    });
    const { rows } = await ids.execute(db);
    const found = rows.slice(0, max_results).map(({ run_uuid }) => run_uuid);
    return {
      items: await runsOf(context, db, await runRows(context, db, found), { modelInputs: false }),
      next_page_token: rows.length > max_results ? encodePageToken(offset + max_results) : undefined,
    };
  });
}

/** Rows of runs in the order of their ids. One that was deleted for good in the meantime is left out. */
async function runRows(context: Context, db: Kysely<Tables>, ids: readonly string[]): Promise<RunRow[]> {
  if (ids.length === 0) return [];
  const { words } = context.pool;
  const bound = words.bindMany(ids);
  const rows = await rowsOf(
    context,
    db,
    `runs ${bound.length}`,
    () =>
      db
        .selectFrom('runs')
        .select(COLUMNS)
        .where(words.isAmong(sql.ref('run_uuid'), bound.length)),
    bound,
  );
  const byId = new Map(rows.map((row) => [row.run_uuid, row]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

interface Asked {
  readonly where: readonly Comparison[];
  /** What was asked for, in which NULL and NaN come last; and what is added to it, in which they do not. */
  readonly asked: readonly Order[];
  readonly ties: readonly Order[];
  readonly experimentIds: readonly number[];
  readonly stages: readonly string[];
  readonly page: RawBuilder<unknown>;
}

function idsQuery(words: QueryWords, question: Asked): RawBuilder<{ run_uuid: string }> {
  const { where, asked, ties, experimentIds, stages, page } = question;
  const filters = where.map((comparison, at) => filterOf(words, comparison, `f${at}`));
  const orders = asked.map((order, at) => orderOf(order, `o${at}`));
  const conditions = [
    sql<SqlBool>`${sql.ref('r.experiment_id')} IN (${sql.join(experimentIds)})`,
    sql<SqlBool>`${sql.ref('r.lifecycle_stage')} IN (${sql.join(stages)})`,
    ...filters.flatMap(({ condition }) => condition ?? []),
  ];
  const joins = [...filters, ...orders].flatMap(({ join }) => join ?? []);
  const by = [
    ...orders.flatMap(({ by }) => by),
    ...ties.map(({ key, ascending }) => directed(sql.ref(`r.${columnOf(key)}`), ascending)),
  ];
  const from = sql.join([sql`${sql.table('runs')} AS r`, ...joins], sql` `);
  return sql`SELECT ${sql.ref('r.run_uuid')} FROM ${from} WHERE ${sql.join(conditions, sql` AND `)} ORDER BY ${sql.join(by)} ${page}`;
}

const CHILDREN = { metric: 'latest_metrics', parameter: 'params', tag: 'tags' } as const;
type ChildKind = keyof typeof CHILDREN;
const isChild = (kind: string): kind is ChildKind => kind in CHILDREN;

/** Attributes that the table of runs has under another name. */
const NAMES: Readonly<Record<string, string>> = { run_id: 'run_uuid', run_name: 'name' };
const columnOf = (attribute: string) => NAMES[attribute] ?? attribute;

const directed = (column: RawBuilder<unknown>, ascending: boolean) =>
  sql`${column} ${sql.raw(ascending ? 'ASC' : 'DESC')}`;

interface Filter {
  readonly join?: RawBuilder<unknown>;
  readonly condition?: RawBuilder<SqlBool>;
}

/** @param alias of what is joined */
function filterOf(words: QueryWords, comparison: Comparison, alias: string): Filter {
  const { kind, key, comparator } = comparison;
  if (kind === 'dataset') return { condition: datasetCondition(words, comparison) };
  // A run's name is in a tag even where MLflow wrote none into the table.
  if (kind === 'attribute' && key === 'run_name')
    return filterOf(words, { ...comparison, kind: 'tag', key: RUN_NAME }, alias);
  if (!isChild(kind)) return { condition: compare(words, sql.ref(`r.${columnOf(key)}`), comparison) };
  const own = sql<SqlBool>`${sql.ref(`${alias}.run_uuid`)} = ${sql.ref('r.run_uuid')}`;
  const named = sql.ref(`${alias}.key`);
  const table = sql`${sql.table(CHILDREN[kind])} AS ${sql.ref(alias)}`;
  if (comparator === 'IS NULL' || comparator === 'IS NOT NULL') {
    const exists = sql`EXISTS (SELECT 1 FROM ${table} WHERE ${own} AND ${named} = ${key})`;
    return { condition: comparator === 'IS NULL' ? sql`NOT ${exists}` : sql`${exists}` };
  }
  const compared = compare(words, sql.ref(`${alias}.value`), comparison);
  const value = kind === 'metric' ? unlessNaN(compared, comparator, alias) : compared;
  return { join: sql`JOIN ${table} ON ${own} AND ${equals(words, named, key)} AND ${value}` };
}

/** NaN, which is kept as 0, is unequal to everything. */
function unlessNaN(compared: RawBuilder<SqlBool>, comparator: string, alias: string): RawBuilder<SqlBool> {
  const nan = sql.ref(`${alias}.is_nan`);
  return comparator === '!=' ? sql`(${compared} OR ${nan} = ${true})` : sql`(${compared} AND ${nan} = ${false})`;
}

function datasetCondition(words: QueryWords, { key, ...comparison }: Comparison): RawBuilder<SqlBool> {
  const tags = sql`JOIN ${sql.table('input_tags')} AS t ON ${sql.ref('t.input_uuid')} = ${sql.ref('i.input_uuid')} AND ${sql.ref('t.name')} = 'mlflow.data.context'`;
  const [join, column] = key === 'context' ? [tags, sql.ref('t.value')] : [sql``, sql.ref(`d.${key}`)];
  return sql`EXISTS (SELECT 1 FROM ${sql.table('inputs')} AS i JOIN ${sql.table('datasets')} AS d ON ${sql.ref('d.dataset_uuid')} = ${sql.ref('i.source_id')} ${join} WHERE ${sql.ref('i.destination_id')} = ${sql.ref('r.run_uuid')} AND ${compare(words, column, comparison)})`;
}

interface Ordering {
  readonly join?: RawBuilder<unknown>;
  readonly by: readonly RawBuilder<unknown>[];
}

/** NULL comes last in both directions, and NaN before it; a dialect alone would have its own way. */
function orderOf({ kind, key, ascending }: Order, alias: string): Ordering {
  if (!isChild(kind)) {
    const column = sql.ref(`r.${columnOf(key)}`);
    return { by: [sql`CASE WHEN ${column} IS NULL THEN 1 ELSE 0 END`, directed(column, ascending)] };
  }
  const value = sql.ref(`${alias}.value`);
  const none =
    kind === 'metric'
      ? sql`CASE WHEN ${sql.ref(`${alias}.is_nan`)} = ${true} THEN 1 WHEN ${value} IS NULL THEN 2 ELSE 0 END`
      : sql`CASE WHEN ${value} IS NULL THEN 1 ELSE 0 END`;
  const join = sql`LEFT JOIN ${sql.table(CHILDREN[kind])} AS ${sql.ref(alias)} ON ${sql.ref(`${alias}.run_uuid`)} = ${sql.ref('r.run_uuid')} AND ${sql.ref(`${alias}.key`)} = ${key}`;
  return { join, by: [none, directed(value, ascending)] };
}
