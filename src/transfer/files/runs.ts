import { join } from 'node:path';
import {
  filesBelow,
  latestOf,
  METRICS,
  PARAMS,
  type Point,
  readInputs,
  readOutputs,
  readRunSeries,
  readValues,
  type StoredRun,
  TAGS,
} from '../../store/file/reader.js';
import { type Context, experimentNumber, idOf, integerIn, textIn } from './context.js';
import { datasetId } from './experiments.js';
import { pointsAt, steady } from './steady.js';

/** Numbers by which old releases knew where a run came from. */
const SOURCE_TYPES = ['NOTEBOOK', 'JOB', 'PROJECT', 'LOCAL'];
const SOURCE_TYPE_WORDS: readonly string[] = [...SOURCE_TYPES, 'UNKNOWN'];

/** A run with all that belongs to it. */
export function addRun(run: StoredRun, context: Context): void {
  const { rows } = context;
  const { info, meta } = run;
  rows.add('runs', {
    run_uuid: info.run_id,
    // What releases before 1.0 called a run, and those up to 1.30 left empty.
    name: info.run_name ?? (textIn(meta, 'name') || null),
    source_type: sourceType(meta.source_type),
    source_name: textIn(meta, 'source_name') ?? '',
    entry_point_name: textIn(meta, 'entry_point_name') ?? '',
    user_id: textIn(meta, 'user_id') ?? null,
    status: info.status,
    start_time: integerIn(meta, 'start_time') ?? null,
    end_time: integerIn(meta, 'end_time') ?? null,
    source_version: textIn(meta, 'source_version') ?? '',
    lifecycle_stage: info.lifecycle_stage,
    artifact_uri: textIn(meta, 'artifact_uri') ?? null,
    experiment_id: experimentNumber(info.experiment_id),
    deleted_time: integerIn(meta, 'deleted_time') ?? null,
  });
  addValues('params', PARAMS, run, context);
  addValues('tags', TAGS, run, context);
  addMetrics(run, context);
  addInputs(run, context);
}

function sourceType(value: unknown): string {
  if (typeof value === 'string' && SOURCE_TYPE_WORDS.includes(value)) return value;
  return (typeof value === 'number' ? SOURCE_TYPES[value - 1] : undefined) ?? 'UNKNOWN';
}

function addValues(table: string, folder: string, { info, folder: of }: StoredRun, { rows, report }: Context): void {
  for (const { key, value } of readValues(steady, join(of, folder), report)) {
    rows.add(table, { key, value, run_uuid: info.run_id });
  }
}

// ---------------------------------------------------------------- metrics

interface StoredValue {
  readonly value: number;
  readonly is_nan: boolean;
}

/** NaN and the infinities as MLflow's databases hold them. */
export function storedValue(value: number): StoredValue {
  if (Number.isNaN(value)) return { value: 0, is_nan: true };
  return { value: Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value)), is_nan: false };
}

function addMetrics({ info, folder }: StoredRun, { rows, report, repeated }: Context): void {
  const run_uuid = info.run_id;
  const parent = join(folder, METRICS);
  for (const key of filesBelow(parent)) {
    const points = pointsAt(join(parent, key), readRunSeries, report);
    const stored = distinct(points);
    if (stored.length < points.length) repeated('metrics', points.length - stored.length);
    for (const { timestamp, step, value, is_nan } of stored) {
      rows.add('metrics', { key, timestamp, step, run_uuid, value, is_nan });
    }
    const latest = latestOf(points);
    if (!latest) continue;
    const { timestamp, step, value } = latest;
    rows.add('latest_metrics', { key, timestamp, step, run_uuid, ...storedValue(value) });
  }
}

type StoredPoint = Pick<Point, 'timestamp' | 'step'> & StoredValue;

/** A file can hold a point twice, a database cannot. */
function distinct(points: readonly Point[]): StoredPoint[] {
  const stored = points.map(({ timestamp, step, value }) => ({ timestamp, step, ...storedValue(value) }));
  // As they nearly always are: one after the other.
  if (points.every(({ timestamp }, at) => at === 0 || timestamp > (points[at - 1]?.timestamp ?? 0))) return stored;
  const seen = new Set<string>();
  return stored.filter(({ timestamp, step, value, is_nan }) => {
    const text = `${timestamp} ${step} ${value} ${is_nan}`;
    if (seen.has(text)) return false;
    seen.add(text);
    return true;
  });
}

// ---------------------------------------------------------------- what went in and came out

function addInputs({ info, folder }: StoredRun, { rows, report }: Context): void {
  const run = info.run_id;
  const { dataset_inputs, model_inputs } = readInputs(steady, folder, report);
  const link = (source_type: string, source_id: string, destination_type: string, destination_id: string, step = 0) => {
    const input_uuid = idOf('input', source_type, source_id, destination_type, destination_id);
    rows.add('inputs', { input_uuid, source_type, source_id, destination_type, destination_id, step });
    return input_uuid;
  };
  for (const { dataset, tags } of dataset_inputs) {
    const input_uuid = link('DATASET', datasetId(info.experiment_id, dataset), 'RUN', run);
    for (const { key, value } of tags) rows.add('input_tags', { input_uuid, name: key, value });
  }
  for (const { model_id } of model_inputs) link('RUN_INPUT', run, 'MODEL_INPUT', model_id);
  for (const { model_id, step } of readOutputs(steady, folder, report)) {
    link('RUN_OUTPUT', run, 'MODEL_OUTPUT', model_id, step);
  }
}
