/** Logged models in a database: made under an experiment, measured by its runs. */
import { randomBytes } from 'node:crypto';
import { appendToUri } from '../../artifact-uri.js';
import { invalidParameter, StoreError } from '../../errors.js';
import { type KeyValue, LOGGED_MODEL_STATUSES, type LoggedModel } from '../../records.js';
import { randomRunName } from '../../run-names.js';
import { reprString } from '../../search/index.js';
import type { LoggedModels } from '../../store.js';
import type { Context } from '../context.js';
import { activeExperimentRow } from '../experiments/rows.js';
import { type Db, type LoggedModelRow, loggedModelRow } from './lookup.js';
import { loggedModelsOf } from './rows.js';
import { searchLoggedModels } from './search.js';

export function loggedModels(context: Context): LoggedModels {
  const { pool, now } = context;

  const update = (modelId: string, change: Partial<LoggedModelRow>) =>
    pool.write(async (db) => {
      const row = await loggedModelRow(context, db, modelId, true);
      const changed = { ...change, last_updated_timestamp_ms: now() };
      await db.updateTable('logged_models').set(changed).where('model_id', '=', row.model_id).execute();
      return modelOf(context, db, { ...row, ...changed });
    });

  return {
    get: (modelId, allowDeleted = false) =>
      pool.read(async (db) => modelOf(context, db, await loggedModelRow(context, db, modelId, allowDeleted))),

    create: async ({ experiment_id, name, tags, params, model_type, source_run_id }) => {
      if (name !== undefined) checkName(name);
      const time = now();
      const model_id = `m-${randomBytes(16).toString('hex')}`;
      return pool.write(async (db) => {
        const experiment = await activeExperimentRow(context, db, experiment_id);
        const row: LoggedModelRow = {
          model_id,
          experiment_id: experiment.experiment_id,
          name: name || randomRunName(),
          artifact_location: appendToUri(experiment.artifact_location ?? '', 'models', model_id, 'artifacts'),
          creation_timestamp_ms: time,
          last_updated_timestamp_ms: time,
          status: LOGGED_MODEL_STATUSES.indexOf('LOGGED_MODEL_PENDING'),
          lifecycle_stage: 'active',
          model_type: model_type ?? null,
          source_run_id: source_run_id ?? null,
          status_message: null,
        };
        await db.insertInto('logged_models').values(row).execute();
        await insertParams(db, row, params);
        if (tags.length > 0) {
          const values = tags.map(({ key, value }) => ({ ...owner(row), tag_key: key, tag_value: value }));
          await db.insertInto('logged_model_tags').values(values).execute();
        }
        return modelOf(context, db, row);
      });
    },

    search: (question) => searchLoggedModels(context, question),

    finalize: (modelId, status) => update(modelId, { status: LOGGED_MODEL_STATUSES.indexOf(status) }),

    delete: async (modelId) => {
      await update(modelId, { lifecycle_stage: 'deleted' });
    },

    setTags: (modelId, tags) =>
      pool.write(async (db) => {
        const row = await loggedModelRow(context, db, modelId, true);
        const last = new Map(tags.map(({ key, value }) => [key, value]));
        if (last.size === 0) return;
        await pool.words
          .insert({
            table: 'logged_model_tags',
            columns: ['model_id', 'experiment_id', 'tag_key', 'tag_value'],
            rows: [...last].map(([key, value]) => [row.model_id, row.experiment_id, key, value]),
            key: ['model_id', 'tag_key'],
            conflict: { update: ['experiment_id', 'tag_value'] },
          })
          .execute(db);
      }),

    deleteTag: (modelId, key) =>
      pool.write(async (db) => {
        const { model_id } = await loggedModelRow(context, db, modelId, true);
        const { numDeletedRows } = await db
          .deleteFrom('logged_model_tags')
          .where('model_id', '=', model_id)
          .where('tag_key', '=', key)
          .executeTakeFirst();
        if (numDeletedRows > 0n) return;
        throw new StoreError(
          'RESOURCE_DOES_NOT_EXIST',
          `No tag with key ${reprString(key)} found for model with ID ${reprString(modelId)}.`,
        );
      }),

    logParams: (modelId, params) =>
      pool.write(async (db) => insertParams(db, await loggedModelRow(context, db, modelId, true), params)),
  };
}

/** Characters that a name cannot have, as the message lists them. */
const UNFIT = ['/', ':', '.', '%', '"', "'"];

function checkName(name: string): void {
  if (name !== '' && !UNFIT.some((each) => name.includes(each))) return;
  throw invalidParameter(
    `Invalid model name (${reprString(name)}) provided. Model name must be a non-empty string and cannot contain the ` +
      `following characters: (${UNFIT.map(reprString).join(', ')})`,
  );
}

const owner = ({ model_id, experiment_id }: LoggedModelRow) => ({ model_id, experiment_id });

/** A param is logged once: the database refuses a second one of its name. */
async function insertParams(db: Db, row: LoggedModelRow, params: readonly KeyValue[]): Promise<void> {
  if (params.length === 0) return;
  const values = params.map(({ key, value }) => ({ ...owner(row), param_key: key, param_value: value }));
  await db.insertInto('logged_model_params').values(values).execute();
}

async function modelOf(context: Context, db: Db, row: LoggedModelRow): Promise<LoggedModel> {
  const [model] = await loggedModelsOf(context, db, [row]);
  return model as LoggedModel;
}
