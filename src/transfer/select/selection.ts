/** What of a source is wanted. */

export interface Selection {
  /** Numbers or names of experiments: all that is in them. */
  readonly experiments: readonly string[];
  /** Runs, with what they refer to. */
  readonly runs: readonly string[];
  /** Names of registered models with their versions, or ids of logged models, with what they refer to. */
  readonly models: readonly string[];
  /** Milliseconds since the epoch: of experiments, or of everything where none is named, what began or was made since. */
  readonly since: number | null;
}

export const isEverything = ({ experiments, runs, models, since }: Selection): boolean =>
  experiments.length + runs.length + models.length === 0 && since === null;

/** As an archive says it. */
export const selectionJson = ({ experiments, runs, models, since }: Selection): Readonly<Record<string, unknown>> => ({
  ...(experiments.length > 0 && { experiments }),
  ...(runs.length > 0 && { runs }),
  ...(models.length > 0 && { models }),
  ...(since !== null && { since: new Date(since).toISOString() }),
});
