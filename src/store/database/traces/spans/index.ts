import type { Spans } from '../../../store.js';
import type { Context } from '../../context.js';
import { columnIds } from '../../experiments/rows.js';
import { logSpans } from './log.js';
import { getTrace, getTraces } from './read.js';

export const spans = (context: Context): Spans => ({
  log: (experimentId, batch) => logSpans(context, experimentId, batch),
  getTrace: (traceId, allowPartial) => getTrace(context, traceId, allowPartial),
  getTraces: (traceIds, experimentIds) => getTraces(context, traceIds, experimentIds && columnIds(experimentIds)),
});
