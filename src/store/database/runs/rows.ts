/** Rows of runs, and what a run has to be before it is written to. */
import type { Kysely } from 'kysely';
import { hole } from '../../../dialect/query-words.js';
import { invalidParameter, StoreError } from '../../errors.js';
import { RUN_STATUSES, type RunInfo } from '../../records.js';
import type { Context } from '../context.js';
import type { Tables } from '../entities/index.js';
import { rowsOf } from '../statements.js';

export const RUN_COLUMNS = {
  run_uuid: 'text',
  name: 'text',
  user_id: 'text',
  status: 'text',
  start_time: 'bigint',
  end_time: 'bigint',
  lifecycle_stage: 'text',
  artifact_uri: 'text',
  experiment_id: 'integer',
} as const;

const COLUMNS = Object.keys(RUN_COLUMNS) as (keyof typeof RUN_COLUMNS)[];

export type RunRow = Pick<Tables['runs'], keyof typeof RUN_COLUMNS>;

/** @throws StoreError RESOURCE_DOES_NOT_EXIST */
export async function runRow(context: Context, db: Kysely<Tables>, runId: string): Promise<RunRow> {
  const [row] = await rowsOf(
    context,
    db,
    'run',
    () => db.selectFrom('runs').select(COLUMNS).where('run_uuid', '=', hole<string>()),
    [runId],
  );
  if (row) return row;
  throw noRun(runId);
}

export const noRun = (runId: string) => new StoreError('RESOURCE_DOES_NOT_EXIST', `Run with id=${runId} not found`);

/** A run that may be written to. @throws StoreError */
export async function activeRunRow(context: Context, db: Kysely<Tables>, runId: string): Promise<RunRow> {
  const row = await runRow(context, db, runId);
  if (row.lifecycle_stage === 'active') return row;
  throw invalidParameter(
    `The run ${row.run_uuid} must be in the 'active' state. Current state is ${row.lifecycle_stage}.`,
  );
}

/** @param nameTag the tag mlflow.runName: MLflow before 1.30 wrote no other name */
export function infoOf(row: RunRow, nameTag?: string): RunInfo {
  return {
    run_id: row.run_uuid,
    run_name: row.name || nameTag || row.name || undefined,
    experiment_id: String(row.experiment_id),
    user_id: row.user_id ?? undefined,
    status: RUN_STATUSES.find((status) => status === row.status) ?? 'RUNNING',
    start_time: row.start_time ?? undefined,
    end_time: row.end_time ?? undefined,
    lifecycle_stage: row.lifecycle_stage === 'deleted' ? 'deleted' : 'active',
    artifact_uri: row.artifact_uri ?? undefined,
  };
}
