import type { Database } from '../dialect/dialect.js';
import { HEAD } from '../schema/lineage.js';
import { assess, refusalOf } from './assess.js';
import { execute } from './execute.js';

/** Milliseconds to wait for another one who does the same. */
const PATIENCE_MS = 120_000;

/**
 * Makes the tables of a database that has none of MLflow's. Of several who begin at the same time one does it, and the
 * others wait. There is nothing to lose, so nobody is asked.
 * @param target the revision that they are to be at
 * @throws {MtrackError} PREFLIGHT_FAILED, LOCKED and the like
 */
export async function makeTables(database: Database, target = HEAD): Promise<void> {
  const session = await database.reader(PATIENCE_MS);
  const assessment = await assess(database, target, session).finally(() => session.close());
  if (!assessment) return;
  const refusal = refusalOf(assessment);
  if (refusal) throw refusal;
  await execute(database, assessment.plan, {
    lockTimeout: PATIENCE_MS,
    patience: PATIENCE_MS,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
}
