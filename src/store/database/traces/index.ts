/** Traces in a database, with their spans, what they are tagged with, and what is thought of them. */
import type { Traces } from '../../store.js';
import type { Context } from '../context.js';
import { columnIds } from '../experiments/rows.js';
import { assessments } from './assessments.js';
import { beginTrace, endTrace } from './begin.js';
import { deleteTraces } from './delete.js';
import { traceLinks } from './links.js';
import { traceOf, traceRow } from './rows.js';
import { searchTraces } from './search.js';
import { spans } from './spans/index.js';
import { infosOf } from './spans/read.js';
import { startTrace } from './start.js';
import { traceTags } from './tags.js';

export function traces(context: Context): Traces {
  const { pool } = context;
  return {
    start: (trace) => startTrace(context, trace),
    begin: (trace) => beginTrace(context, trace),
    end: (traceId, end) => endTrace(context, traceId, end),
    getInfo: (traceId) => pool.read(async (db) => traceOf(context, db, await traceRow(context, db, traceId))),
    getInfos: (traceIds, experimentIds) =>
      pool.read((db) => infosOf(context, db, traceIds, experimentIds && columnIds(experimentIds))),
    search: (question) => searchTraces(context, question),
    delete: (experimentId, which) => deleteTraces(context, experimentId, which),
    ...traceTags(context),
    ...traceLinks(context),
    ...assessments(context),
    spans: spans(context),
  };
}
