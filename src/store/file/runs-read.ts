/** A run as a record, from its folder. */
import type { KeyValue, Metric, Run, RunInfo } from '../records.js';
import type { Context } from './context.js';
import type { Report } from './damage.js';
import { statOf } from './files.js';
import { META, METRICS, PARAMS, TAGS } from './layout.js';
import type { Point } from './metric-lines.js';
import { readInputs, readOutputs, type StoredRun } from './read-run.js';
import { type KeyedPoint, readRunMetrics, readValues } from './read-values.js';
import { Vanished } from './reading.js';

export const RUN_NAME = 'mlflow.runName';

/** To be called under readWhole or readEach. @throws {Vanished} where its folder was moved away meanwhile */
export function wholeRun({ files }: Context, stored: StoredRun, report: Report): Run {
  const { folder } = stored;
  const tags = readValues(files, `${folder}/${TAGS}`, report);
  const params = readValues(files, `${folder}/${PARAMS}`, report);
  const metrics = readRunMetrics(files, `${folder}/${METRICS}`, report);
  const inputs = readInputs(files, folder, report);
  const outputs = { model_outputs: readOutputs(files, folder, report) };
  // What is not there is empty: but is it there?
  if (params.length === 0 || metrics.length === 0 || tags.length === 0) mustBeThere(folder);
  return {
    info: namedInfo(stored, tags),
    data: { metrics: shownMetrics(metrics, stored.info.run_id), params, tags },
    inputs,
    outputs,
  };
}

/** What is the same is not made anew. */
const shown = new WeakMap<readonly KeyedPoint[], readonly Metric[]>();

function shownMetrics(points: readonly KeyedPoint[], runId: string): readonly Metric[] {
  if (points.length === 0) return [];
  const metrics = shown.get(points) ?? points.map(({ key, point }) => metricOf(key, point, runId));
  shown.set(points, metrics);
  return metrics;
}

function mustBeThere(folder: string): void {
  if (statOf(`${folder}/${META}`) === undefined) throw new Vanished(`${folder} was moved away while it was read`);
}

/** Releases before 1.30 keep a run's name in a tag only. */
export function namedInfo({ info }: StoredRun, tags: readonly KeyValue[]): RunInfo {
  if (info.run_name) return info;
  const name = tags.find(({ key }) => key === RUN_NAME)?.value;
  return name === undefined || name === '' ? info : { ...info, run_name: name };
}

export const metricOf = (key: string, point: Point, run_id: string): Metric & { readonly run_id: string } => ({
  key,
  value: point.value,
  timestamp: Number(point.timestamp),
  step: Number(point.shownStep),
  ...(point.dataset_name !== undefined && { dataset_name: point.dataset_name, dataset_digest: point.dataset_digest }),
  run_id,
});
