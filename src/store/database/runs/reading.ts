/** Reads runs and all that belongs to them: a query for each table, however many runs there are, asked together. */
import { type Kysely, type Selectable, type SqlBool, sql } from 'kysely';
import type { Columns } from '../../../dialect/query-words.js';
import type { Context } from '../context.js';
import type { Tables } from '../entities/index.js';
import { type Query, rowsTogether } from '../together.js';
import { RUN_COLUMNS, type RunRow } from './rows.js';

type Db = Kysely<Tables>;
type RowOf<Table extends keyof Tables, Column extends keyof Tables[Table]> = Selectable<Pick<Tables[Table], Column>>;

type MetricRow = RowOf<'latest_metrics', 'run_uuid' | 'key' | 'value' | 'timestamp' | 'step' | 'is_nan'>;
type PairRow = RowOf<'tags', 'run_uuid' | 'key' | 'value'>;
type ModelRow = RowOf<'inputs', 'source_id' | 'destination_type' | 'destination_id' | 'step'>;

/** A dataset comes once for each of its tags. */
export interface DatasetRow extends Omit<Selectable<Tables['datasets']>, 'experiment_id'> {
  readonly destination_id: string;
  readonly tag: string | null;
  readonly value: string | null;
}

export interface RowsOfRuns {
  readonly runs: RunRow;
  readonly metrics: MetricRow;
  readonly params: PairRow;
  readonly tags: PairRow;
  readonly datasets: DatasetRow;
  readonly models: ModelRow;
}

const METRIC: Columns<MetricRow> = {
  run_uuid: 'text',
  key: 'text',
  value: 'double',
  timestamp: 'bigint',
  step: 'bigint',
  is_nan: 'boolean',
};
const PAIR: Columns<PairRow> = { run_uuid: 'text', key: 'text', value: 'text' };
const DATASET: Columns<DatasetRow> = {
  destination_id: 'text',
  dataset_uuid: 'text',
  name: 'text',
  digest: 'text',
  dataset_source_type: 'text',
  dataset_source: 'text',
  dataset_schema: 'text',
  dataset_profile: 'text',
  tag: 'text',
  value: 'text',
};
const MODEL: Columns<ModelRow> = {
  source_id: 'text',
  destination_type: 'text',
  destination_id: 'text',
  step: 'bigint',
};

/** @param modelInputs whether the models that a run has taken in are read as well */
export function rowsOfRuns(context: Context, db: Db, runIds: readonly string[], modelInputs: boolean) {
  const ids = context.pool.words.among(runIds);
  const ofRun = ids.has(sql.ref('run_uuid'));
  const pairs = (table: 'params' | 'tags'): Query<PairRow> => ({
    columns: PAIR,
    build: () => db.selectFrom(table).select(['run_uuid', 'key', 'value']).where(ofRun),
  });
  const sources = sql.raw(modelInputs ? "'RUN_OUTPUT', 'RUN_INPUT'" : "'RUN_OUTPUT'");
  return rowsTogether<RowsOfRuns>(
    context,
    db,
    `runs ${ids.shape}${modelInputs ? ', models taken in too' : ''}`,
    {
      runs: {
        columns: RUN_COLUMNS,
        build: () =>
          db
            .selectFrom('runs')
            .select(Object.keys(RUN_COLUMNS) as (keyof typeof RUN_COLUMNS)[])
            .where(ofRun),
      },
      metrics: {
        columns: METRIC,
        build: () =>
          db
            .selectFrom('latest_metrics')
            .select(['run_uuid', 'key', 'value', 'timestamp', 'step', 'is_nan'])
            .where(ofRun),
      },
      params: pairs('params'),
      tags: pairs('tags'),
      datasets: {
        columns: DATASET,
        build: () =>
          db
            .selectFrom('inputs as i')
            .innerJoin('datasets as d', 'd.dataset_uuid', 'i.source_id')
            .leftJoin('input_tags as t', 't.input_uuid', 'i.input_uuid')
            .select(['i.destination_id', 'd.dataset_uuid', 'd.name', 'd.digest', 'd.dataset_source_type'])
            .select(['d.dataset_source', 'd.dataset_schema', 'd.dataset_profile', 't.name as tag', 't.value'])
            .where(sql<SqlBool>`${sql.ref('i.destination_type')} = 'RUN'`)
            .where(ids.has(sql.ref('i.destination_id'))),
      },
      models: {
        columns: MODEL,
        build: () =>
          db
            .selectFrom('inputs')
            .select(['source_id', 'destination_type', 'destination_id', 'step'])
            .where(sql<SqlBool>`${sql.ref('source_type')} IN (${sources})`)
            .where(ids.has(sql.ref('source_id'))),
      },
    },
    ids.values,
  );
}
