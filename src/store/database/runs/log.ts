/** What is logged in a run: one metric, one param, or a batch of everything, which is written whole or not at all. */
import type { Runs } from '../../store.js';
import { validateBatch, validateMetric, validateParam, validateRunId } from '../../validate.js';
import type { Context } from '../context.js';
import { DuplicateKey } from '../faults.js';
import { addParams, oneChanged, someChanged } from './params.js';
import { addPoints } from './points.js';
import { activeRunRow } from './rows.js';
import { setTags } from './tags.js';

export function logging(context: Context): Pick<Runs, 'logMetric' | 'logParam' | 'logBatch'> {
  const { pool, limits } = context;
  return {
    logMetric: async (runId, metric) => {
      validateMetric(metric);
      await pool.write(async (db) => addPoints(context, db, await activeRunRow(context, db, runId), [metric]), {
        repeatable: true,
      });
    },
    logParam: async (runId, given) => {
      const param = validateParam(given, limits);
      await again(() =>
        pool.write(
          async (db) => {
            const { run_uuid } = await activeRunRow(context, db, runId);
            await addParams(context, db, run_uuid, [param], oneChanged(runId));
          },
          { repeatable: true },
        ),
      );
    },
    logBatch: async (runId, given) => {
      validateRunId(runId);
      const { metrics, params, tags } = validateBatch(given, limits);
      await again(() =>
        pool.write(
          async (db) => {
            const run = await activeRunRow(context, db, runId);
            await addParams(context, db, run.run_uuid, params, someChanged(runId));
            await addPoints(context, db, run, metrics);
            await setTags(context, db, run.run_uuid, tags);
          },
          { repeatable: true },
        ),
      );
    },
  };
}

/** Once more, where another one has written the same in the meantime: then it is seen. */
export function again<Result>(attempt: () => Promise<Result>): Promise<Result> {
  return attempt().catch((error: unknown) => {
    if (error instanceof DuplicateKey) return attempt();
    throw error;
  });
}
