import { type Kysely, sql } from 'kysely';
import { columnList } from '../../../dialect/query-words.js';
import { MtrackError } from '../../../errors.js';
import { appendToUri } from '../../artifact-uri.js';
import type { Context } from '../context.js';
import type { Tables } from '../entities/index.js';
import { DuplicateKey } from '../faults.js';

const WORKSPACE = 'default';

/**
 * MLflow and its clients count on an experiment with the id 0, which a table would not number so by itself.
 * @throws {MtrackError} when there are experiments in workspaces, of which names can be the same
 */
export async function ensureDefaultExperiment(context: Context): Promise<void> {
  const { pool } = context;
  const [first, elsewhere] = await pool.read(async (db) => [
    await defaultExperiment(db),
    await db
      .selectFrom('experiments')
      .select('workspace')
      .where('workspace', '!=', WORKSPACE)
      .modifyEnd(sql`ORDER BY ${sql.ref('experiment_id')} ${pool.words.page(1)}`)
      .executeTakeFirst(),
  ]);
  if (elsewhere) throw inWorkspaces(elsewhere.workspace);
  if (first) return;
  try {
    await pool.write((db) => insert(context, db));
  } catch (error) {
    // Another one was quicker; or another experiment is called so, and then there is none with the id 0.
    if (!(error instanceof DuplicateKey)) throw error;
  }
}

const defaultExperiment = (db: Kysely<Tables>) =>
  db.selectFrom('experiments').select('experiment_id').where('experiment_id', '=', 0).executeTakeFirst();

async function insert({ pool, artifactRoot, now }: Context, db: Kysely<Tables>): Promise<void> {
  const time = now();
  const row = {
    experiment_id: 0,
    name: 'Default',
    artifact_location: appendToUri(artifactRoot, '0'),
    lifecycle_stage: 'active',
    creation_time: time,
    last_update_time: time,
    workspace: WORKSPACE,
  };
  const insert = sql`INSERT INTO ${sql.table('experiments')} (${columnList(Object.keys(row))}) VALUES (${sql.join(Object.values(row))})`;
  await pool.words.givingNumbers('experiments', insert).execute(db);
}

function inWorkspaces(workspace: string): MtrackError {
  return new MtrackError('WORKSPACES', {
    found: `experiments in the workspace ${workspace}`,
    expected: `a database whose experiments are all in the workspace "${WORKSPACE}": others are not served`,
    fix: ['serve it with MLflow (MLFLOW_ENABLE_WORKSPACES=true)', 'or move these experiments with MLflow first'],
  });
}
