/** Histories of metrics: what the lines of a file say. */
import { join } from 'node:path';
import { invalidParameter } from '../errors.js';
import type { Metric, Page } from '../records.js';
import { decodePageToken } from '../search/index.js';
import type { Metrics } from '../store.js';
import { validateName, validateRunId } from '../validate.js';
import type { Context } from './context.js';
import { METRICS } from './layout.js';
import { pageOf } from './paging.js';
import { readHistory } from './read-values.js';
import { readWhole } from './reading.js';
import { metricOf } from './runs-read.js';
import { sampled } from './sample.js';
import { storedRun } from './stored.js';

export type PointOfRun = Metric & { readonly run_id: string };

export function metrics(context: Context): Metrics {
  return {
    history: async (id, key, page = {}) => historyPage(await wholeHistory(context, id, key), page),
    historyInterval: async (ids, key, most, range = {}) => {
      if ((range.start_step === undefined) !== (range.end_step === undefined)) {
        throw invalidParameter(
          'Both start_step and end_step must be provided together, or neither should be provided.',
        );
      }
      return sampled(await inTurn(ids, (id) => wholeHistory(context, id, key)), most, range);
    },
    historyBulk: (ids, key, most) => bulkHistory(context, ids, key, most),
  };
}

/** In the order of the file; none where the run has no such metric. @throws StoreError */
function wholeHistory(context: Context, id: string, key: string): Promise<PointOfRun[]> {
  validateRunId(id);
  validateName(key, 'name');
  return readWhole(context, (report) => {
    const { folder } = storedRun(context, id);
    const points = readHistory(join(folder, METRICS, key), report) ?? [];
    return points.map((point) => metricOf(key, point, id));
  });
}

function historyPage(
  points: readonly PointOfRun[],
  page: NonNullable<Parameters<Metrics['history']>[2]>,
): Page<Metric> {
  const offset = decodePageToken(page.page_token);
  return page.max_results === undefined ? { items: points.slice(offset) } : pageOf(points, offset, page.max_results);
}

/** Of each run as many points of the file's beginning as are wanted of all, sorted; then as many of these. */
async function bulkHistory(
  context: Context,
  ids: readonly string[],
  key: string,
  most: number,
): Promise<readonly PointOfRun[]> {
  const histories = await inTurn([...ids].sort(), (id) => wholeHistory(context, id, key));
  return histories.flatMap((points) => points.slice(0, most).sort(byTime)).slice(0, most);
}

const byTime = (one: Metric, other: Metric): number =>
  one.timestamp - other.timestamp || one.step - other.step || one.value - other.value || 0;

/** One after the other: all points of a run are in memory at a time, anyway. */
async function inTurn<From, Result>(from: readonly From[], work: (each: From) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (const each of from) results.push(await work(each));
  return results;
}
