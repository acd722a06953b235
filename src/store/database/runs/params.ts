/** Params of runs: written once, and never changed. */
import { type Kysely, sql } from 'kysely';
import { hole, type InsertShape } from '../../../dialect/query-words.js';
import { invalidParameter } from '../../errors.js';
import type { KeyValue } from '../../records.js';
import { reprList, reprString } from '../../search/index.js';
import type { Context } from '../context.js';
import type { Tables } from '../entities/index.js';
import { insertRows, rowsOf } from '../statements.js';

const PARAMS: InsertShape = {
  name: 'params of a run',
  table: 'params',
  columns: { run_uuid: 'text', key: 'text', value: 'text' },
  key: ['key', 'run_uuid'],
  conflict: 'refuse',
};

/** A param that is there already, with another value than the one that is to be written. */
export interface Changed extends KeyValue {
  readonly old: string;
}

/**
 * Writes those that are not there. Another one that writes the same param at the same time makes it fail, and it can be
 * done again.
 * @throws {DuplicateKey} and what `refusal` gives
 */
export async function addParams(
  context: Context,
  db: Kysely<Tables>,
  runId: string,
  params: readonly KeyValue[],
  refusal: (changed: readonly Changed[]) => Error,
): Promise<void> {
  if (params.length === 0) return;
  const { words } = context.pool;
  const keys = words.among(params.map(({ key }) => key));
  const rows = await rowsOf(
    context,
    db,
    `params of a run by ${keys.shape} keys`,
    () =>
      db
        .selectFrom('params')
        .select(['key', 'value'])
        .where('run_uuid', '=', hole<string>())
        .where(keys.has(sql.ref('key'))),
    [runId, ...keys.values],
  );
  const known = new Map(rows.map(({ key, value }) => [key, value]));
  const changed = params.flatMap(({ key, value }): Changed[] => {
    const old = known.get(key);
    return old === undefined || old === value ? [] : [{ key, value, old }];
  });
  if (changed.length > 0) throw refusal(changed);
  const fresh = params.filter(({ key }) => !known.has(key)).map(({ key, value }) => [runId, key, value]);
  await insertRows(context, db, PARAMS, fresh);
}

export const oneChanged =
  (runId: string) =>
  ([changed]: readonly Changed[]) =>
    invalidParameter(
      `Changing param values is not allowed. Param with key='${changed?.key}' was already logged with value=` +
        `'${changed?.old}' for run ID='${runId}'. Attempted logging new value '${changed?.value}'.`,
    );

export const someChanged = (runId: string) => (changed: readonly Changed[]) => {
  const list = changed.map(
    ({ key, old, value }) =>
      `{'key': ${reprString(key)}, 'old_value': ${reprString(old)}, 'new_value': ${reprString(value)}}`,
  );
  return invalidParameter(
    `Changing param values is not allowed. Params were already logged='${reprList(list)}' for run ID='${runId}'.`,
  );
};
