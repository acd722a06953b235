/** From rows of traces to records: three queries for any number of them. */
import type { Kysely, Selectable } from 'kysely';
import { StoreError } from '../../errors.js';
import type { TraceInfo, TraceState } from '../../records.js';
import type { Tables } from '../entities/index.js';
import { metadataOf } from './analytics.js';
import { assessmentOf } from './assessment-rows.js';
import { PROMOTED, TRACE_NAME } from './keys.js';

export type Db = Kysely<Tables>;
export type TraceRow = Selectable<Tables['trace_info']>;

const given = <Value>(value: Value | null): Value | undefined => value ?? undefined;
const STATES: readonly TraceState[] = ['STATE_UNSPECIFIED', 'OK', 'ERROR', 'IN_PROGRESS'];

export async function tracesOf(db: Db, rows: readonly TraceRow[]): Promise<TraceInfo[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ request_id }) => request_id);
  const byTrace = ({ request_id }: { readonly request_id: string }) => request_id;
  const pairs = async (table: 'trace_tags' | 'trace_request_metadata') =>
    Map.groupBy(
      await db.selectFrom(table).select(['request_id', 'key', 'value']).where('request_id', 'in', ids).execute(),
      byTrace,
    );
  const tags = await pairs('trace_tags');
  const metadata = await pairs('trace_request_metadata');
  const assessments = Map.groupBy(
    await db
      .selectFrom('assessments')
      .selectAll()
      .where('trace_id', 'in', ids)
      .orderBy('created_timestamp')
      .orderBy('assessment_id')
      .execute(),
    ({ trace_id }) => trace_id,
  );
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
      ...textsOf(tags.get(row.request_id), [TRACE_NAME]),
      ...(row.trace_name !== null && { [TRACE_NAME]: row.trace_name }),
    },
    trace_metadata: { ...textsOf(metadata.get(row.request_id), PROMOTED), ...metadataOf(row) },
    assessments: (assessments.get(row.request_id) ?? []).map(assessmentOf),
  }));
}

const textsOf = (
  pairs: readonly { readonly key: string; readonly value: string | null }[] | undefined,
  without: readonly string[],
): Record<string, string> =>
  Object.fromEntries((pairs ?? []).flatMap(({ key, value }) => (without.includes(key) ? [] : [[key, value ?? '']])));

export async function traceOf(db: Db, row: TraceRow): Promise<TraceInfo> {
  const [trace] = await tracesOf(db, [row]);
  return trace as TraceInfo;
}

export const findTrace = (db: Db, traceId: string): Promise<TraceRow | undefined> =>
  db.selectFrom('trace_info').selectAll().where('request_id', '=', traceId).executeTakeFirst();

/** @throws StoreError RESOURCE_DOES_NOT_EXIST */
export async function traceRow(db: Db, traceId: string): Promise<TraceRow> {
  const row = await findTrace(db, traceId);
  if (row) return row;
  throw noTrace(traceId);
}

export const noTrace = (traceId: string) =>
  new StoreError('RESOURCE_DOES_NOT_EXIST', `Trace with ID '${traceId}' not found.`);
