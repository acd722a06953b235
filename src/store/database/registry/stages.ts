/** The stages of a model version. */
import { invalidParameter } from '../../errors.js';
import { MODEL_STAGES } from '../../records.js';

/** What a deleted version is left in: its row stays, so that its number is never given again. */
export const DELETED = 'Deleted_Internal';

/** Stages whose other versions can be archived when one comes. */
export const ACTIVE_STAGES: readonly string[] = ['Staging', 'Production'];

/** The stage as it is written in the database. @throws StoreError where there is none of this name, in any case */
export function stageOf(text: string): string {
  const stage = MODEL_STAGES.find((each) => each.toLowerCase() === text.toLowerCase());
  if (stage !== undefined) return stage;
  throw invalidParameter(`Invalid Model Version stage: ${text}. Value must be one of ${MODEL_STAGES.join(', ')}.`);
}
