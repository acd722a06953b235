/** A logged model as a record, from its folder. */
import { join } from 'node:path';
import type { LoggedModel, Metric } from '../records.js';
import type { Context } from './context.js';
import type { Report } from './damage.js';
import { statOf } from './files.js';
import { META, METRICS, PARAMS, TAGS } from './layout.js';
import type { StoredModel } from './read-model.js';
import { type KeyedPoint, readModelMetrics, readValues } from './read-values.js';
import { Vanished } from './reading.js';

/** To be called under readWhole or readEach. @throws {Vanished} where its folder was moved away meanwhile */
export function wholeModel({ files }: Context, stored: StoredModel, report: Report): LoggedModel {
  const { folder, info } = stored;
  const tags = readValues(files, join(folder, TAGS), report);
  const params = readValues(files, join(folder, PARAMS), report);
  const metrics = readModelMetrics(files, join(folder, METRICS), report);
  if (statOf(join(folder, META)) === undefined) throw new Vanished(`${folder} was moved away while it was read`);
  return {
    info: { ...info, tags },
    data: { params, metrics: metrics.map((each) => metricOf(each, info.model_id)) },
  };
}

export const metricOf = ({ key, point }: KeyedPoint, model_id: string): Metric => ({
  key,
  value: point.value,
  timestamp: Number(point.timestamp),
  step: Number(point.step),
  model_id,
  ...(point.dataset_name !== undefined && { dataset_name: point.dataset_name, dataset_digest: point.dataset_digest }),
  run_id: point.run_id,
});
