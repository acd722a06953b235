/** Names for one version of a model, which can be given to another one. */
import { StoreError } from '../../errors.js';
import { MODEL_STAGES, type ModelVersion } from '../../records.js';
import type { RegisteredModels } from '../../store.js';
import type { Context } from '../context.js';
import { modelRow, versionRow } from './lookup.js';
import { checkAlias, checkModelName, checkNewAlias, isLatest, versionNumber } from './names.js';
import { aliasesOf, latestVersions, versionsOf, WORKSPACE } from './rows.js';

type Nouns = Pick<RegisteredModels, 'setAlias' | 'deleteAlias' | 'getByAlias'>;

export function aliases(context: Context): Nouns {
  const { pool } = context;
  return {
    setAlias: async (name, alias, version) => {
      checkModelName(name);
      checkNewAlias(alias);
      versionNumber(version);
      return pool.write(async (db) => {
        const row = await versionRow(context, db, name, version);
        await pool.words
          .insert({
            table: 'registered_model_aliases',
            columns: ['workspace', 'name', 'alias', 'version'],
            rows: [[WORKSPACE, row.name, alias, row.version]],
            key: ['workspace', 'name', 'alias'],
            conflict: { update: ['version'] },
          })
          .execute(db);
      });
    },

    deleteAlias: async (name, alias) => {
      checkModelName(name);
      checkAlias(alias);
      return pool.write(async (db) => {
        const model = await modelRow(context, db, name);
        await db
          .deleteFrom('registered_model_aliases')
          .where('workspace', '=', WORKSPACE)
          .where('name', '=', model.name)
          .where('alias', '=', alias)
          .execute();
      });
    },

    getByAlias: async (name, alias) => {
      checkModelName(name);
      checkAlias(alias);
      return pool.read(async (db) => {
        const model = await modelRow(context, db, name);
        if (isLatest(alias)) return newest(await latestVersions(context, db, model.name, MODEL_STAGES), name);
        const found = await db
          .selectFrom('registered_model_aliases')
          .select('version')
          .where('workspace', '=', WORKSPACE)
          .where('name', '=', model.name)
          .where('alias', '=', alias)
          .executeTakeFirst();
        if (!found) throw new StoreError('INVALID_PARAMETER_VALUE', `Registered model alias ${alias} not found.`);
        const row = await versionRow(context, db, model.name, String(found.version));
        const [version] = await versionsOf(context, db, [row], await aliasesOf(context, db, [model.name]));
        return version as ModelVersion;
      });
    },
  };
}

function newest(versions: readonly ModelVersion[], name: string): ModelVersion {
  const [first, ...others] = versions;
  if (!first) throw new StoreError('RESOURCE_DOES_NOT_EXIST', `Latest version not found for model ${name}.`);
  return others.reduce((best, each) => (Number(each.version) > Number(best.version) ? each : best), first);
}
