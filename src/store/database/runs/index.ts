/** Runs: made, changed, filled, deleted and found. */
import type { Runs } from '../../store.js';
import type { Context } from '../context.js';
import { runsOf } from './children.js';
import { createRun, updateRun } from './create.js';
import { inputs } from './inputs.js';
import { lifecycle } from './lifecycle.js';
import { logging } from './log.js';
import { recordModel } from './model-history.js';
import { noRun } from './rows.js';
import { searchRuns } from './search.js';
import { runTags } from './tags.js';

export function runs(context: Context): Runs {
  return {
    create: (request) => createRun(context, request),
    get: (runId) =>
      context.pool.read(async (db) => {
        const [run] = await runsOf(context, db, [runId], { modelInputs: true });
        if (run) return run;
        throw noRun(runId);
      }),
    update: (runId, change) => updateRun(context, runId, change),
    search: (question) => searchRuns(context, question),
    recordModel: (runId, model) => recordModel(context, runId, model),
    ...lifecycle(context),
    ...logging(context),
    ...runTags(context),
    ...inputs(context),
  };
}
