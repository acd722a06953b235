import type { InsertShape } from '../../../dialect/query-words.js';
import { StoreError } from '../../errors.js';
import type { Experiments } from '../../store.js';
import { validateExperimentTag } from '../../validate.js';
import type { Context } from '../context.js';
import { insertRows } from '../statements.js';
import { activeExperimentRow } from './rows.js';

export const TAGS: InsertShape = {
  name: 'tags of an experiment',
  table: 'experiment_tags',
  columns: { experiment_id: 'integer', key: 'text', value: 'text' },
  key: ['key', 'experiment_id'],
  conflict: 'refuse',
};
const SET_TAG: InsertShape = { ...TAGS, name: 'set a tag of an experiment', conflict: { update: ['value'] } };

export function experimentTags(context: Context): Pick<Experiments, 'setTag' | 'deleteTag'> {
  const { pool } = context;
  return {
    setTag: async (experimentId, tag) => {
      validateExperimentTag(tag);
      await pool.write(async (db) => {
        const { experiment_id } = await activeExperimentRow(context, db, experimentId);
        await insertRows(context, db, SET_TAG, [[experiment_id, tag.key, tag.value]]);
      });
    },
    deleteTag: (experimentId, key) =>
      pool.write(async (db) => {
        const { experiment_id } = await activeExperimentRow(context, db, experimentId);
        const { numDeletedRows } = await db
          .deleteFrom('experiment_tags')
          .where('experiment_id', '=', experiment_id)
          .where('key', '=', key)
          .executeTakeFirst();
        if (numDeletedRows > 0) return;
        throw new StoreError(
          'RESOURCE_DOES_NOT_EXIST',
          `No tag with name: ${key} in experiment with id ${experimentId}`,
        );
      }),
  };
}
