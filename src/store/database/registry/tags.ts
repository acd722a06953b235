/** Tags of models and of their versions. */
import type { KeyValue } from '../../records.js';
import type { ModelVersions, RegisteredModels } from '../../store.js';
import type { Context } from '../context.js';
import { modelRow, versionRow } from './lookup.js';
import { checkModelName, checkModelTag, checkTagKey, checkVersionTag, versionNumber } from './names.js';
import { WORKSPACE } from './rows.js';

/** Says that a model is a prompt. */
export const PROMPT = 'mlflow.prompt.is_prompt';

export const isPrompt = (tags: readonly KeyValue[]) => tags.some(({ key }) => key === PROMPT);

/** Of tags with the same key the last one counts. */
export const lastOfEach = (tags: readonly KeyValue[]): KeyValue[] => [
  ...new Map(tags.map(({ key, value }) => [key, { key, value }])).values(),
];

export function modelTags(context: Context): Pick<RegisteredModels, 'setTag' | 'deleteTag'> {
  const { pool } = context;
  return {
    setTag: async (name, tag) => {
      checkModelName(name);
      checkModelTag(tag);
      return pool.write(async (db) => {
        const model = await modelRow(context, db, name);
        await pool.words
          .insert({
            table: 'registered_model_tags',
            columns: ['workspace', 'name', 'key', 'value'],
            rows: [[WORKSPACE, model.name, tag.key, tag.value]],
            key: ['workspace', 'key', 'name'],
            conflict: { update: ['value'] },
          })
          .execute(db);
      });
    },
    deleteTag: async (name, key) => {
      checkModelName(name);
      checkTagKey(key);
      return pool.write(async (db) => {
        const model = await modelRow(context, db, name);
        await db
          .deleteFrom('registered_model_tags')
          .where('workspace', '=', WORKSPACE)
          .where('name', '=', model.name)
          .where('key', '=', key)
          .execute();
      });
    },
  };
}

export function versionTags(context: Context): Pick<ModelVersions, 'setTag' | 'deleteTag'> {
  const { pool } = context;
  return {
    setTag: async (name, version, tag) => {
      checkModelName(name);
      versionNumber(version);
      checkVersionTag(tag);
      return pool.write(async (db) => {
        const row = await versionRow(context, db, name, version);
        await pool.words
          .insert({
            table: 'model_version_tags',
            columns: ['workspace', 'name', 'version', 'key', 'value'],
            rows: [[WORKSPACE, row.name, row.version, tag.key, tag.value]],
            key: ['workspace', 'key', 'name', 'version'],
            conflict: { update: ['value'] },
          })
          .execute(db);
      });
    },
    deleteTag: async (name, version, key) => {
      checkModelName(name);
      versionNumber(version);
      checkTagKey(key);
      return pool.write(async (db) => {
        const row = await versionRow(context, db, name, version);
        await db
          .deleteFrom('model_version_tags')
          .where('workspace', '=', WORKSPACE)
          .where('name', '=', row.name)
          .where('version', '=', row.version)
          .where('key', '=', key)
          .execute();
      });
    },
  };
}
