/** Searches in the registry. Prompts are found only by who asks for them. */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { invalidParameter } from '../../errors.js';
import type { ModelVersion, Page, RegisteredModel } from '../../records.js';
import { type Comparison, decodePageToken, encodePageToken, type Order, parseSearch } from '../../search/index.js';
import type { Question } from '../../store.js';
import type { Context } from '../context.js';
import { compare, equals } from '../search/compare.js';
import { type Db, type ModelRow, modelsOf, type VersionRow, versionsOf, WORKSPACE } from './rows.js';
import { DELETED } from './stages.js';
import { PROMPT } from './tags.js';

/** What is searched, and how its tags are found. */
interface Searched {
  readonly table: 'registered_models' | 'model_versions';
  readonly tags: 'registered_model_tags' | 'model_version_tags';
  /** Columns that lead from a record to its tags. */
  readonly key: readonly string[];
  /** Names in filters and orders that the columns have not. */
  readonly columns: Readonly<Record<string, string>>;
}

const MODELS: Searched = {
  table: 'registered_models',
  tags: 'registered_model_tags',
  key: ['name'],
  columns: { last_updated_timestamp: 'last_updated_time' },
};
const VERSIONS: Searched = {
  table: 'model_versions',
  tags: 'model_version_tags',
  key: ['name', 'version'],
  columns: {
    version_number: 'version',
    source_path: 'source',
    creation_timestamp: 'creation_time',
    last_updated_timestamp: 'last_updated_time',
  },
};

const MODELS_BY_DEFAULT = 100;
const MOST_MODELS = 1000;
const VERSIONS_BY_DEFAULT = 10_000;
const MOST_VERSIONS = 200_000;

export async function searchModels(context: Context, question: Question): Promise<Page<RegisteredModel>> {
  const { filter, order_by, max_results = MODELS_BY_DEFAULT, page_token } = question;
  if (max_results > MOST_MODELS) throw tooMany(max_results, MOST_MODELS);
  if (max_results < 0) throw notPositive(max_results);
  const { where, orderBy } = parseSearch('registeredModels', filter, order_by);
  const offset = decodePageToken(page_token);
  return context.pool.read(async (db) => {
    const { rows, ...page } = await found<ModelRow>(context, db, MODELS, {
      where,
      orderBy,
      limit: max_results,
      offset,
    });
    return { items: await modelsOf(context, db, rows), ...page };
  });
}

export async function searchVersions(context: Context, question: Question): Promise<Page<ModelVersion>> {
  const { filter, order_by, max_results = VERSIONS_BY_DEFAULT, page_token } = question;
  if (max_results < 1) throw notPositive(max_results);
  if (max_results > MOST_VERSIONS) throw tooMany(max_results, MOST_VERSIONS);
  const { where, orderBy } = parseSearch('modelVersions', filter, order_by);
  const offset = decodePageToken(page_token);
  return context.pool.read(async (db) => {
    const alive = sql<SqlBool>`${sql.ref('r.current_stage')} != ${DELETED}`;
    const search = { where, orderBy, limit: max_results, offset, and: [alive] };
    const { rows, ...page } = await found<VersionRow>(context, db, VERSIONS, search);
    return { items: await versionsOf(context, db, rows), ...page };
  });
}

const tooMany = (given: number, most: number) =>
  invalidParameter(
    `Invalid value for request parameter max_results. It must be at most ${most}, but got value ${given}`,
  );
const notPositive = (given: number) =>
  invalidParameter(`Invalid value for max_results. It must be a positive integer, but got ${given}`);

interface Asked {
  readonly where: readonly Comparison[];
  readonly orderBy: readonly Order[];
  readonly limit: number;
  readonly offset: number;
  readonly and?: readonly RawBuilder<SqlBool>[];
}

/** A page of rows. One more is asked for, which says whether there is another page. */
async function found<Row>(
  { pool: { words } }: Context,
  db: Db,
  searched: Searched,
  { where, orderBy, limit, offset, and = [] }: Asked,
): Promise<{ rows: Row[]; next_page_token?: string }> {
  const column = (key: string) => sql.ref(`r.${searched.columns[key] ?? key}`);
  const tagged = (conditions: readonly RawBuilder<SqlBool>[], by: readonly string[]) => {
    const own = by.map((each) => sql<SqlBool>`${sql.ref(`t.${each}`)} = ${sql.ref(`r.${each}`)}`);
    const all = [sql<SqlBool>`${sql.ref('t.workspace')} = ${WORKSPACE}`, ...own, ...conditions];
    return sql<SqlBool>`EXISTS (SELECT 1 FROM ${sql.table(searched.tags)} AS t WHERE ${sql.join(all, sql` AND `)})`;
  };
  const tag = (key: string, comparisons: readonly Comparison[]) => [
    equals(words, sql.ref('t.key'), key),
    ...comparisons.map((comparison) => compare(words, sql.ref('t.value'), comparison)),
  ];

  const attributes = where.filter(({ kind }) => kind === 'attribute');
  const tags = Map.groupBy(
    where.filter(({ kind }) => kind === 'tag'),
    ({ key }) => key,
  );
  const prompts = asksForPrompts(tags.get(PROMPT));
  if (!prompts) tags.delete(PROMPT);
  const conditions = [
    sql<SqlBool>`${sql.ref('r.workspace')} = ${WORKSPACE}`,
    ...and,
    ...attributes.map((comparison) => compare(words, column(comparison.key), comparison)),
    ...[...tags].map(([key, comparisons]) => tagged(tag(key, comparisons), searched.key)),
    // All versions of a model are prompts when one is.
    ...(prompts ? [] : [sql<SqlBool>`NOT ${tagged(tag(PROMPT, [IS_PROMPT]), ['name'])}`]),
  ];
  const orders = orderBy.map(({ key, ascending }) => sql`${column(key)} ${sql.raw(ascending ? 'ASC' : 'DESC')}`);
  const { rows } =
    await sql<Row>`SELECT r.* FROM ${sql.table(searched.table)} AS r WHERE ${sql.join(conditions, sql` AND `)} ORDER BY ${sql.join(orders)} ${words.page(limit + 1, offset)}`.execute(
      db,
    );
  return rows.length > limit
    ? { rows: rows.slice(0, limit), next_page_token: encodePageToken(offset + limit) }
    : { rows };
}

const IS_PROMPT: Comparison = { kind: 'tag', key: PROMPT, comparator: '=', value: 'true' };

function asksForPrompts(clauses: readonly Comparison[] | undefined): boolean {
  const [first] = clauses ?? [];
  const value = typeof first?.value === 'string' ? first.value.toLowerCase() : undefined;
  return (first?.comparator === '=' && value === 'true') || (first?.comparator === '!=' && value === 'false');
}
