/** Records by their ids, in MLflow's words for what is not there or may not be changed. */
import { invalidParameter } from '../errors.js';
import { validateRunId } from '../validate.js';
import type { Context } from './context.js';
import { findExperiment, findRun, notFound } from './find.js';
import { validateExperimentId } from './ids.js';
import { readExperiment, type StoredExperiment } from './read-experiment.js';
import { readRun, type StoredRun } from './read-run.js';
import { readWhole } from './reading.js';

/** In any stage. To be called by what is read under readWhole. @throws StoreError, Damage */
export function storedExperiment(context: Context, id: string): StoredExperiment {
  validateExperimentId(id);
  const folder = findExperiment(context, id);
  if (folder === undefined) throw notFound(`Could not find experiment with ID ${id}`);
  return readExperiment(context.files, folder);
}

/** In any stage. To be called by what is read under readWhole. @throws StoreError, Damage */
export function storedRun(context: Context, id: string): StoredRun {
  validateRunId(id);
  const folder = findRun(context, id);
  const stored = folder === undefined ? undefined : readRun(context.files, folder);
  if (stored === undefined) throw notFound(`Run '${id}' not found`);
  return stored;
}

/** @throws StoreError where it is deleted, too */
export async function activeRun(context: Context, id: string): Promise<StoredRun> {
  const stored = await readWhole(context, () => storedRun(context, id));
  if (stored.info.lifecycle_stage === 'active') return stored;
  throw invalidParameter(`The run ${stored.info.run_id} must be in 'active' lifecycle_stage.`);
}
