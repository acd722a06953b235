/** Traces of clients before MLflow 3, which report the beginning and the end. */
import { randomBytes } from 'node:crypto';
import type { TraceInfo } from '../../records.js';
import type { Traces } from '../../store.js';
import type { Context } from '../context.js';
import { activeExperimentRow } from '../experiments/rows.js';
import { insertRows } from '../statements.js';
import { analyticsOf } from './analytics.js';
import { ARTIFACT_LOCATION, TRACE_NAME } from './keys.js';
import { traceOf, traceRow } from './rows.js';
import { inOrder, METADATA, TAGS, TRACE } from './shapes.js';
import { artifactsOf, checkTraceName, insertPairs, unpromoted, updateTrace } from './start.js';

type Begin = Parameters<Traces['begin']>[0];
type End = Parameters<Traces['end']>[1];

export async function beginTrace(context: Context, trace: Begin): Promise<TraceInfo> {
  const { [TRACE_NAME]: name, ...tags } = trace.tags;
  if (name !== undefined) checkTraceName(name);
  const request_id = randomBytes(16).toString('hex');
  return context.pool.write(async (db) => {
    const experiment = await activeExperimentRow(context, db, trace.experiment_id);
    const row = {
      request_id,
      experiment_id: experiment.experiment_id,
      timestamp_ms: trace.timestamp_ms,
      status: 'IN_PROGRESS',
      db_payload_generation: 0,
      trace_name: name,
      ...analyticsOf(trace.request_metadata),
    };
    await insertRows(context, db, TRACE, [inOrder(TRACE, row)]);
    const place = artifactsOf(experiment, request_id);
    await insertPairs(context, db, TAGS, request_id, { ...tags, [ARTIFACT_LOCATION]: place });
    await insertPairs(context, db, METADATA, request_id, unpromoted(trace.request_metadata));
    return traceOf(context, db, await traceRow(context, db, request_id));
  });
}

export function endTrace(context: Context, traceId: string, end: End): Promise<TraceInfo> {
  const { [TRACE_NAME]: name, ...tags } = end.tags;
  return context.pool.write(async (db) => {
    const { timestamp_ms } = await traceRow(context, db, traceId);
    if (name !== undefined) checkTraceName(name);
    await updateTrace(db, traceId, {
      execution_time_ms: end.timestamp_ms - timestamp_ms,
      status: end.state,
      ...(name !== undefined && { trace_name: name }),
      ...analyticsOf(end.request_metadata),
    });
    await insertPairs(context, db, METADATA, traceId, unpromoted(end.request_metadata));
    await insertPairs(context, db, TAGS, traceId, tags);
    return traceOf(context, db, await traceRow(context, db, traceId));
  });
}
