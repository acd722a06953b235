/** What is asked of every server: reads first, since writes make the runs that are searched longer. */

export interface Row {
  readonly name: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Another one each time, where something is written. */
  readonly body?: () => object;
  /** Goals: how many times as fast as MLflow it is to be. */
  readonly goal: 10 | 20;
}

const API = '/api/2.0/mlflow';
export const runId = (number: number) => String(number).padStart(32, '0');
export const HISTORY = { run: runId(100), key: 'history', points: 10_000 };
export const BULK = Array.from({ length: 10 }, (_, at) => ({ run: runId(101 + at), key: 'bulk', points: 1000 }));
/** Runs that are written to. */
const TARGETS = 64;

let n = Date.now() % 1_000_000_000;
const next = () => {
  n += 1;
  return n;
};
const target = () => runId(n % TARGETS);
const times = <Item>(count: number, item: (at: number) => Item) => Array.from({ length: count }, (_, at) => item(at));

export const SEARCHES: readonly Row[] = [
  {
    name: 'search-runs: filters, order',
    method: 'POST',
    path: `${API}/runs/search`,
    body: () => ({
      experiment_ids: ['0'],
      filter: "params.p1 = 'v7' AND metrics.m0 > 0.5",
      order_by: ['metrics.m1 DESC'],
      max_results: 100,
    }),
    goal: 20,
  },
  {
    name: 'search-runs: latest 100',
    method: 'POST',
    path: `${API}/runs/search`,
    body: () => ({ experiment_ids: ['0'], max_results: 100 }),
    goal: 20,
  },
];

export const ROWS: readonly Row[] = [
  { name: 'get-run', method: 'GET', path: `${API}/runs/get?run_id=${runId(1042)}`, goal: 20 },
  ...SEARCHES,
  {
    name: 'history of 10 k points',
    method: 'GET',
    path: `${API}/metrics/get-history?run_id=${HISTORY.run}&metric_key=${HISTORY.key}`,
    goal: 20,
  },
  {
    name: 'bulk history: 10 x 1 k points',
    method: 'GET',
    path: `/ajax-api/2.0/mlflow/metrics/get-history-bulk?${BULK.map(({ run }) => `run_id=${run}`).join('&')}&metric_key=bulk`,
    goal: 20,
  },
  {
    name: 'search-experiments',
    method: 'POST',
    path: `${API}/experiments/search`,
    body: () => ({ max_results: 100 }),
    goal: 20,
  },
  {
    name: 'log-metric',
    method: 'POST',
    path: `${API}/runs/log-metric`,
    body: () => {
      const step = next();
      return { run_id: target(), key: 'one', value: step / 7, timestamp: step, step };
    },
    goal: 10,
  },
  {
    name: 'log-batch: 100 + 20 + 20',
    method: 'POST',
    path: `${API}/runs/log-batch`,
    body: () => {
      const step = next();
      return {
        run_id: target(),
        metrics: times(100, (at) => ({ key: `metric${at}`, value: step / 7, timestamp: step, step })),
        params: times(20, (at) => ({ key: `param${at}`, value: 'value' })),
        tags: times(20, (at) => ({ key: `tag${at}`, value: `value ${step}` })),
      };
    },
    goal: 10,
  },
  {
    name: 'create-run',
    method: 'POST',
    path: `${API}/runs/create`,
    body: () => ({
      experiment_id: '0',
      run_name: 'made',
      user_id: 'me',
      start_time: next(),
      tags: [{ key: 'team', value: 'a' }],
    }),
    goal: 10,
  },
];
