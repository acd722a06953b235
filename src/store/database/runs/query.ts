/** A search for runs as SQL: filters and orders are joins, each of which finds at most one row of a run by a primary key. */
import { type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely';
import type { QueryWords } from '../../../dialect/query-words.js';
import type { Comparison, Order } from '../../search/index.js';
import type { Tables } from '../entities/index.js';
import { compare, equals } from '../search/compare.js';
import { RUN_NAME } from './children.js';

/** What is searched for; without the page. */
export interface Asked {
  readonly where: readonly Comparison[];
  /** What was asked for, in which NULL and NaN come last; and what is added to it, in which they do not. */
  readonly asked: readonly Order[];
  readonly ties: readonly Order[];
  readonly experimentIds: readonly number[];
  readonly stages: readonly string[];
}

const CHILDREN = { metric: 'latest_metrics', parameter: 'params', tag: 'tags' } as const;
type ChildKind = keyof typeof CHILDREN;
const isChild = (kind: string): kind is ChildKind => kind in CHILDREN;

/** A row of another table, at most one for each run. */
export interface Child {
  readonly kind: ChildKind;
  readonly key: string;
  readonly alias: string;
}

export const childTable = ({ kind, alias }: Child) => sql`${sql.table(CHILDREN[kind])} AS ${sql.ref(alias)}`;
const ownRun = (alias: string) => sql<SqlBool>`${sql.ref(`${alias}.run_uuid`)} = ${sql.ref('r.run_uuid')}`;
const keyOf = (alias: string) => sql.ref(`${alias}.key`);

/** Attributes that the table of runs has under another name. */
const NAMES: Readonly<Record<string, string>> = { run_id: 'run_uuid', run_name: 'name' };
const attributeColumn = (key: string) => sql.ref(`r.${NAMES[key] ?? key}`);

export interface Filter {
  /** What it looks at, which has to be joined; and what has to hold of that. */
  readonly child?: Child;
  readonly condition: RawBuilder<SqlBool>;
}

export function filterOf(words: QueryWords, comparison: Comparison, alias: string): Filter {
  const { kind, key, comparator } = comparison;
  if (kind === 'dataset') return { condition: datasetCondition(words, comparison) };
  // A run's name is in a tag even where MLflow wrote none into the table.
  if (kind === 'attribute' && key === 'run_name') {
    return filterOf(words, { ...comparison, kind: 'tag', key: RUN_NAME }, alias);
  }
  if (!isChild(kind)) return { condition: compare(words, attributeColumn(key), comparison) };
  const child: Child = { kind, key, alias };
  if (comparator === 'IS NULL' || comparator === 'IS NOT NULL') {
    const exists = sql<SqlBool>`EXISTS (SELECT 1 FROM ${childTable(child)} WHERE ${ownRun(alias)} AND ${keyOf(alias)} = ${key})`;
    return { condition: comparator === 'IS NULL' ? sql`NOT ${exists}` : exists };
  }
  const compared = compare(words, sql.ref(`${alias}.value`), comparison);
  const value = kind === 'metric' ? unlessNaN(compared, comparator, alias) : compared;
  return { child, condition: sql`${equals(words, keyOf(alias), key)} AND ${value}` };
}

/** NaN, which is kept as 0, is unequal to everything. */
function unlessNaN(compared: RawBuilder<SqlBool>, comparator: string, alias: string): RawBuilder<SqlBool> {
  const nan = sql.ref(`${alias}.is_nan`);
  return comparator === '!=' ? sql`(${compared} OR ${nan} = ${true})` : sql`(${compared} AND ${nan} = ${false})`;
}

function datasetCondition(words: QueryWords, { key, ...comparison }: Comparison): RawBuilder<SqlBool> {
  const tags = sql`JOIN ${sql.table('input_tags')} AS t ON ${sql.ref('t.input_uuid')} = ${sql.ref('i.input_uuid')} AND ${sql.ref('t.name')} = 'mlflow.data.context'`;
  const [join, column] = key === 'context' ? [tags, sql.ref('t.value')] : [sql``, sql.ref(`d.${key}`)];
  const from = sql`${sql.table('inputs')} AS i JOIN ${sql.table('datasets')} AS d ON ${sql.ref('d.dataset_uuid')} = ${sql.ref('i.source_id')} ${join}`;
  return sql`EXISTS (SELECT 1 FROM ${from} WHERE ${sql.ref('i.destination_id')} = ${sql.ref('r.run_uuid')} AND ${compare(words, column, comparison)})`;
}

export interface Ordering {
  readonly child?: Child;
  /** What is ordered by, where it is a value: the rest comes after all values. */
  readonly value: RawBuilder<unknown>;
  readonly isValue: RawBuilder<SqlBool>;
  readonly ascending: boolean;
  readonly by: readonly RawBuilder<unknown>[];
}

const directed = (column: RawBuilder<unknown>, ascending: boolean) =>
  sql`${column} ${sql.raw(ascending ? 'ASC' : 'DESC')}`;

/** NULL comes last in both directions, and NaN before it; a dialect alone would have its own way. */
export function orderingOf({ kind, key, ascending }: Order, alias: string): Ordering {
  const child = isChild(kind) ? { kind, key, alias } : undefined;
  const value = child ? sql.ref(`${alias}.value`) : attributeColumn(key);
  const nan = sql.ref(`${alias}.is_nan`);
  const isMetric = kind === 'metric';
  const last = isMetric
    ? sql`CASE WHEN ${nan} = ${true} THEN 1 WHEN ${value} IS NULL THEN 2 ELSE 0 END`
    : sql`CASE WHEN ${value} IS NULL THEN 1 ELSE 0 END`;
  return {
    ...(child && { child }),
    value,
    isValue: isMetric ? sql`${nan} = ${false}` : sql`${value} IS NOT NULL`,
    ascending,
    by: [last, directed(value, ascending)],
  };
}

/** What is added to an order has no words for NULL. */
export function tieOf({ key, ascending }: Order): Ordering {
  const value = attributeColumn(key);
  return { value, isValue: sql`${value} IS NOT NULL`, ascending, by: [directed(value, ascending)] };
}

/** Of the experiments, and in the stages, that are searched. */
export function scopeOf({ experimentIds, stages }: Asked, unindexed = (column: RawBuilder<unknown>) => column) {
  const experiment = unindexed(sql.ref('r.experiment_id'));
  return sql<SqlBool>`${experiment} IN (${sql.join(experimentIds)}) AND ${sql.ref('r.lifecycle_stage')} IN (${sql.join(stages)})`;
}

export const RUNS = sql`${sql.table('runs')} AS r`;

export interface Parts {
  /** What leads the joins in place of runs: one of the tables that a filter or an order looks at. */
  readonly lead?: Child;
  readonly scope: RawBuilder<SqlBool>;
  readonly and?: readonly RawBuilder<SqlBool>[];
  readonly filters: readonly Filter[];
  readonly orders: readonly Ordering[];
  /** Joins the tables that filters look at, and runs to the one that leads. */
  readonly join: RawBuilder<unknown>;
  readonly page: RawBuilder<unknown>;
}

/** The ids of a page. */
export async function foundIds(db: Kysely<Tables>, parts: Parts): Promise<string[]> {
  const { rows } = await idsQuery(parts).execute(db);
  return rows.map(({ run_uuid }) => run_uuid);
}

function idsQuery({ lead, scope, and = [], filters, orders, join, page }: Parts): RawBuilder<{ run_uuid: string }> {
  const from = lead ? sql`${childTable(lead)} ${join} ${RUNS} ON ${ownRun(lead.alias)}` : RUNS;
  const joined = filters.flatMap(({ child, condition }) =>
    child ? [sql`${join} ${childTable(child)} ON ${ownRun(child.alias)} AND ${condition}`] : [],
  );
  const ordered = orders.flatMap(({ child }) =>
    child && child !== lead
      ? [sql`LEFT JOIN ${childTable(child)} ON ${ownRun(child.alias)} AND ${keyOf(child.alias)} = ${child.key}`]
      : [],
  );
  const conditions = [
    scope,
    ...(lead ? [sql<SqlBool>`${keyOf(lead.alias)} = ${lead.key}`] : []),
    ...and,
    ...filters.flatMap(({ child, condition }) => (child ? [] : [condition])),
  ];
  const tables = sql.join([from, ...joined, ...ordered], sql` `);
  const by = sql.join(orders.flatMap((order) => order.by));
  return sql`SELECT ${sql.ref('r.run_uuid')} FROM ${tables} WHERE ${sql.join(conditions, sql` AND `)} ORDER BY ${by} ${page}`;
}
