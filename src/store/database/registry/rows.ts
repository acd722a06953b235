/** From rows of the registry's tables to records: a fixed number of queries for any number of rows. */
import { type Kysely, type Selectable, type SqlBool, sql } from 'kysely';
import { hole } from '../../../dialect/query-words.js';
import type { KeyValue, ModelVersion, RegisteredModel } from '../../records.js';
import type { Context } from '../context.js';
import type { Tables } from '../entities/index.js';
import { rowsOf } from '../statements.js';
import { DELETED } from './stages.js';

/** The only one that there is where MLflow is not told to keep several. */
export const WORKSPACE = 'default';

export type Db = Kysely<Tables>;
export type VersionRow = Selectable<Tables['model_versions']>;
export type ModelRow = Selectable<Tables['registered_models']>;
export type Alias = RegisteredModel['aliases'][number];

const given = <Value>(value: Value | null): Value | undefined => value ?? undefined;
const tagOf = ({ key, value }: { key: string; value: string | null }): KeyValue => ({ key, value: value ?? '' });

/** In a WHERE: only rows of the workspace. */
export const inWorkspace = (table: string) => sql<SqlBool>`${sql.ref(`${table}.workspace`)} = ${sql.lit(WORKSPACE)}`;

export async function modelsOf(context: Context, db: Db, rows: readonly ModelRow[]): Promise<RegisteredModel[]> {
  if (rows.length === 0) return [];
  const names = rows.map(({ name }) => name);
  const tags = Map.groupBy(await modelTags(context, db, names), ({ name }) => name);
  const aliases = Map.groupBy(await aliasesOf(context, db, names), ({ name }) => name);
  const latest = Map.groupBy(await latestOf(context, db, names), ({ model }) => model);
  return rows.map((row) => ({
    name: row.name,
    creation_timestamp: given(row.creation_time),
    last_updated_timestamp: given(row.last_updated_time),
    description: given(row.description),
    latest_versions: (latest.get(row.name) ?? []).map(({ version }) => version),
    tags: (tags.get(row.name) ?? []).map(tagOf),
    aliases: (aliases.get(row.name) ?? []).map(({ alias, version }) => ({ alias, version })),
  }));
}

/** Children are joined to their model, whose name they may have in another case where the database does not mind. */
function modelTags(context: Context, db: Db, modelNames: readonly string[]) {
  const { words } = context.pool;
  const names = words.among(modelNames);
  const query = () =>
    db
      .selectFrom('registered_models as m')
      .innerJoin('registered_model_tags as t', (join) =>
        join.onRef('t.workspace', '=', 'm.workspace').onRef('t.name', '=', 'm.name'),
      )
      .select(['m.name', 't.key', 't.value'])
      .where(inWorkspace('m'))
      .where(names.has(sql.ref('m.name')))
      .orderBy('t.key');
  return rowsOf(context, db, `tags of models ${names.shape}`, query, names.values);
}

export async function aliasesOf(
  context: Context,
  db: Db,
  modelNames: readonly string[],
): Promise<(Alias & { readonly name: string })[]> {
  const { words } = context.pool;
  const names = words.among(modelNames);
  const query = () =>
    db
      .selectFrom('registered_models as m')
      .innerJoin('registered_model_aliases as a', (join) =>
        join.onRef('a.workspace', '=', 'm.workspace').onRef('a.name', '=', 'm.name'),
      )
      .select(['m.name', 'a.alias', 'a.version'])
      .where(inWorkspace('m'))
      .where(names.has(sql.ref('m.name')))
      .orderBy('a.alias');
  const rows = await rowsOf(context, db, `aliases of models ${names.shape}`, query, names.values);
  return rows.map((row) => ({ ...row, version: String(row.version) }));
}

/** The newest version of each stage of each model, without aliases; with the name that the model itself has. */
async function latestOf(
  context: Context,
  db: Db,
  modelNames: readonly string[],
): Promise<{ readonly model: string; readonly version: ModelVersion }[]> {
  const { words } = context.pool;
  const names = words.among(modelNames);
  const age = sql<number>`row_number() OVER (PARTITION BY ${sql.ref('m.name')}, ${sql.ref('v.current_stage')} ORDER BY ${sql.ref('v.version')} DESC)`;
  const query = () => {
    const ranked = db
      .selectFrom('registered_models as m')
      .innerJoin('model_versions as v', (join) =>
        join.onRef('v.workspace', '=', 'm.workspace').onRef('v.name', '=', 'm.name'),
      )
      .selectAll('v')
      .select('m.name as model')
      .select(age.as('age'))
      .where(inWorkspace('m'))
      .where(names.has(sql.ref('m.name')))
      .where('v.current_stage', '!=', hole<string>());
    return db.selectFrom(ranked.as('ranked')).selectAll().where('age', '=', sql.lit(1)).orderBy('version');
  };
  const rows = await rowsOf(context, db, `latest versions ${names.shape}`, query, [...names.values, DELETED]);
  const versions = await versionsOf(context, db, rows);
  return rows.map(({ model }, at) => ({ model, version: versions[at] as ModelVersion }));
}

/** @param aliases of their models, for whoever is told of them */
export async function versionsOf(
  context: Context,
  db: Db,
  rows: readonly VersionRow[],
  aliases: readonly Alias[] = [],
): Promise<ModelVersion[]> {
  if (rows.length === 0) return [];
  const tags = Map.groupBy(await versionTags(context, db, rows), keyOf);
  return rows.map((row) => versionOf(row, (tags.get(keyOf(row)) ?? []).map(tagOf), aliases));
}

const keyOf = ({ name, version }: { readonly name: string; readonly version: number }) => `${version}/${name}`;

/** Of these versions, and perhaps of others of the same names and numbers. */
function versionTags(context: Context, db: Db, rows: readonly VersionRow[]) {
  const { words } = context.pool;
  const names = words.among([...new Set(rows.map(({ name }) => name))]);
  const numbers = words.among([...new Set(rows.map(({ version }) => version))]);
  const query = () =>
    db
      .selectFrom('model_versions as v')
      .innerJoin('model_version_tags as t', (join) =>
        join
          .onRef('t.workspace', '=', 'v.workspace')
          .onRef('t.name', '=', 'v.name')
          .onRef('t.version', '=', 'v.version'),
      )
      .select(['v.name', 'v.version', 't.key', 't.value'])
      .where(inWorkspace('v'))
      .where(names.has(sql.ref('v.name')))
      .where(numbers.has(sql.ref('v.version')))
      .orderBy('t.key');
  const shape = `tags of versions ${names.shape}, ${numbers.shape}`;
  return rowsOf(context, db, shape, query, [...names.values, ...numbers.values]);
}

const aliasesFor = (version: string, aliases: readonly Alias[]) =>
  aliases.filter((each) => each.version === version).map(({ alias }) => alias);

const STATUSES = ['PENDING_REGISTRATION', 'FAILED_REGISTRATION', 'READY'] as const;

export function versionOf(row: VersionRow, tags: readonly KeyValue[], aliases: readonly Alias[] = []): ModelVersion {
  const version = String(row.version);
  return {
    name: row.name,
    version,
    creation_timestamp: given(row.creation_time),
    last_updated_timestamp: given(row.last_updated_time),
    user_id: given(row.user_id),
    current_stage: given(row.current_stage),
    description: given(row.description),
    source: given(row.source),
    run_id: given(row.run_id),
    run_link: given(row.run_link),
    status: STATUSES.find((each) => each === row.status) ?? 'READY',
    status_message: given(row.status_message),
    tags,
    aliases: aliasesFor(version, aliases),
    model_params: [],
    model_metrics: [],
  };
}

/** The newest version of each of these stages of one model. */
export async function latestVersions(
  context: Context,
  db: Db,
  name: string,
  stages: readonly string[],
): Promise<ModelVersion[]> {
  const latest = await latestOf(context, db, [name]);
  const aliases = await aliasesOf(context, db, [name]);
  return latest
    .filter(({ version }) => version.current_stage !== undefined && stages.includes(version.current_stage))
    .map(({ version }) => ({ ...version, aliases: aliasesFor(version.version, aliases) }));
}
