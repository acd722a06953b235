/** From rows of traces to records: three queries for any number of them. */
import { type Kysely, type Selectable, sql } from 'kysely';
import { type Among, hole } from '../../../dialect/query-words.js';
import { StoreError } from '../../errors.js';
import type { TraceInfo, TraceState } from '../../records.js';
import type { Context } from '../context.js';
import type { Tables } from '../entities/index.js';
import { rowsOf } from '../statements.js';
import { metadataOf } from './analytics.js';
import { assessmentOf } from './assessment-rows.js';
import { PROMOTED, TRACE_NAME } from './keys.js';

export type Db = Kysely<Tables>;
export type TraceRow = Selectable<Tables['trace_info']>;

const given = <Value>(value: Value | null): Value | undefined => value ?? undefined;
const STATES: readonly TraceState[] = ['STATE_UNSPECIFIED', 'OK', 'ERROR', 'IN_PROGRESS'];

/** The records, in the order of the rows. */
export async function tracesOf(context: Context, db: Db, rows: readonly TraceRow[]): Promise<TraceInfo[]> {
  if (rows.length === 0) return [];
  const ids = context.pool.words.among(rows.map(({ request_id }) => request_id));
  const [tags, metadata, assessments] = await Promise.all([
    pairsOf(context, db, 'trace_tags', ids),
    pairsOf(context, db, 'trace_request_metadata', ids),
    assessmentsOf(context, db, ids),
  ]);
  return rows.map((row) => ({
    trace_id: row.request_id,
    experiment_id: String(row.experiment_id),
    client_request_id: given(row.client_request_id),
    request_preview: given(row.request_preview),
    response_preview: given(row.response_preview),
    request_time: row.timestamp_ms,
    execution_duration: given(row.execution_time_ms),
    state: STATES.find((state) => state === row.status) ?? 'STATE_UNSPECIFIED',
    tags: {
      ...texts(tags.get(row.request_id), [TRACE_NAME]),
      ...(row.trace_name !== null && { [TRACE_NAME]: row.trace_name }),
    },
    trace_metadata: { ...texts(metadata.get(row.request_id), PROMOTED), ...metadataOf(row) },
    assessments: (assessments.get(row.request_id) ?? []).map(assessmentOf),
  }));
}

export async function traceOf(context: Context, db: Db, row: TraceRow): Promise<TraceInfo> {
  const [trace] = await tracesOf(context, db, [row]);
  return trace as TraceInfo;
}

interface Pair {
  readonly request_id: string;
  readonly key: string;
  readonly value: string | null;
}

async function pairsOf(
  context: Context,
  db: Db,
  table: 'trace_tags' | 'trace_request_metadata',
  ids: Among,
): Promise<Map<string, Pair[]>> {
  const rows = await rowsOf<Pair>(
    context,
    db,
    `${table} of ${ids.shape}`,
    () =>
      db
        .selectFrom(table)
        .select(['request_id', 'key', 'value'])
        .where(ids.has(sql.ref('request_id'))),
    ids.values,
  );
  return Map.groupBy(rows, ({ request_id }) => request_id);
}

const texts = (pairs: readonly Pair[] | undefined, without: readonly string[]): Record<string, string> =>
  Object.fromEntries((pairs ?? []).flatMap(({ key, value }) => (without.includes(key) ? [] : [[key, value ?? '']])));

async function assessmentsOf(context: Context, db: Db, ids: Among) {
  const rows = await rowsOf(
    context,
    db,
    `assessments of traces ${ids.shape}`,
    () =>
      db
        .selectFrom('assessments')
        .selectAll()
        .where(ids.has(sql.ref('trace_id')))
        .orderBy('created_timestamp')
        .orderBy('assessment_id'),
    ids.values,
  );
  return Map.groupBy(rows, ({ trace_id }) => trace_id);
}

/** The rows of those traces that there are. */
export async function traceRows(context: Context, db: Db, traceIds: readonly string[]): Promise<TraceRow[]> {
  if (traceIds.length === 0) return [];
  const { words } = context.pool;
  const ids = words.among(traceIds);
  return rowsOf(
    context,
    db,
    `traces ${ids.shape}`,
    () =>
      db
        .selectFrom('trace_info')
        .selectAll()
        .where(ids.has(sql.ref('request_id'))),
    ids.values,
  );
}

/** The same, locked until the transaction ends, one after the other in an order that is the same for all. */
export async function lockedTraceRows(context: Context, db: Db, traceIds: readonly string[]): Promise<TraceRow[]> {
  if (traceIds.length === 0) return [];
  const { words } = context.pool;
  const ids = words.among(traceIds);
  return rowsOf<TraceRow>(
    context,
    db,
    `lock traces ${ids.shape}`,
    () => sql<TraceRow>`
      SELECT * FROM ${sql.table('trace_info')} ${words.locking.from}
      WHERE ${ids.has(sql.ref('request_id'))}
      ORDER BY ${sql.ref('request_id')} ${words.locking.end}`,
    ids.values,
  );
}

/** @throws StoreError RESOURCE_DOES_NOT_EXIST */
export async function traceRow(context: Context, db: Db, traceId: string): Promise<TraceRow> {
  const [row] = await rowsOf(
    context,
    db,
    'one trace',
    () => db.selectFrom('trace_info').selectAll().where('request_id', '=', hole<string>()),
    [traceId],
  );
  if (row) return row;
  throw noTrace(traceId);
}

export const noTrace = (traceId: string) =>
  new StoreError('RESOURCE_DOES_NOT_EXIST', `Trace with ID '${traceId}' not found.`);
