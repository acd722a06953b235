/** Spans as they come in, from several traces at a time, in any order, and perhaps before their trace is started. */
import type { NewSpan } from '../../../records.js';
import type { Context } from '../../context.js';
import { experimentRow } from '../../experiments/rows.js';
import { orAgain } from '../../faults.js';
import { insertRows } from '../../statements.js';
import { COSTS, TOKENS } from '../analytics.js';
import { advanceGenerations } from '../generations.js';
import { ARTIFACT_LOCATION, IN_STORE, SPANS_LOCATION, TRACE_NAME, USER } from '../keys.js';
import { type Db, lockedTraceRows, type TraceRow, traceRows } from '../rows.js';
import { inOrder, KEPT_METADATA, SPAN, TAGS, TRACE } from '../shapes.js';
import { artifactsOf, updateTrace } from '../start.js';
import { node } from './aggregate.js';
import { earlierSpans, finalizedAmong } from './earlier.js';
import { changeOf, type Gathered, gathered, isAuthoritative, type Known } from './gather.js';
import { incoming } from './incoming.js';
import { COST, TOKENS as TOKENS_OF } from './keys.js';

/** Writes the spans, makes the traces that there are not, and tells the others what the spans say of them. */
export async function logSpans(context: Context, experimentId: string, spans: readonly NewSpan[]): Promise<void> {
  if (spans.length === 0) return;
  const { pool, limits } = context;
  const batches = Map.groupBy(
    spans.map((span) => incoming(span, pool.words.keepsUnicode)),
    ({ traceId }) => traceId,
  );
  const traces = [...batches.values()]
    .map((batch) => gathered(batch, limits.truncateLongValues))
    // In an order that is the same for all, so that two writers do not wait for each other.
    .sort((a, b) => (a.traceId < b.traceId ? -1 : 1));
  await orAgain(() => pool.write((db) => write(context, db, experimentId, traces)));
}

async function write(context: Context, db: Db, experimentId: string, traces: readonly Gathered[]): Promise<void> {
  const ids = traces.map(({ traceId }) => traceId);
  const seen = new Set((await traceRows(context, db, ids)).map(({ request_id }) => request_id));
  const made = await insertTraces(
    context,
    db,
    experimentId,
    traces.filter(({ traceId }) => !seen.has(traceId)),
  );
  const old = await lockedTraceRows(context, db, [...seen]);
  const experiments = new Map([...made, ...old].map(({ request_id, experiment_id }) => [request_id, experiment_id]));
  // One that was deleted meanwhile takes its spans with it.
  const there = traces.filter(({ traceId }) => experiments.has(traceId));
  const rows = there.flatMap(({ traceId, spans }) =>
    spans.map(({ row }) => inOrder(SPAN, { ...row, experiment_id: experiments.get(traceId) })),
  );
  await insertRows(context, db, SPAN, rows);
  await updateTraces(context, db, old, there);
  await advanceGenerations(
    context,
    db,
    there.map(({ traceId }) => traceId),
  );
  // Says that the spans are here: only when they are known not to be elsewhere.
  await addTags(context, db, there);
}

const FRESH = { finalized: false, tokens: [], cost: [] };

/** Traces as their first spans make them. */
async function insertTraces(
  context: Context,
  db: Db,
  experimentId: string,
  traces: readonly Gathered[],
): Promise<{ readonly request_id: string; readonly experiment_id: number }[]> {
  if (traces.length === 0) return [];
  const experiment = await experimentRow(context, db, experimentId);
  const { experiment_id } = experiment;
  const rows = traces.map((trace) => {
    const row: TraceRow = { ...EMPTY, request_id: trace.traceId, experiment_id, timestamp_ms: trace.start };
    return inOrder(TRACE, { ...row, ...changeOf(row, trace, FRESH) });
  });
  await insertRows(context, db, TRACE, rows);
  const places = traces.map(({ traceId }) => [traceId, ARTIFACT_LOCATION, artifactsOf(experiment, traceId)]);
  await insertRows(context, db, TAGS, places);
  return traces.map(({ traceId }) => ({ request_id: traceId, experiment_id }));
}

/** A trace of which nothing is known. */
const EMPTY: Omit<TraceRow, 'request_id' | 'experiment_id' | 'timestamp_ms'> = {
  execution_time_ms: null,
  status: 'IN_PROGRESS',
  client_request_id: null,
  request_preview: null,
  response_preview: null,
  db_payload_generation: 0,
  trace_name: null,
  session_id: null,
  input_tokens: null,
  output_tokens: null,
  total_tokens: null,
  cache_read_input_tokens: null,
  cache_creation_input_tokens: null,
  cache_creation_input_tokens_above_1hr: null,
  input_cost: null,
  output_cost: null,
  total_cost: null,
};

/** Of traces that were there before. */
async function updateTraces(
  context: Context,
  db: Db,
  rows: readonly TraceRow[],
  traces: readonly Gathered[],
): Promise<void> {
  const batches = new Map(traces.map((trace) => [trace.traceId, trace]));
  const known = await knownOf(context, db, rows, batches);
  for (const row of rows) {
    const trace = batches.get(row.request_id);
    if (trace === undefined) continue;
    const change = changeOf(row, trace, known(row));
    await updateTrace(db, row.request_id, change);
    if (change.timestamp_ms === undefined || change.timestamp_ms === row.timestamp_ms) continue;
    await db
      .updateTable('assessments')
      .set({ trace_timestamp_ms: trace.start })
      .where('trace_id', '=', row.request_id)
      .execute();
  }
}

async function knownOf(
  context: Context,
  db: Db,
  rows: readonly TraceRow[],
  batches: ReadonlyMap<string, Gathered>,
): Promise<(row: TraceRow) => Known> {
  const idsOf = (which: (trace: Gathered, row: TraceRow) => boolean) =>
    rows.flatMap((row) => {
      const trace = batches.get(row.request_id);
      return trace !== undefined && which(trace, row) ? [row.request_id] : [];
    });
  // MLflow asks it of these only: spans that say nothing of tokens, cost or session do change the times of a finished trace.
  const finalized = await finalizedAmong(
    context,
    db,
    idsOf(({ hasTokens, hasCost, session }) => hasTokens || hasCost || session !== undefined),
  );
  const isOpen = (row: TraceRow, columns: typeof TOKENS | typeof COSTS) =>
    !isAuthoritative(row, columns, finalized.has(row.request_id));
  const counted = idsOf(
    ({ hasTokens, hasCost }, row) => (hasTokens && isOpen(row, TOKENS)) || (hasCost && isOpen(row, COSTS)),
  );
  const earlier = Map.groupBy(await earlierSpans(context, db, counted), ({ trace_id }) => trace_id);
  return ({ request_id: id }) => {
    const again = new Set(batches.get(id)?.spans.map((span) => span.id));
    const spans = (earlier.get(id) ?? []).filter(({ span_id }) => !again.has(span_id));
    const nodes = (key: string) =>
      spans.map(({ span_id, parent_span_id, attributes }) => node(span_id, parent_span_id, attributes, key));
    return { finalized: finalized.has(id), tokens: nodes(TOKENS_OF), cost: nodes(COST) };
  };
}

async function addTags(context: Context, db: Db, traces: readonly Gathered[]): Promise<void> {
  const users = traces.flatMap(({ traceId, user }) => (user === undefined ? [] : [[traceId, USER, user]]));
  await insertRows(context, db, KEPT_METADATA, users);
  const tags = traces.flatMap((trace) => {
    const { [TRACE_NAME]: _, ...kept } = trace.tags;
    const all = { [SPANS_LOCATION]: IN_STORE, ...kept };
    return Object.entries(all)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [trace.traceId, key, value]);
  });
  await insertRows(context, db, TAGS, tags);
}
