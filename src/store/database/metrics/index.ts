/** The histories of metrics. */
import type { Metrics } from '../../store.js';
import type { Context } from '../context.js';
import { bulkHistory, history } from './history.js';
import { sampledHistory } from './sample.js';

export function metrics(context: Context): Metrics {
  return {
    history: (runId, key, page) => history(context, runId, key, page ?? {}),
    historyBulk: (runIds, key, maxResults) => bulkHistory(context, runIds, key, maxResults),
    historyInterval: (runIds, key, maxResults, range) => sampledHistory(context, runIds, key, maxResults, range ?? {}),
  };
}
