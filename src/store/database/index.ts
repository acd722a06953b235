/** The store in a database: each noun is a function of what they all work with. */
import type { Database } from '../../dialect/dialect.js';
import { absoluteUri } from '../artifact-uri.js';
import type { Store, StoreOptions } from '../store.js';
import { DEFAULT_LIMITS } from '../validate.js';
import type { Context } from './context.js';
import { ENTITIES, type Tables } from './entities/index.js';
import { ensureDefaultExperiment, experiments } from './experiments/index.js';
import { withStoreErrors } from './faults.js';
import { loggedModels } from './logged-models/index.js';
import { metrics } from './metrics/index.js';
import { registry } from './registry/index.js';
import { runs } from './runs/index.js';
import { Questions, Texts } from './statements.js';
import { traces } from './traces/index.js';

/** The names of the tables that the store works on. */
export const TABLES: readonly string[] = ENTITIES.map(({ meta }) => meta.tableName);

/**
 * The database must be at a revision at which these tables are those of the head. Makes the default experiment where there
 * is none, as MLflow does whenever it opens a store.
 */
export async function openDatabaseStore(database: Database, options: StoreOptions): Promise<Store> {
  const pool = withStoreErrors(await database.pool<Tables>(ENTITIES), database.dialect.faultOf);
  const context: Context = {
    pool,
    artifactRoot: absoluteUri(options.artifactRoot),
    limits: options.limits ?? DEFAULT_LIMITS,
    texts: new Texts(),
    questions: new Questions(),
    now: Date.now,
  };
  try {
    await ensureDefaultExperiment(context);
  } catch (error) {
    await pool.close();
    throw error;
  }
  return {
    experiments: experiments(context),
    runs: runs(context),
    metrics: metrics(context),
    loggedModels: loggedModels(context),
    traces: traces(context),
    registry: registry(context),
    close: () => pool.close(),
  };
}
