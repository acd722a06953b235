import { type SqlBool, sql } from 'kysely';
import { invalidParameter, StoreError } from '../../errors.js';
import type { Traces } from '../../store.js';
import { parseExperimentId } from '../../validate.js';
import type { Context } from '../context.js';
import { spansElsewhere } from './generations.js';
import { IN_ARCHIVE } from './keys.js';
import type { Db } from './rows.js';

type Which = Parameters<Traces['delete']>[1];

/** Traces of one statement: a list of values has a limit. */
const TOGETHER = 500;

/** All that belongs to a trace goes with it: its keys cascade. */
export async function deleteTraces(context: Context, experimentId: string, which: Which): Promise<number> {
  check(which);
  const experiment = parseExperimentId(experimentId);
  return context.pool.write(async (db) => {
    const ids = await chosen(context, db, experiment, which);
    let deleted = 0;
    for (let at = 0; at < ids.length; at += TOGETHER)
      deleted += await remove(context, db, ids.slice(at, at + TOGETHER));
    return deleted;
  });
}

function check({ max_timestamp_millis: until, max_traces: most, trace_ids: ids = [] }: Which): void {
  if (until === undefined && ids.length === 0) {
    throw invalidParameter('Either `max_timestamp_millis` or `trace_ids` must be specified.');
  }
  if (until !== undefined && ids.length > 0) {
    throw invalidParameter('Only one of `max_timestamp_millis` and `trace_ids` can be specified.');
  }
  if (ids.length > 0 && most !== undefined) {
    throw invalidParameter("`max_traces` can't be specified if `trace_ids` is specified.");
  }
  if (most !== undefined && most <= 0) {
    throw invalidParameter(`\`max_traces\` must be a positive integer, received ${most}.`);
  }
}

/** The oldest first, which are locked in this order by all who delete. */
async function chosen(
  { pool: { words } }: Context,
  db: Db,
  experiment: number,
  { max_timestamp_millis: until, max_traces: most, trace_ids: ids = [] }: Which,
): Promise<string[]> {
  const conditions = [
    sql<SqlBool>`${sql.ref('experiment_id')} = ${experiment}`,
    ...(until === undefined ? [] : [sql`${sql.ref('timestamp_ms')} <= ${until}`]),
    ...(ids.length === 0 ? [] : [sql`${sql.ref('request_id')} IN (${sql.join(ids.map((id) => sql.val(id)))})`]),
  ];
  const page = most === undefined ? sql`` : words.page(most);
  const { rows } = await sql<{ request_id: string }>`
    SELECT ${sql.ref('request_id')} FROM ${sql.table('trace_info')} ${words.locking.from}
    WHERE ${sql.join(conditions, sql` AND `)}
    ORDER BY ${sql.ref('timestamp_ms')}, ${sql.ref('request_id')} ${page} ${words.locking.end}`.execute(db);
  return rows.map(({ request_id }) => request_id);
}

async function remove(context: Context, db: Db, ids: readonly string[]): Promise<number> {
  const archived = (await spansElsewhere(context, db, ids)).filter(({ value }) => value === IN_ARCHIVE);
  if (archived.length > 0) {
    throw new StoreError(
      'NOT_IMPLEMENTED',
      `the spans of trace '${archived[0]?.request_id}' are in an archive, which would be left behind: delete it with MLflow`,
    );
  }
  const list = sql.join(ids.map((id) => sql.val(id)));
  await sql`DELETE FROM ${sql.table('review_queue_items')} WHERE ${sql.ref('item_type')} = 'trace' AND ${sql.ref('item_id')} IN (${list})`.execute(
    db,
  );
  const { numDeletedRows } = await db.deleteFrom('trace_info').where('request_id', 'in', ids).executeTakeFirst();
  return Number(numDeletedRows);
}
