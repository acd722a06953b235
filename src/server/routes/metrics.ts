import { invalidParameter } from '../../store/errors.js';
import type { Metric } from '../../store/records.js';
import { metric, metricWithRunId } from '../answers/tracking.js';
import { route } from '../route.js';
import { int32, many, manyTexts, needed, neededList, optional, text, within } from '../wire/read.js';
import { bareDouble, int64, list, optional as maybe, object, repeatedText, text as textOf } from '../wire/write.js';
import { runId } from './runs.js';

const MOST_RUNS = 100;
/** Points of all runs together, and of one run. */
const MOST_BULK = 25_000;
const MOST_INTERVAL = 2500;

type PointOfRun = Metric & { readonly run_id: string };

export const metricRoutes = [
  route({
    name: 'getMetricHistory',
    method: 'GET',
    path: '/mlflow/metrics/get-history',
    request: { run_id: runId, metric_key: needed(text), page_token: optional(text), max_results: optional(int32) },
    answer: object<{ metrics: readonly Metric[]; next_page_token: string | undefined }>({
      metrics: list(metric),
      next_page_token: maybe(textOf),
    }),
    handle: async ({ store }, { run_id, metric_key, page_token, max_results }) => {
      if (max_results !== undefined && max_results <= 0) {
        throw invalidParameter(
          `Invalid value ${max_results} for parameter 'max_results' supplied. It must be a positive integer.`,
        );
      }
      const page = { max_results, page_token: page_token || undefined };
      const { items, next_page_token } = await store.metrics.history(run_id, metric_key, page);
      return { metrics: items, next_page_token };
    },
  }),
  route({
    name: 'getMetricHistoryBulk',
    method: 'GET',
    path: '/mlflow/metrics/get-history-bulk',
    pagesOnly: true,
    request: { run_id: many(text), metric_key: optional(text), max_results: optional(int32) },
    // MLflow's web pages get this one past protobuf: all of these names, and a bare NaN.
    answer: object<{ metrics: readonly PointOfRun[] }>({
      metrics: {
        ...list(
          object<PointOfRun>({
            key: repeatedText(),
            run_id: repeatedText(),
            step: int64,
            timestamp: int64,
            value: bareDouble,
          }),
        ),
        empty: undefined,
      },
    }),
    handle: async ({ store }, { run_id, metric_key, max_results = MOST_BULK }) => {
      if (run_id.length === 0) {
        throw invalidParameter('GetMetricHistoryBulk request must specify at least one run_id.');
      }
      if (run_id.length > MOST_RUNS) {
        throw invalidParameter(
          `GetMetricHistoryBulk request cannot specify more than ${MOST_RUNS} run_ids. Received ${run_id.length} run_ids.`,
        );
      }
      if (metric_key === undefined) {
        throw invalidParameter('GetMetricHistoryBulk request must specify a metric_key.');
      }
      return { metrics: await store.metrics.historyBulk(run_id, metric_key, Math.min(max_results, MOST_BULK)) };
    },
  }),
  route({
    name: 'getMetricHistoryBulkInterval',
    method: 'GET',
    path: '/mlflow/metrics/get-history-bulk-interval',
    request: {
      run_ids: neededList(
        manyTexts((value) =>
          Array.isArray(value) && value.length > MOST_RUNS
            ? `GetMetricHistoryBulkInterval request must specify at most ${MOST_RUNS} run_ids. Received ${value.length} run_ids.`
            : undefined,
        ),
      ),
      metric_key: needed(text),
      start_step: optional(int32),
      end_step: optional(int32),
      max_results: optional(int32, within(1, MOST_INTERVAL, `max_results must be between 1 and ${MOST_INTERVAL}.`)),
    },
    answer: object<{ metrics: readonly PointOfRun[] }>({ metrics: list(metricWithRunId) }),
    handle: async ({ store }, { run_ids, metric_key, start_step, end_step, max_results = MOST_INTERVAL }) => {
      if ((start_step === undefined) !== (end_step === undefined)) {
        throw invalidParameter('If either start step or end step are specified, both must be specified.');
      }
      if (start_step !== undefined && end_step !== undefined && start_step > end_step) {
        throw invalidParameter(
          `end_step must be greater than start_step. Found start_step=${start_step} and end_step=${end_step}.`,
        );
      }
      const range = start_step === undefined ? undefined : { start_step, end_step };
      return { metrics: await store.metrics.historyInterval(run_ids, metric_key, max_results, range) };
    },
  }),
];
