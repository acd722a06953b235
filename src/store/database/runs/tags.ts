/** Tags of runs. The one that names a run is its name in its row as well. */
import type { Kysely } from 'kysely';
import type { InsertShape } from '../../../dialect/query-words.js';
import { StoreError } from '../../errors.js';
import type { KeyValue } from '../../records.js';
import type { Runs } from '../../store.js';
import { validateTag } from '../../validate.js';
import type { Context } from '../context.js';
import type { Tables } from '../entities/index.js';
import { insertRows } from '../statements.js';
import { RUN_NAME } from './children.js';
import { activeRunRow } from './rows.js';

export const TAGS: InsertShape = {
  name: 'tags of a run',
  table: 'tags',
  columns: { run_uuid: 'text', key: 'text', value: 'text' },
  key: ['key', 'run_uuid'],
  conflict: 'refuse',
};
export const SET_TAGS: InsertShape = { ...TAGS, name: 'set tags of a run', conflict: { update: ['value'] } };

export function runTags(context: Context): Pick<Runs, 'setTag' | 'deleteTag'> {
  const { pool } = context;
  return {
    setTag: async (runId, given) => {
      const tag = validateTag(given, context.limits);
      const work = async (db: Kysely<Tables>) => {
        const { run_uuid } = await activeRunRow(context, db, runId);
        await setTags(context, db, run_uuid, [tag]);
      };
      await pool.write(work, { repeatable: true });
    },
    deleteTag: (runId, key) =>
      pool.write(async (db) => {
        const { run_uuid } = await activeRunRow(context, db, runId);
        const { numDeletedRows } = await db
          .deleteFrom('tags')
          .where('run_uuid', '=', run_uuid)
          .where('key', '=', key)
          .executeTakeFirst();
        if (numDeletedRows > 0) return;
        throw new StoreError('RESOURCE_DOES_NOT_EXIST', `No tag with name: ${key} in run with id ${runId}`);
      }),
  };
}

/** Of tags with one key the last one counts. An empty name is passed over. */
export async function setTags(
  context: Context,
  db: Kysely<Tables>,
  runId: string,
  tags: readonly KeyValue[],
): Promise<void> {
  const last = new Map(
    tags.filter(({ key, value }) => key !== RUN_NAME || value !== '').map(({ key, value }) => [key, value]),
  );
  const name = last.get(RUN_NAME);
  if (name !== undefined) await db.updateTable('runs').set({ name }).where('run_uuid', '=', runId).execute();
  // In one order, so that two who set the same tags do not wait for each other.
  const rows = [...last].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => [runId, key, value]);
  await insertRows(context, db, SET_TAGS, rows);
}
