import { StoreError } from '../../errors.js';
import type { Traces } from '../../store.js';
import { validateName, withinLength } from '../../validate.js';
import type { Context } from '../context.js';
import { insertRows } from '../statements.js';
import { TRACE_NAME } from './keys.js';
import { traceRow } from './rows.js';
import { TAGS } from './shapes.js';
import { checkTraceName, updateTrace } from './start.js';

const KEY_LENGTH = 250;
const VALUE_LENGTH = 8000;

export function traceTags(context: Context): Pick<Traces, 'setTag' | 'deleteTag'> {
  const { pool, limits } = context;
  return {
    setTag: async (traceId, key, value) => {
      const kept = traceTag(key, value, limits.truncateLongValues);
      if (key === TRACE_NAME) checkTraceName(kept);
      await pool.write(async (db) => {
        if (key !== TRACE_NAME) return insertRows(context, db, TAGS, [[traceId, key, kept]]);
        await traceRow(context, db, traceId);
        return updateTrace(db, traceId, { trace_name: kept });
      });
    },
    deleteTag: (traceId, key) =>
      pool.write(async (db) => {
        if (key === TRACE_NAME) {
          const { trace_name } = await traceRow(context, db, traceId);
          if (trace_name === null) throw noTag(traceId, key);
          return updateTrace(db, traceId, { trace_name: null });
        }
        const { numDeletedRows } = await db
          .deleteFrom('trace_tags')
          .where('request_id', '=', traceId)
          .where('key', '=', key)
          .executeTakeFirst();
        if (numDeletedRows === 0n) throw noTag(traceId, key);
      }),
  };
}

/** The value as it is to be kept. @throws StoreError where the key or the value cannot be a tag's */
export function traceTag(key: string, value: string, truncate: boolean): string {
  validateName(key, 'key');
  withinLength('key', KEY_LENGTH, key);
  return withinLength('value', VALUE_LENGTH, value, truncate);
}

const noTag = (traceId: string, key: string) =>
  new StoreError('RESOURCE_DOES_NOT_EXIST', `No trace tag with key '${key}' for trace with ID '${traceId}'`);
