/** New runs, and what of a run can be changed after. */
import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { InsertShape } from '../../../dialect/query-words.js';
import { appendToUri } from '../../artifact-uri.js';
import { invalidParameter } from '../../errors.js';
import type { KeyValue, Run, RunInfo } from '../../records.js';
import { randomRunName } from '../../run-names.js';
import type { Runs } from '../../store.js';
import type { Context } from '../context.js';
import type { Tables } from '../entities/index.js';
import { activeExperimentRow } from '../experiments/rows.js';
import { DuplicateKey } from '../faults.js';
import { insertRows } from '../statements.js';
import { RUN_NAME, runOf, runsOf } from './children.js';
import { activeRunRow, infoOf, type RunRow } from './rows.js';
import { SET_TAGS, TAGS } from './tags.js';

const RUN: InsertShape = {
  name: 'new run',
  table: 'runs',
  columns: {
    run_uuid: 'text',
    name: 'text',
    source_type: 'text',
    source_name: 'text',
    entry_point_name: 'text',
    user_id: 'text',
    status: 'text',
    start_time: 'bigint',
    source_version: 'text',
    lifecycle_stage: 'text',
    artifact_uri: 'text',
    experiment_id: 'integer',
  },
  key: ['run_uuid'],
  conflict: 'refuse',
};

export const newId = (): string => randomUUID().replaceAll('-', '');

export async function createRun(context: Context, request: Parameters<Runs['create']>[0]): Promise<Run> {
  const id = newId();
  try {
    return await context.pool.write((db) => insertRun(context, db, id, request), { repeatable: true });
  } catch (error) {
    // Its id is nobody else's: it was written before, by a commit whose answer was lost.
    const [written] =
      error instanceof DuplicateKey
        ? await context.pool.read((db) => runsOf(context, db, [id], { modelInputs: true }))
        : [];
    if (written) return written;
    throw error;
  }
}

async function insertRun(
  context: Context,
  db: Kysely<Tables>,
  id: string,
  request: Parameters<Runs['create']>[0],
): Promise<Run> {
  const experiment = await activeExperimentRow(context, db, request.experiment_id);
  const { name, tags } = named(request);
  const row: RunRow = {
    run_uuid: id,
    name,
    // MLflow cannot read a run without these; its server has these where a request has none.
    user_id: request.user_id ?? '',
    status: 'RUNNING',
    start_time: request.start_time ?? 0,
    end_time: null,
    lifecycle_stage: 'active',
    artifact_uri: appendToUri(experiment.artifact_location ?? '', id, 'artifacts'),
    experiment_id: experiment.experiment_id,
  };
  const values = { ...row, source_type: 'UNKNOWN', source_name: '', entry_point_name: '', source_version: '' };
  const columns = Object.keys(RUN.columns) as (keyof typeof values)[];
  await insertRows(context, db, RUN, [columns.map((column) => values[column])]);
  await insertRows(
    context,
    db,
    TAGS,
    tags.map(({ key, value }) => [id, key, value]),
  );
  return runOf(row, { metrics: [], params: [], tags, datasets: [], inputs: [], outputs: [] });
}

/** A run's name is in its row and in a tag. */
function named({ run_name, tags }: Parameters<Runs['create']>[0]): { name: string; tags: KeyValue[] } {
  const tag = tags.find(({ key }) => key === RUN_NAME)?.value;
  if (run_name && tag && run_name !== tag) {
    throw invalidParameter(
      "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values " +
        `(run_name='${run_name}', mlflow.runName='${tag}').`,
    );
  }
  const name = run_name || tag || randomRunName();
  return { name, tags: tag ? [...tags] : [...tags, { key: RUN_NAME, value: name }] };
}

export function updateRun(
  context: Context,
  runId: string,
  { status, end_time, run_name }: Parameters<Runs['update']>[1],
): Promise<RunInfo> {
  const work = async (db: Kysely<Tables>) => {
    const row = await activeRunRow(context, db, runId);
    const changed: RunRow = { ...row, status: status ?? row.status, end_time: end_time ?? row.end_time };
    await db
      .updateTable('runs')
      .set({ status: changed.status, end_time: changed.end_time })
      .where('run_uuid', '=', row.run_uuid)
      .execute();
    if (!run_name) return infoOf(changed, row.name ? undefined : await nameTag(db, row.run_uuid));
    await rename(context, db, row.run_uuid, run_name);
    return infoOf({ ...changed, name: run_name });
  };
  return context.pool.write(work, { repeatable: true });
}

export async function rename(context: Context, db: Kysely<Tables>, runId: string, name: string): Promise<void> {
  await db.updateTable('runs').set({ name }).where('run_uuid', '=', runId).execute();
  await insertRows(context, db, SET_TAGS, [[runId, RUN_NAME, name]]);
}

async function nameTag(db: Kysely<Tables>, runId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('tags')
    .select('value')
    .where('run_uuid', '=', runId)
    .where(sql`${sql.ref('key')}`, '=', RUN_NAME)
    .executeTakeFirst();
  return row?.value ?? undefined;
}
