/** Registered models: names that versions are counted under. Prompts are such models, with a tag that says so. */
import { StoreError } from '../../errors.js';
import { type KeyValue, MODEL_STAGES, type RegisteredModel } from '../../records.js';
import { reprString } from '../../search/index.js';
import type { RegisteredModels } from '../../store.js';
import type { Context } from '../context.js';
import { orAgain } from '../faults.js';
import { findModel, modelRow } from './lookup.js';
import { checkModelName, checkModelTag, checkNewModelName } from './names.js';
import { type Db, latestVersions, type ModelRow, modelsOf, WORKSPACE } from './rows.js';
import { searchModels } from './search.js';
import { stageOf } from './stages.js';
import { isPrompt, lastOfEach } from './tags.js';

type Nouns = Pick<RegisteredModels, 'create' | 'get' | 'update' | 'rename' | 'delete' | 'search' | 'latestVersions'>;

/** Emptied before the model itself, whose rows these are. */
const CHILDREN = ['model_version_tags', 'model_versions', 'registered_model_tags', 'registered_model_aliases'] as const;

export function models(context: Context): Nouns {
  const { pool, now } = context;
  return {
    get: (name) => pool.read(async (db) => modelOf(context, db, await modelRow(context, db, name))),

    create: async ({ name, tags, description }) => {
      checkModelName(name);
      for (const tag of tags) checkModelTag(tag);
      const time = now();
      const row = {
        name,
        workspace: WORKSPACE,
        creation_time: time,
        last_updated_time: time,
        description: description ?? null,
      };
      const last = lastOfEach(tags);
      await orAgain(() =>
        pool.write(async (db) => {
          const old = await findModel(context, db, name);
          if (old) throw await taken(context, db, old, tags);
          await db.insertInto('registered_models').values(row).execute();
          if (last.length === 0) return;
          const values = last.map((tag) => ({ ...tag, name, workspace: WORKSPACE }));
          await db.insertInto('registered_model_tags').values(values).execute();
        }),
      );
      return {
        name,
        creation_timestamp: time,
        last_updated_timestamp: time,
        description,
        latest_versions: [],
        tags: last,
        aliases: [],
      };
    },

    update: (name, description) =>
      pool.write(async (db) => {
        const row = await modelRow(context, db, name);
        const change = { description, last_updated_time: now() };
        await modelsNamed(db, row.name).set(change).execute();
        return modelOf(context, db, { ...row, ...change });
      }),

    rename: async (name, newName) => {
      checkNewModelName(newName);
      return orAgain(() =>
        pool.write(async (db) => {
          const row = await modelRow(context, db, name);
          const other = await findModel(context, db, newName);
          if (other && other.name !== row.name) {
            throw new StoreError('RESOURCE_ALREADY_EXISTS', `Registered Model (name=${newName}) already exists.`);
          }
          const change = { name: newName, last_updated_time: now() };
          // Its versions, tags and aliases follow: their keys cascade.
          await modelsNamed(db, row.name).set(change).execute();
          await db
            .updateTable('model_versions')
            .set(change)
            .where('workspace', '=', WORKSPACE)
            .where('name', '=', newName)
            .execute();
          return modelOf(context, db, { ...row, ...change });
        }),
      );
    },

    delete: (name) =>
      pool.write(async (db) => {
        const row = await modelRow(context, db, name);
        for (const table of [...CHILDREN, 'registered_models'] as const) {
          await db.deleteFrom(table).where('workspace', '=', WORKSPACE).where('name', '=', row.name).execute();
        }
      }),

    search: (question) => searchModels(context, question),

    latestVersions: (name, stages = []) =>
      pool.read(async (db) => {
        const row = await modelRow(context, db, name);
        return latestVersions(context, db, row.name, (stages.length > 0 ? stages : MODEL_STAGES).map(stageOf));
      }),
  };
}

const modelsNamed = (db: Db, name: string) =>
  db.updateTable('registered_models').where('workspace', '=', WORKSPACE).where('name', '=', name);

async function modelOf(context: Context, db: Db, row: ModelRow): Promise<RegisteredModel> {
  const [model] = await modelsOf(context, db, [row]);
  return model as RegisteredModel;
}

/** Why a name cannot be given again: a model and a prompt cannot share it, either. */
async function taken(context: Context, db: Db, old: ModelRow, tags: readonly KeyValue[]): Promise<StoreError> {
  const { tags: oldTags } = await modelOf(context, db, old);
  const kindOf = (of: readonly KeyValue[]) => (isPrompt(of) ? 'Prompt' : 'Registered Model');
  const [kind, oldKind] = [kindOf(tags), kindOf(oldTags)];
  const found =
    kind === oldKind
      ? `${kind} (name=${old.name}) already exists.`
      : `Tried to create a ${kind.toLowerCase()} with name ${reprString(old.name)}, but the name is already taken by a ` +
        `${oldKind.toLowerCase()}. MLflow does not allow creating a model and a prompt with the same name.`;
  return new StoreError('RESOURCE_ALREADY_EXISTS', found);
}
