/** Runs are deleted by a mark, and the assessments that came from them for good: as MLflow does it. */
import { type Kysely, sql } from 'kysely';
import type { LifecycleStage } from '../../records.js';
import type { Runs } from '../../store.js';
import type { Context } from '../context.js';
import type { Tables } from '../entities/index.js';
import { runRow } from './rows.js';

export function lifecycle(context: Context): Pick<Runs, 'delete' | 'restore'> {
  const mark = (runId: string, stage: LifecycleStage) => {
    const work = async (db: Kysely<Tables>) => {
      const { run_uuid } = await runRow(context, db, runId);
      await markRuns(context, db, { run_uuid }, stage);
    };
    return context.pool.write(work, { repeatable: true });
  };
  return { delete: (runId) => mark(runId, 'deleted'), restore: (runId) => mark(runId, 'active') };
}

/** One run, or all of an experiment. */
export type Which = { readonly run_uuid: string } | { readonly experiment_id: number };

export async function markRuns(
  { now }: Context,
  db: Kysely<Tables>,
  which: Which,
  stage: LifecycleStage,
): Promise<void> {
  if (stage === 'deleted') await deleteAssessments(db, which);
  await db
    .updateTable('runs')
    .set({ lifecycle_stage: stage, deleted_time: stage === 'deleted' ? now() : null })
    .where(isOne(which))
    .execute();
}

const isOne = (which: Which) =>
  'run_uuid' in which
    ? sql<boolean>`${sql.ref('run_uuid')} = ${which.run_uuid}`
    : sql<boolean>`${sql.ref('experiment_id')} = ${which.experiment_id}`;

/** The run that an assessment was made in is written in the JSON of its metadata. */
const SOURCE_RUN = '"mlflow.assessment.sourceRunId": "';
const ID = /^[0-9A-Za-z-]+/;
/** Assessments that are looked at, and deleted, at a time. */
const CHUNK = 1000;

async function deleteAssessments(db: Kysely<Tables>, which: Which): Promise<void> {
  // An id with a character that LIKE gives a meaning is compared here.
  const plain = 'run_uuid' in which && ID.exec(which.run_uuid)?.[0] === which.run_uuid;
  const pattern = `%${SOURCE_RUN}${plain ? `${which.run_uuid}"` : ''}%`;
  const found = await db
    .selectFrom('assessments')
    .select(['assessment_id', 'assessment_metadata'])
    .where('assessment_metadata', 'like', pattern)
    .execute();
  if (found.length === 0) return;
  const rows = await db.selectFrom('runs').select('run_uuid').where(isOne(which)).execute();
  const runs = new Set(rows.map(({ run_uuid }) => run_uuid));
  const gone = found
    .filter(({ assessment_metadata }) => runs.has(sourceRunOf(assessment_metadata ?? '')))
    .map(({ assessment_id }) => assessment_id);
  for (let at = 0; at < gone.length; at += CHUNK) {
    await db
      .deleteFrom('assessments')
      .where('assessment_id', 'in', gone.slice(at, at + CHUNK))
      .execute();
  }
}

function sourceRunOf(metadata: string): string {
  const from = metadata.indexOf(SOURCE_RUN) + SOURCE_RUN.length;
  return metadata.slice(from, metadata.indexOf('"', from));
}
