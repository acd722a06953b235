import { get, post, type Step } from './steps.js';

const point = (key: string, value: unknown, step: number, timestamp = 1000 + step) => ({ key, value, step, timestamp });
const points = Array.from({ length: 40 }, (_, i) => point('m', i / 4, i));
const BULK = '/ajax-api/2.0/mlflow/metrics/get-history-bulk';
const INTERVAL = '/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval';

export const metrics: readonly Step[] = [
  post('runs/create', { experiment_id: '0', run_name: 'one' }, { save: { one: 'run.info.run_id' } }),
  post('runs/create', { experiment_id: '0', run_name: 'two' }, { save: { two: 'run.info.run_id' } }),
  post('runs/log-batch', { run_id: '$one', metrics: [...points, point('m', 'NaN', 40), point('m', 7, 40)] }),
  post('runs/log-batch', {
    run_id: '$two',
    metrics: [point('m', 'Infinity', 3), point('m', -0.0, 4), point('m', 1e300, 5)],
  }),
  get('metrics/get-history', { run_id: '$one', metric_key: 'm' }),
  get('metrics/get-history', { run_uuid: '$two', metric_key: 'm' }),
  get('metrics/get-history', { run_id: '$one', metric_key: 'none' }),
  get('metrics/get-history', { run_id: 'none', metric_key: 'm' }, { statusOnly: 'see the store' }),
  get('metrics/get-history', { run_id: '$one' }),
  get('metrics/get-history', { metric_key: 'm' }),
  get(
    'metrics/get-history',
    { run_id: '$one', metric_key: 'm', max_results: 10 },
    { save: { token: 'next_page_token' } },
  ),
  get('metrics/get-history', { run_id: '$one', metric_key: 'm', max_results: 10, page_token: '$token' }),
  get('metrics/get-history', { run_id: '$one', metric_key: 'm', max_results: 0 }),
  get('metrics/get-history', { run_id: '$one', metric_key: 'm', max_results: -3 }),
  get('metrics/get-history', { run_id: '$one', metric_key: 'm', max_results: 10, page_token: 'nonsense' }),
  get(BULK, { run_id: ['$one'], metric_key: 'm' }),
  get(BULK, { run_id: '$two', metric_key: 'm' }),
  get(BULK, { run_id: '$one', metric_key: 'm', max_results: 5 }),
  get(BULK, { run_id: '$one', metric_key: 'none' }),
  get(BULK, { metric_key: 'm' }),
  get(BULK, { run_id: '$one' }),
  get(BULK, { run_id: Array.from({ length: 101 }, (_, i) => `r${i}`), metric_key: 'm' }),
  get(
    BULK,
    { run_id: '$one', metric_key: 'm', max_results: 'many' },
    { differs: { because: 'MLflow fails with a 500', status: 400, says: 'max_results' } },
  ),
  get(INTERVAL, { run_ids: ['$one'], metric_key: 'm' }),
  get(INTERVAL, { run_ids: '$one', metric_key: 'm', max_results: 5 }),
  get(INTERVAL, { run_ids: '$one', metric_key: 'm', max_results: 5, start_step: 10, end_step: 30 }),
  get(INTERVAL, { run_ids: '$one', metric_key: 'm', start_step: 10 }),
  get(INTERVAL, { run_ids: '$one', metric_key: 'm', start_step: 10, end_step: 5 }),
  get(INTERVAL, { run_ids: '$one', metric_key: 'm', max_results: 0 }),
  get(INTERVAL, { run_ids: '$one', metric_key: 'm', max_results: 2501 }),
  get(INTERVAL, { metric_key: 'm' }),
  get(INTERVAL, { run_ids: '$one' }),
  get(INTERVAL, { run_ids: Array.from({ length: 101 }, (_, i) => `r${i}`), metric_key: 'm' }),
  get('metrics/get-history-bulk-interval', { run_ids: ['$one'], metric_key: 'm', max_results: 3 }),
];
