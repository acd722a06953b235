/** The experiment that something is made in. */
import type { Kysely } from 'kysely';
import { invalidParameter, StoreError } from '../errors.js';
import { parseExperimentId } from '../validate.js';
import type { Tables } from './entities/index.js';

/** @throws StoreError where there is none, or it is deleted */
export async function activeExperiment(
  db: Kysely<Tables>,
  experimentId: string,
): Promise<{ readonly experiment_id: number; readonly artifact_location: string }> {
  const id = parseExperimentId(experimentId);
  const row = await db
    .selectFrom('experiments')
    .select(['experiment_id', 'artifact_location', 'lifecycle_stage'])
    .where('experiment_id', '=', id)
    .executeTakeFirst();
  if (!row) throw new StoreError('RESOURCE_DOES_NOT_EXIST', `No Experiment with id=${id} exists`);
  if (row.lifecycle_stage !== 'active') {
    throw invalidParameter(
      `The experiment ${id} must be in the 'active' state. Current state is ${row.lifecycle_stage}.`,
    );
  }
  return { experiment_id: row.experiment_id, artifact_location: row.artifact_location ?? '' };
}
