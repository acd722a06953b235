import { join } from 'node:path';
import {
  Damage,
  filesBelow,
  METRICS,
  PARAMS,
  readModelSeries,
  readValues,
  type StoredModel,
  TAGS,
} from '../../store/file/reader.js';
import { LOGGED_MODEL_STATUSES } from '../../store/records.js';
import { type Context, experimentNumber, integerIn, textIn } from './context.js';
import { pointsAt, steady } from './steady.js';

/** A logged model with its params, tags and metrics. */
export function addLoggedModel({ folder, info, stage, meta }: StoredModel, context: Context): void {
  const { rows, report } = context;
  const { model_id } = info;
  const experiment_id = experimentNumber(info.experiment_id);
  rows.add('logged_models', {
    model_id,
    experiment_id,
    name: info.name,
    artifact_location: info.artifact_uri,
    creation_timestamp_ms: integerIn(meta, 'creation_timestamp') ?? 0,
    last_updated_timestamp_ms: integerIn(meta, 'last_updated_timestamp') ?? 0,
    status: LOGGED_MODEL_STATUSES.indexOf(info.status),
    lifecycle_stage: stage,
    model_type: textIn(meta, 'model_type') ?? null,
    source_run_id: textIn(meta, 'source_run_id') ?? null,
    status_message: textIn(meta, 'status_message') ?? null,
  });
  for (const { key, value } of readValues(steady, join(folder, PARAMS), report)) {
    rows.add('logged_model_params', { model_id, experiment_id, param_key: key, param_value: value });
  }
  for (const { key, value } of readValues(steady, join(folder, TAGS), report)) {
    rows.add('logged_model_tags', { model_id, experiment_id, tag_key: key, tag_value: value });
  }
  const parent = join(folder, METRICS);
  for (const metric_name of filesBelow(parent)) addMetric(join(parent, metric_name), metric_name);

  function addMetric(path: string, metric_name: string): void {
    const seen = new Map<string, number>();
    const missing = new Map<string, number>();
    let others = 0;
    for (const { timestamp, value, step, run_id = '', ...dataset } of pointsAt(path, readModelSeries, report)) {
      if (!context.hasRun(run_id)) {
        missing.set(run_id, (missing.get(run_id) ?? 0) + 1);
        continue;
      }
      // A database holds one value for a time, step and run.
      const key = `${timestamp} ${step} ${run_id}`;
      const known = seen.get(key);
      if (known !== undefined) {
        if (Object.is(known, value)) context.repeated(TABLE, 1);
        else others++;
        continue;
      }
      seen.set(key, value);
      rows.add(TABLE, {
        model_id,
        metric_name,
        metric_timestamp_ms: timestamp,
        metric_step: step,
        metric_value: value,
        experiment_id,
        run_id,
        dataset_uuid: null,
        dataset_name: dataset.dataset_name ?? null,
        dataset_digest: dataset.dataset_digest ?? null,
      });
    }
    const lost = (reason: string, n: number) => context.lost(new Damage({ path, reason }), { [TABLE]: n });
    for (const [run, n] of missing) lost(`has ${plural(n)} of run ${run}, which is not there`, n);
    if (others > 0) lost(`has ${plural(others)} with another value at the same time, step and run`, others);
  }
}

const TABLE = 'logged_model_metrics';
const plural = (lines: number) => (lines === 1 ? 'a line' : `${lines} lines`);
