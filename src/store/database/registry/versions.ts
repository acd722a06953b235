/** Versions of registered models: numbers from 1 on, none of which is given twice. */
import type { Updateable } from 'kysely';
import { StoreError } from '../../errors.js';
import type { ModelVersion } from '../../records.js';
import type { ModelVersions } from '../../store.js';
import type { Context } from '../context.js';
import type { Tables } from '../entities/index.js';
import { modelRow, versionRow } from './lookup.js';
import { checkModelName, checkVersionTag, versionNumber } from './names.js';
import { aliasesOf, type Db, type VersionRow, versionOf, versionsOf, WORKSPACE } from './rows.js';
import { searchVersions } from './search.js';
import { origin } from './source.js';
import { ACTIVE_STAGES, DELETED, stageOf } from './stages.js';
import { lastOfEach } from './tags.js';

type Nouns = Omit<ModelVersions, 'setTag' | 'deleteTag'>;

export function versions(context: Context): Nouns {
  const { pool, now } = context;
  return {
    get: (name, version) =>
      pool.read(async (db) => withAliases(context, db, await versionRow(context, db, name, version))),

    create: async (request) => {
      const { name, source, tags, run_link, description } = request;
      checkModelName(name);
      for (const tag of tags) checkVersionTag(tag);
      const { storage_location, run_id } = await pool.read((db) => origin(context, db, request));
      const time = now();
      const last = lastOfEach(tags);
      return pool.write(async (db) => {
        // Before the others are counted: its lock is what versions of one model wait for.
        await touch(db, name, time);
        const model = await modelRow(context, db, name);
        const { newest } = await db
          .selectFrom('model_versions')
          .select(({ fn }) => fn.max('version').as('newest'))
          .where('workspace', '=', WORKSPACE)
          .where('name', '=', model.name)
          .executeTakeFirstOrThrow();
        const row: VersionRow = {
          workspace: WORKSPACE,
          name: model.name,
          version: (newest ?? 0) + 1,
          creation_time: time,
          last_updated_time: time,
          description: description ?? null,
          user_id: null,
          current_stage: 'None',
          source,
          storage_location,
          run_id,
          run_link: run_link ?? null,
          status: 'READY',
          status_message: null,
        };
        await db.insertInto('model_versions').values(row).execute();
        if (last.length > 0) {
          const values = last.map((tag) => ({ ...tag, workspace: WORKSPACE, name: row.name, version: row.version }));
          await db.insertInto('model_version_tags').values(values).execute();
        }
        return versionOf(row, last);
      });
    },

    update: (name, version, description) =>
      pool.write(async (db) =>
        change(context, db, await versionRow(context, db, name, version), { description, last_updated_time: now() }),
      ),

    transitionStage: async (name, version, to, archiveExisting) => {
      const stage = stageOf(to);
      if (archiveExisting && !ACTIVE_STAGES.includes(stage)) {
        throw new StoreError(
          'INTERNAL_ERROR',
          'Model version transition cannot archive existing model versions because ' +
            `'${to}' is not an Active stage. Valid stages are ['Staging', 'Production']`,
        );
      }
      const time = now();
      return pool.write(async (db) => {
        const row = await versionRow(context, db, name, version);
        if (archiveExisting) {
          await db
            .updateTable('model_versions')
            .set({ current_stage: 'Archived', last_updated_time: time })
            .where('workspace', '=', WORKSPACE)
            .where('name', '=', row.name)
            .where('version', '!=', row.version)
            .where('current_stage', '=', stage)
            .execute();
        }
        await touch(db, row.name, time);
        return change(context, db, row, { current_stage: stage, last_updated_time: time });
      });
    },

    delete: async (name, version) => {
      versionNumber(version);
      const time = now();
      await pool.write(async (db) => {
        const row = await versionRow(context, db, name, version);
        await touch(db, row.name, time);
        await db
          .deleteFrom('registered_model_aliases')
          .where('workspace', '=', WORKSPACE)
          .where('name', '=', row.name)
          .where('version', '=', row.version)
          .execute();
        await updateVersion(db, row, { ...REDACTED, last_updated_time: time });
      });
    },

    search: (question) => searchVersions(context, question),

    downloadUri: (name, version) =>
      pool.read(async (db) => {
        const row = await versionRow(context, db, name, version);
        return row.storage_location || row.source || undefined;
      }),
  };
}

/** What is left of a version that is deleted; its tags stay. */
const REDACTED = {
  current_stage: DELETED,
  description: null,
  user_id: null,
  source: 'REDACTED-SOURCE-PATH',
  run_id: 'REDACTED-RUN-ID',
  run_link: 'REDACTED-RUN-LINK',
  status_message: null,
};

const touch = (db: Db, name: string, last_updated_time: number) =>
  db
    .updateTable('registered_models')
    .set({ last_updated_time })
    .where('workspace', '=', WORKSPACE)
    .where('name', '=', name)
    .execute();

type Change = Updateable<Tables['model_versions']> & Partial<VersionRow>;

const updateVersion = (db: Db, row: VersionRow, set: Change) =>
  db
    .updateTable('model_versions')
    .set(set)
    .where('workspace', '=', WORKSPACE)
    .where('name', '=', row.name)
    .where('version', '=', row.version)
    .execute();

async function change(context: Context, db: Db, row: VersionRow, set: Change): Promise<ModelVersion> {
  await updateVersion(db, row, set);
  return withAliases(context, db, { ...row, ...set });
}

async function withAliases(context: Context, db: Db, row: VersionRow): Promise<ModelVersion> {
  const [version] = await versionsOf(context, db, [row], await aliasesOf(context, db, [row.name]));
  return version as ModelVersion;
}
