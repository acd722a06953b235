/** All that belongs to runs, for a page of them: a query for each table, however many runs there are. */
import { type Kysely, type SqlBool, sql } from 'kysely';
import type { DatasetInput, KeyValue, Metric, ModelInput, ModelOutput, Run } from '../../records.js';
import type { Context } from '../context.js';
import type { Tables } from '../entities/index.js';
import { rowsOf } from '../statements.js';
import { infoOf, type RunRow } from './rows.js';

export const RUN_NAME = 'mlflow.runName';

interface Children {
  readonly metrics: Metric[];
  readonly params: KeyValue[];
  readonly tags: KeyValue[];
  readonly datasets: DatasetInput[];
  readonly inputs: ModelInput[];
  readonly outputs: ModelOutput[];
}

/** Where the children of a run are to go; undefined for a run that was not asked for. */
type Find = (runId: string) => Children | undefined;

/** The runs of rows, in their order. @param with_model_inputs which a search leaves out, as MLflow's does */
export async function runsOf(
  context: Context,
  db: Kysely<Tables>,
  rows: readonly RunRow[],
  { modelInputs }: { readonly modelInputs: boolean },
): Promise<Run[]> {
  if (rows.length === 0) return [];
  const children = new Map<string, Children>(
    rows.map(({ run_uuid }) => [
      run_uuid,
      { metrics: [], params: [], tags: [], datasets: [], inputs: [], outputs: [] },
    ]),
  );
  const find: Find = (runId) => children.get(runId);
  const ids = context.pool.words.bindMany([...children.keys()]);
  await Promise.all([
    addMetrics(context, db, ids, find),
    addPairs(context, db, 'params', ids, find),
    addPairs(context, db, 'tags', ids, find),
    addDatasets(context, db, ids, find),
    addModels(context, db, ids, find, modelInputs),
  ]);
  return rows.map((row) => runOf(row, children.get(row.run_uuid)));
}

export function runOf(row: RunRow, children?: Children): Run {
  const { metrics = [], params = [], tags = [], datasets = [], inputs = [], outputs = [] } = children ?? {};
  const nameTag = row.name ? undefined : tags.find(({ key }) => key === RUN_NAME)?.value;
  return {
    info: infoOf(row, nameTag),
    data: { metrics, params, tags },
    inputs: { dataset_inputs: datasets, model_inputs: inputs },
    outputs: { model_outputs: outputs },
  };
}

async function addMetrics(context: Context, db: Kysely<Tables>, ids: readonly unknown[], find: Find): Promise<void> {
  const { words } = context.pool;
  const rows = await rowsOf(
    context,
    db,
    `latest metrics of ${ids.length}`,
    () =>
      db
        .selectFrom('latest_metrics')
        .select(['run_uuid', 'key', 'value', 'timestamp', 'step', 'is_nan'])
        .where(words.isAmong(sql.ref('run_uuid'), ids.length)),
    ids,
  );
  for (const { run_uuid, key, value, timestamp, step, is_nan } of rows) {
    find(run_uuid)?.metrics.push({ key, value: is_nan ? Number.NaN : value, timestamp: timestamp ?? 0, step });
  }
}

async function addPairs(
  context: Context,
  db: Kysely<Tables>,
  table: 'params' | 'tags',
  ids: readonly unknown[],
  find: Find,
): Promise<void> {
  const { words } = context.pool;
  const rows = await rowsOf<{ run_uuid: string; key: string; value: string | null }>(
    context,
    db,
    `${table} of ${ids.length}`,
    () =>
      db
        .selectFrom(table)
        .select(['run_uuid', 'key', 'value'])
        .where(words.isAmong(sql.ref('run_uuid'), ids.length)),
    ids,
  );
  for (const { run_uuid, key, value } of rows) find(run_uuid)?.[table].push({ key, value: value ?? '' });
}

/** A dataset comes once for each of its tags. */
async function addDatasets(context: Context, db: Kysely<Tables>, ids: readonly unknown[], find: Find): Promise<void> {
  const { words } = context.pool;
  const rows = await rowsOf(
    context,
    db,
    `datasets of ${ids.length}`,
    () =>
      db
        .selectFrom('inputs as i')
        .innerJoin('datasets as d', 'd.dataset_uuid', 'i.source_id')
        .leftJoin('input_tags as t', 't.input_uuid', 'i.input_uuid')
        .select(['i.destination_id', 'd.dataset_uuid', 'd.name', 'd.digest', 'd.dataset_source_type'])
        .select(['d.dataset_source', 'd.dataset_schema', 'd.dataset_profile', 't.name as tag', 't.value'])
        .where(sql<SqlBool>`${sql.ref('i.destination_type')} = 'RUN'`)
        .where(words.isAmong(sql.ref('i.destination_id'), ids.length)),
    ids,
  );
  const known = new Map<string, KeyValue[]>();
  for (const row of rows) {
    const id = `${row.destination_id} ${row.dataset_uuid}`;
    const tags = known.get(id) ?? [];
    if (!known.has(id)) {
      known.set(id, tags);
      find(row.destination_id)?.datasets.push({ tags, dataset: datasetOf(row) });
    }
    if (row.tag !== null) tags.push({ key: row.tag, value: row.value ?? '' });
  }
}

type DatasetRow = Omit<Tables['datasets'], 'dataset_uuid' | 'experiment_id'>;

function datasetOf(row: DatasetRow): DatasetInput['dataset'] {
  return {
    name: row.name,
    digest: row.digest,
    source_type: row.dataset_source_type,
    source: row.dataset_source,
    schema: row.dataset_schema ?? undefined,
    profile: row.dataset_profile ?? undefined,
  };
}

async function addModels(
  context: Context,
  db: Kysely<Tables>,
  ids: readonly unknown[],
  find: Find,
  inputs: boolean,
): Promise<void> {
  const { words } = context.pool;
  const rows = await rowsOf(
    context,
    db,
    `models of ${ids.length}${inputs ? ', inputs too' : ''}`,
    () =>
      db
        .selectFrom('inputs')
        .select(['source_id', 'destination_type', 'destination_id', 'step'])
        .where(
          sql<SqlBool>`${sql.ref('source_type')} IN (${sql.raw(inputs ? "'RUN_OUTPUT', 'RUN_INPUT'" : "'RUN_OUTPUT'")})`,
        )
        .where(words.isAmong(sql.ref('source_id'), ids.length)),
    ids,
  );
  for (const { source_id, destination_type, destination_id, step } of rows) {
    if (destination_type === 'MODEL_OUTPUT') find(source_id)?.outputs.push({ model_id: destination_id, step });
    if (destination_type === 'MODEL_INPUT') find(source_id)?.inputs.push({ model_id: destination_id });
  }
}
