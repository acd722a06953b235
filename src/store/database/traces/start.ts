/** Traces that a client reports when they have ended; spans can have made them before. */
import { sql } from 'kysely';
import { appendToUri } from '../../artifact-uri.js';
import { StoreError } from '../../errors.js';
import type { TraceInfo } from '../../records.js';
import { withinLength } from '../../validate.js';
import type { Context } from '../context.js';
import { activeExperimentRow, type ExperimentRow } from '../experiments/rows.js';
import { orAgain } from '../faults.js';
import { insertRows } from '../statements.js';
import { type Analytics, analyticsOf, metadataOf } from './analytics.js';
import { assessmentOf, assessmentRow } from './assessment-rows.js';
import { advanceGenerations, spansElsewhere } from './generations.js';
import { ARTIFACT_LOCATION, FINALIZED, PROMOTED, TRACE_NAME } from './keys.js';
import { type Db, lockedTraceRows, type TraceRow, traceOf, traceRow, traceRows } from './rows.js';
import { ASSESSMENT, inOrder, MERGED_ASSESSMENT, METADATA, TAGS, TRACE } from './shapes.js';

const NAME_LENGTH = 4096;

export const checkTraceName = (name: string) => withinLength('Trace name', NAME_LENGTH, name);

/** Where a trace's artifacts are. */
export const artifactsOf = (experiment: ExperimentRow, traceId: string) =>
  appendToUri(experiment.artifact_location ?? '', 'traces', traceId, 'artifacts');

/** Creates the trace, or merges into the one that is there: what a client says at the end is what counts. */
export async function startTrace(context: Context, trace: TraceInfo): Promise<TraceInfo> {
  const name = trace.tags[TRACE_NAME];
  if (name !== undefined) checkTraceName(name);
  return orAgain(() =>
    context.pool.write(async (db) => {
      const experiment = await activeExperimentRow(context, db, trace.experiment_id);
      const analytics = analyticsOf(trace.trace_metadata);
      const [old] = await traceRows(context, db, [trace.trace_id]);
      if (old === undefined) return insert(context, db, trace, experiment, analytics);
      await merge(context, db, trace, experiment, analytics);
      return traceOf(context, db, await traceRow(context, db, trace.trace_id));
    }),
  );
}

const columnsOf = (trace: TraceInfo, experiment: ExperimentRow) => ({
  experiment_id: experiment.experiment_id,
  timestamp_ms: trace.request_time,
  execution_time_ms: trace.execution_duration ?? null,
  status: trace.state,
  client_request_id: trace.client_request_id ?? null,
});

async function insert(
  context: Context,
  db: Db,
  trace: TraceInfo,
  experiment: ExperimentRow,
  analytics: Analytics,
): Promise<TraceInfo> {
  const row = {
    request_id: trace.trace_id,
    ...columnsOf(trace, experiment),
    request_preview: trace.request_preview,
    response_preview: trace.response_preview,
    db_payload_generation: 0,
    trace_name: trace.tags[TRACE_NAME],
    ...analytics,
  };
  await insertRows(context, db, TRACE, [inOrder(TRACE, row)]);
  const { tags, trace_metadata, assessments } = await insertChildren(context, db, trace, experiment, ASSESSMENT);
  return {
    ...trace,
    experiment_id: String(experiment.experiment_id),
    tags,
    trace_metadata: { ...trace_metadata, ...metadataOf(analytics) },
    assessments: assessments.map(assessmentOf),
  };
}

/** @returns what there is of the trace then, the name of it included */
async function insertChildren(
  context: Context,
  db: Db,
  trace: TraceInfo,
  experiment: ExperimentRow,
  shape: typeof ASSESSMENT,
) {
  const { trace_id } = trace;
  const tags: Readonly<Record<string, string>> = {
    ...trace.tags,
    [ARTIFACT_LOCATION]: artifactsOf(experiment, trace_id),
  };
  const { [TRACE_NAME]: _, ...kept } = tags;
  await insertPairs(context, db, TAGS, trace_id, kept);
  const trace_metadata = { ...unpromoted(trace.trace_metadata), [FINALIZED]: 'true' };
  await insertPairs(context, db, METADATA, trace_id, trace_metadata);
  const of = { trace_id, experiment_id: experiment.experiment_id, timestamp_ms: trace.request_time };
  const assessments = trace.assessments.map((each) => assessmentRow(each, of, context.now()));
  await insertRows(
    context,
    db,
    shape,
    assessments.map((row) => inOrder(shape, { ...row })),
  );
  return { tags, trace_metadata, assessments };
}

/** Metadata that has no column of its own. */
export const unpromoted = (metadata: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(metadata).filter(([key]) => !PROMOTED.includes(key)));

/** In the order of their keys, which keeps two writers of one trace from waiting for each other. */
export async function insertPairs(
  context: Context,
  db: Db,
  shape: typeof TAGS,
  traceId: string,
  pairs: Readonly<Record<string, string>>,
): Promise<void> {
  const sorted = Object.entries(pairs).sort(([a], [b]) => (a < b ? -1 : 1));
  await insertRows(
    context,
    db,
    shape,
    sorted.map(([key, value]) => [traceId, key, value]),
  );
}

async function merge(
  context: Context,
  db: Db,
  trace: TraceInfo,
  experiment: ExperimentRow,
  analytics: Analytics,
): Promise<void> {
  const { trace_id } = trace;
  const [row] = await lockedTraceRows(context, db, [trace_id]);
  if (row === undefined) {
    throw new StoreError('RESOURCE_DOES_NOT_EXIST', `Trace with ID '${trace_id}' no longer exists.`);
  }
  if ((await spansElsewhere(context, db, [trace_id])).length > 0) {
    throw new StoreError('INVALID_STATE', `Cannot update traces that are no longer DB-backed: '${trace_id}'.`);
  }
  await advanceGenerations(context, db, [trace_id]);
  await updateTrace(db, trace_id, {
    ...columnsOf(trace, experiment),
    ...(trace.tags[TRACE_NAME] !== undefined && { trace_name: trace.tags[TRACE_NAME] }),
    ...analytics,
    ...(trace.request_preview !== undefined && { request_preview: trace.request_preview }),
    ...(trace.response_preview !== undefined && { response_preview: trace.response_preview }),
  });
  await insertChildren(context, db, trace, experiment, MERGED_ASSESSMENT);
  const { experiment_id } = experiment;
  await db.updateTable('spans').set({ experiment_id }).where('trace_id', '=', trace_id).execute();
  await db
    .updateTable('assessments')
    .set({ experiment_id, trace_timestamp_ms: trace.request_time })
    .where('trace_id', '=', trace_id)
    .execute();
}

/** Sets columns, to values or to expressions. */
export async function updateTrace(
  db: Db,
  traceId: string,
  change: Readonly<Partial<Record<keyof TraceRow, unknown>>>,
): Promise<void> {
  const set = Object.entries(change).map(([column, value]) => sql`${sql.ref(column)} = ${value}`);
  if (set.length === 0) return;
  await sql`UPDATE ${sql.table('trace_info')} SET ${sql.join(set)} WHERE ${sql.ref('request_id')} = ${traceId}`.execute(
    db,
  );
}
