/** Experiments: made, found, deleted with their runs, and brought back. */
import { type Kysely, sql } from 'kysely';
import { columnList, hole } from '../../../dialect/query-words.js';
import { messageOf } from '../../../errors.js';
import { absoluteUri, appendToUri } from '../../artifact-uri.js';
import { StoreError } from '../../errors.js';
import type { LifecycleStage } from '../../records.js';
import type { Experiments } from '../../store.js';
import { validateArtifactLocation, validateExperimentName, validateExperimentTag } from '../../validate.js';
import type { Context } from '../context.js';
import type { Tables } from '../entities/index.js';
import { DuplicateKey } from '../faults.js';
import { markRuns } from '../runs/lifecycle.js';
import { change, insertRows, rowsOf } from '../statements.js';
import { activeExperimentRow, COLUMNS, experimentRow, withTags } from './rows.js';
import { searchExperiments } from './search.js';
import { experimentTags, TAGS } from './tags.js';

export { ensureDefaultExperiment } from './default.js';

export function experiments(context: Context): Experiments {
  const { pool } = context;
  return {
    create: (request) => create(context, request),
    get: (experimentId) =>
      pool.read(async (db) => {
        const [experiment] = await withTags(context, db, [await experimentRow(context, db, experimentId)]);
        return experiment as NonNullable<typeof experiment>;
      }),
    getByName: (name) =>
      pool.read(async (db) => {
        const rows = await rowsOf(
          context,
          db,
          'experiment by name',
          () =>
            db
              .selectFrom('experiments')
              .select(COLUMNS)
              .where('workspace', '=', hole<string>())
              .where('name', '=', hole<string>()),
          ['default', name],
        );
        const [experiment] = await withTags(context, db, rows);
        return experiment;
      }),
    search: (question) => searchExperiments(context, question),
    delete: (experimentId) => pool.write((db) => move(context, db, experimentId, 'active', 'deleted')),
    restore: (experimentId) => pool.write((db) => move(context, db, experimentId, 'deleted', 'active')),
    rename: async (experimentId, name) => {
      validateExperimentName(name);
      await pool.write(async (db) => {
        const row = await experimentRow(context, db, experimentId);
        if (row.lifecycle_stage !== 'active') {
          throw new StoreError('INVALID_STATE', 'Cannot rename a non-active experiment.');
        }
        await db
          .updateTable('experiments')
          .set({ name, last_update_time: context.now() })
          .where('experiment_id', '=', row.experiment_id)
          .execute();
      });
    },
    ...experimentTags(context),
  };
}

async function create(
  context: Context,
  { name, artifact_location, tags }: Parameters<Experiments['create']>[0],
): Promise<string> {
  validateExperimentName(name);
  const location = artifact_location ? absoluteUri(artifact_location) : null;
  if (location !== null) validateArtifactLocation(location, context.limits);
  for (const tag of tags) validateExperimentTag(tag);
  try {
    return await context.pool.write(async (db) => {
      const id = await insert(context, db, name, location);
      await insertRows(
        context,
        db,
        TAGS,
        tags.map(({ key, value }) => [id, key, value]),
      );
      return String(id);
    });
  } catch (error) {
    if (!(error instanceof DuplicateKey)) throw error;
    const message = `Experiment(name=${name}) already exists. Error: ${messageOf(error)}`;
    throw new StoreError('RESOURCE_ALREADY_EXISTS', message, { cause: error });
  }
}

/** The default place of artifacts has the number in it that the experiment gets. */
async function insert(context: Context, db: Kysely<Tables>, name: string, location: string | null): Promise<number> {
  const { output, end } = context.pool.words.returning('experiment_id');
  const now = context.now();
  const row = {
    name,
    artifact_location: location,
    lifecycle_stage: 'active',
    creation_time: now,
    last_update_time: now,
    workspace: 'default',
  };
  const values = sql.join(Object.values(row).map((value) => sql.val(value)));
  const { rows, insertId } = await sql<{
    experiment_id: number;
  }>`INSERT INTO ${sql.table('experiments')} (${columnList(Object.keys(row))}) ${output} VALUES (${values}) ${end}`.execute(
    db,
  );
  const id = rows[0]?.experiment_id ?? Number(insertId);
  if (location === null) {
    await db
      .updateTable('experiments')
      .set({ artifact_location: appendToUri(context.artifactRoot, String(id)) })
      .where('experiment_id', '=', id)
      .execute();
  }
  return id;
}

/** With all its runs, whichever stage they are in. */
async function move(
  context: Context,
  db: Kysely<Tables>,
  experimentId: string,
  from: LifecycleStage,
  to: LifecycleStage,
): Promise<void> {
  const { experiment_id } = await experimentRow(context, db, experimentId, [from]);
  await change(
    context,
    db,
    'move experiment',
    () =>
      db
        .updateTable('experiments')
        .set({ lifecycle_stage: hole<string>(), last_update_time: hole<number>() })
        .where('experiment_id', '=', hole<number>()),
    [to, context.now(), experiment_id],
  );
  await markRuns(context, db, { experiment_id }, to);
}

export { activeExperimentRow };
