/** Experiments as their tables have them. */
import { type Kysely, type Selectable, sql } from 'kysely';
import { type Columns, hole } from '../../../dialect/query-words.js';
import { StoreError } from '../../errors.js';
import type { Experiment, KeyValue, LifecycleStage } from '../../records.js';
import { parseExperimentId } from '../../validate.js';
import { inChunks } from '../chunks.js';
import type { Context } from '../context.js';
import type { Tables } from '../entities/index.js';
import { rowsOf } from '../statements.js';

export const EXPERIMENT_COLUMNS = {
  experiment_id: 'integer',
  name: 'text',
  artifact_location: 'text',
  lifecycle_stage: 'text',
  creation_time: 'bigint',
  last_update_time: 'bigint',
} as const;

export const COLUMNS = Object.keys(EXPERIMENT_COLUMNS) as (keyof typeof EXPERIMENT_COLUMNS)[];

export type ExperimentRow = Selectable<Pick<Tables['experiments'], keyof typeof EXPERIMENT_COLUMNS>>;

export type TagRow = Selectable<Tables['experiment_tags']>;
export const TAG_COLUMNS: Columns<TagRow> = { experiment_id: 'integer', key: 'text', value: 'text' };

/** The experiment that requests mean that name none. */
export const DEFAULT_ID = '0';
const LARGEST_ID = 2 ** 31 - 1;

/** The id as the column has it; undefined where no column can have it. @throws StoreError where it is no number */
export function columnId(experimentId: string): number | undefined {
  const id = parseExperimentId(experimentId === '' ? DEFAULT_ID : experimentId);
  return Math.abs(id) <= LARGEST_ID ? id : undefined;
}

/** Of several ids, those that an experiment can have. @throws StoreError where one is no number */
export function columnIds(experimentIds: readonly string[]): number[] {
  return experimentIds.map(parseExperimentId).filter((id) => Math.abs(id) <= LARGEST_ID);
}

/** The row of an experiment. @throws StoreError RESOURCE_DOES_NOT_EXIST when it is not there, or in none of the stages */
export async function experimentRow(
  context: Context,
  db: Kysely<Tables>,
  experimentId: string,
  stages: readonly LifecycleStage[] = ['active', 'deleted'],
): Promise<ExperimentRow> {
  const id = columnId(experimentId);
  const rows =
    id === undefined
      ? []
      : await rowsOf(
          context,
          db,
          'experiment',
          () => db.selectFrom('experiments').select(COLUMNS).where('experiment_id', '=', hole<number>()),
          [id],
        );
  const [row] = rows.filter(({ lifecycle_stage }) => stages.some((stage) => stage === lifecycle_stage));
  if (row) return row;
  throw new StoreError(
    'RESOURCE_DOES_NOT_EXIST',
    `No Experiment with id=${id ?? parseExperimentId(experimentId)} exists`,
  );
}

/** @throws StoreError RESOURCE_DOES_NOT_EXIST, or INVALID_PARAMETER_VALUE when it is deleted */
export async function activeExperimentRow(
  context: Context,
  db: Kysely<Tables>,
  experimentId: string,
): Promise<ExperimentRow> {
  const row = await experimentRow(context, db, experimentId);
  if (row.lifecycle_stage === 'active') return row;
  throw new StoreError(
    'INVALID_PARAMETER_VALUE',
    `The experiment ${row.experiment_id} must be in the 'active' state. Current state is ${row.lifecycle_stage}.`,
  );
}

/** Records of rows, in their order, with their tags. */
export function withTags(context: Context, db: Kysely<Tables>, rows: readonly ExperimentRow[]): Promise<Experiment[]> {
  return inChunks(rows, (chunk) => fewWithTags(context, db, chunk));
}

async function fewWithTags(
  context: Context,
  db: Kysely<Tables>,
  rows: readonly ExperimentRow[],
): Promise<Experiment[]> {
  const { words } = context.pool;
  const ids = words.among(rows.map(({ experiment_id }) => experiment_id));
  const tagRows = await rowsOf(
    context,
    db,
    `tags of experiments ${ids.shape}`,
    () =>
      db
        .selectFrom('experiment_tags')
        .select(['experiment_id', 'key', 'value'])
        .where(ids.has(sql.ref('experiment_id'))),
    ids.values,
  );
  return experimentsOf(rows, tagRows);
}

/** @param tagRows of these experiments, and perhaps of others */
export function experimentsOf(rows: readonly ExperimentRow[], tagRows: readonly TagRow[]): Experiment[] {
  const tags = new Map<number, KeyValue[]>(rows.map(({ experiment_id }) => [experiment_id, []]));
  for (const { experiment_id, key, value } of tagRows) tags.get(experiment_id)?.push({ key, value: value ?? '' });
  return rows.map((row) => ({
    experiment_id: String(row.experiment_id),
    name: row.name,
    artifact_location: row.artifact_location ?? '',
    lifecycle_stage: row.lifecycle_stage === 'deleted' ? 'deleted' : 'active',
    creation_time: row.creation_time ?? undefined,
    last_update_time: row.last_update_time ?? undefined,
    tags: tags.get(row.experiment_id) ?? [],
  }));
}
