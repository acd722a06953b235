/** Points of metrics: every one is kept, and the latest of each metric is kept once more by itself. */
import type { Kysely } from 'kysely';
import type { InsertShape } from '../../../dialect/query-words.js';
import type { Metric } from '../../records.js';
import type { Context } from '../context.js';
import type { Tables } from '../entities/index.js';
import { insertRows } from '../statements.js';

const POINTS: InsertShape = {
  name: 'points of metrics',
  table: 'metrics',
  columns: { run_uuid: 'text', key: 'text', value: 'double', timestamp: 'bigint', step: 'bigint', is_nan: 'boolean' },
  key: ['key', 'timestamp', 'step', 'run_uuid', 'value', 'is_nan'],
  conflict: 'keep',
};
const LATEST: InsertShape = {
  ...POINTS,
  name: 'latest metrics',
  table: 'latest_metrics',
  key: ['key', 'run_uuid'],
  conflict: { update: ['value', 'timestamp', 'step', 'is_nan'], ifGreater: ['step', 'timestamp', 'value'] },
};
const OF_MODELS: InsertShape = {
  name: 'metrics of logged models',
  table: 'logged_model_metrics',
  columns: {
    model_id: 'text',
    metric_name: 'text',
    metric_timestamp_ms: 'bigint',
    metric_step: 'bigint',
    metric_value: 'double',
    experiment_id: 'integer',
    run_id: 'text',
    dataset_name: 'text',
    dataset_digest: 'text',
  },
  key: ['model_id', 'metric_name', 'metric_timestamp_ms', 'metric_step', 'run_id'],
  conflict: 'keep',
};

/** A metric as a database can hold it: NaN is 0 with a mark, an infinity the largest number there is. */
interface Point extends Metric {
  readonly nan: boolean;
}

function pointOf(metric: Metric): Point {
  const nan = Number.isNaN(metric.value);
  const value = nan ? 0 : Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, metric.value));
  return { ...metric, value, nan };
}

export async function addPoints(
  context: Context,
  db: Kysely<Tables>,
  run: { readonly run_uuid: string; readonly experiment_id: number | null },
  metrics: readonly Metric[],
): Promise<void> {
  const points = metrics.map(pointOf);
  const rowOf = ({ key, value, timestamp, step, nan }: Point) => [run.run_uuid, key, value, timestamp, step, nan];
  const distinct = new Map(
    points.map((point) => [`${point.key}\0${point.timestamp}\0${point.step}\0${point.value}\0${point.nan}`, point]),
  );
  await insertRows(context, db, POINTS, [...distinct.values()].map(rowOf));
  await insertRows(context, db, LATEST, latestOf(points).map(rowOf));
  await addToModels(context, db, run, points);
}

/** In one order, so that two who write the same metrics do not wait for each other. */
function latestOf(points: readonly Point[]): Point[] {
  const latest = new Map<string, Point>();
  for (const point of points) {
    const other = latest.get(point.key);
    if (!other || isLater(point, other)) latest.set(point.key, point);
  }
  return [...latest.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

function isLater(one: Point, other: Point): boolean {
  if (one.step !== other.step) return one.step > other.step;
  if (one.timestamp !== other.timestamp) return one.timestamp > other.timestamp;
  return one.value > other.value;
}

async function addToModels(
  context: Context,
  db: Kysely<Tables>,
  { run_uuid, experiment_id }: { readonly run_uuid: string; readonly experiment_id: number | null },
  points: readonly Point[],
): Promise<void> {
  const rows = new Map<string, unknown[]>();
  for (const { model_id, key, value, timestamp, step, dataset_name, dataset_digest } of points) {
    if (model_id === undefined) continue;
    const row = [model_id, key, timestamp, step, value, experiment_id, run_uuid];
    const id = `${model_id}\0${key}\0${timestamp}\0${step}`;
    if (!rows.has(id)) rows.set(id, [...row, dataset_name ?? null, dataset_digest ?? null]);
  }
  await insertRows(context, db, OF_MODELS, [...rows.values()]);
}
