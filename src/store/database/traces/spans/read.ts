/** Traces with their spans. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { hole } from '../../../../dialect/query-words.js';
import { StoreError } from '../../../errors.js';
import type { Span, Trace, TraceInfo } from '../../../records.js';
import { readJsonText } from '../../../search/index.js';
import type { Context } from '../../context.js';
import { rowsOf } from '../../statements.js';
import { isDictionary } from '../analytics.js';
import { IN_ARCHIVE, IN_STORE, SIZE_STATS, SPANS_LOCATION } from '../keys.js';
import { type Db, traceRows, tracesOf } from '../rows.js';
import { typedContent } from './translate.js';

/** Pauses before a trace that is not complete is looked at again: its spans may be on their way. */
const PAUSES_MS = [1000, 2000];

export async function getTrace(context: Context, traceId: string, allowPartial: boolean): Promise<Trace> {
  for (let attempt = 0; ; attempt++) {
    const [trace] = await context.pool.read((db) => withSpans(context, db, [traceId], allowPartial));
    if (trace === undefined) throw new StoreError('RESOURCE_DOES_NOT_EXIST', `Trace with ID ${traceId} is not found.`);
    if (trace.spans !== undefined && (allowPartial || trace.spans.length > 0)) return { ...trace, spans: trace.spans };
    const pause = PAUSES_MS[attempt];
    if (pause === undefined) {
      throw new StoreError(
        'RESOURCE_DOES_NOT_EXIST',
        `Trace with ID ${traceId} is not fully exported yet, please try again later.`,
      );
    }
    await sleep(pause);
  }
}

/** Those that there are and that are complete, each once, in the order that was asked for. */
export async function getTraces(
  context: Context,
  traceIds: readonly string[],
  experimentIds: readonly number[] | undefined,
): Promise<Trace[]> {
  const traces = await context.pool.read((db) => withSpans(context, db, traceIds, false, experimentIds));
  return traces.flatMap(({ info, spans = [] }) => (spans.length > 0 ? [{ info, spans }] : []));
}

/** Spans are undefined where some are still to come. */
async function withSpans(
  context: Context,
  db: Db,
  traceIds: readonly string[],
  allowPartial: boolean,
  experimentIds?: readonly number[],
): Promise<{ readonly info: TraceInfo; readonly spans: readonly Span[] | undefined }[]> {
  const infos = await infosOf(context, db, traceIds, experimentIds);
  for (const { trace_id, tags } of infos) checkLocation(trace_id, tags[SPANS_LOCATION]);
  const spans = Map.groupBy(
    await spansOf(
      context,
      db,
      infos.map(({ trace_id }) => trace_id),
    ),
    ({ trace_id }) => trace_id,
  );
  return infos.map((info) => {
    const found = spans.get(info.trace_id) ?? [];
    return { info, spans: allowPartial || found.length >= spansToCome(info) ? found : undefined };
  });
}

export async function infosOf(
  context: Context,
  db: Db,
  traceIds: readonly string[],
  experimentIds?: readonly number[],
): Promise<TraceInfo[]> {
  const rows = await traceRows(context, db, [...new Set(traceIds)]);
  const byId = new Map(rows.map((row) => [row.request_id, row]));
  // One that is asked for twice comes where it was asked for last.
  const asked = [...new Set(traceIds.toReversed())].reverse().flatMap((id) => byId.get(id) ?? []);
  return tracesOf(
    context,
    db,
    experimentIds === undefined ? asked : asked.filter(({ experiment_id }) => experimentIds.includes(experiment_id)),
  );
}

function checkLocation(traceId: string, location: string | undefined): void {
  if (location === IN_STORE) return;
  if (location === IN_ARCHIVE) {
    throw new StoreError(
      'NOT_IMPLEMENTED',
      `the spans of trace '${traceId}' are in an archive, which is not read here`,
    );
  }
  throw new StoreError('INTERNAL_ERROR', 'Trace data not stored in tracking store');
}

/** How many there are to be, as the client has counted them. */
function spansToCome({ trace_metadata }: TraceInfo): number {
  const stats = readJsonText(trace_metadata[SIZE_STATS] ?? '');
  return isDictionary(stats) ? Number(stats.num_spans ?? 0) : 0;
}

/** Roots first, then by time. Those whose content went to an archive are left out. */
async function spansOf(context: Context, db: Db, traceIds: readonly string[]): Promise<Span[]> {
  if (traceIds.length === 0) return [];
  const { words } = context.pool;
  const ids = words.among(traceIds);
  const rows = await rowsOf(
    context,
    db,
    `spans of traces ${ids.shape}`,
    () =>
      db
        .selectFrom('spans')
        .select(['trace_id', 'span_id', 'content'])
        .where(ids.has(sql.ref('trace_id')))
        .where('content', '!=', hole<string>())
        .orderBy(sql`CASE WHEN ${sql.ref('parent_span_id')} IS NULL THEN 0 ELSE 1 END`)
        .orderBy('start_time_unix_nano'),
    [...ids.values, ''],
  );
  return rows.map((row) => ({ ...row, content: typedContent(row.content) }));
}
