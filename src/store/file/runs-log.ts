/** What is logged in a run: points of metrics, params, tags. */
import { join } from 'node:path';
import { invalidParameter, StoreError } from '../errors.js';
import { MODEL_HISTORY, withModel } from '../model-history.js';
import type { KeyValue, Metric } from '../records.js';
import type { Batch } from '../store.js';
import { validateBatch, validateMetric, validateParam, validateRunId } from '../validate.js';
import { Changes, Taken } from './changes.js';
import type { Context } from './context.js';
import { validatePathName } from './ids.js';
import { METRICS, MODELS, PARAMS, TAGS } from './layout.js';
import { formatModelLine, formatRunLine } from './metric-lines.js';
import type { StoredRun } from './read-run.js';
import { readValue } from './read-values.js';
import { readWhole } from './reading.js';
import { changeInfo } from './runs-info.js';
import { RUN_NAME } from './runs-read.js';
import { activeRun } from './stored.js';
import { commit } from './writing.js';

export async function logMetric(context: Context, id: string, metric: Metric): Promise<void> {
  validateRunId(id);
  validateMetric(metric);
  const stored = await activeRun(context, id);
  const changes = new Changes(stored.folder, context.syncsAll);
  addPoints(changes, stored, [metric]);
  await commit(changes);
}

/** In the files of the run's metrics, and of those of the logged models that were measured. */
function addPoints(changes: Changes, { folder, info }: StoredRun, metrics: readonly Metric[]): void {
  for (const metric of metrics) {
    changes.append(join(folder, METRICS, metric.key), formatRunLine(metric));
    if (metric.model_id === undefined) continue;
    validatePathName(metric.model_id, 'model_id');
    const experiment = join(folder, '..');
    const path = join(experiment, MODELS, metric.model_id, METRICS, metric.key);
    changes.append(path, formatModelLine(metric, info.run_id), experiment);
  }
}

export async function logParam(context: Context, id: string, given: KeyValue): Promise<void> {
  validateRunId(id);
  const param = validateParam(given, context.limits);
  const stored = await activeRun(context, id);
  await putParams(context, stored, [param], () => new Changes(stored.folder, context.syncsAll));
}

/**
 * A param stays as it is: who logs it again must give the same value. Nothing is written where one is refused.
 * @param changesOf what is to be written with them; it is asked once more where another process logged one of them just then
 */
async function putParams(
  context: Context,
  stored: StoredRun,
  params: readonly KeyValue[],
  changesOf: () => Changes,
  isLast = false,
): Promise<void> {
  const changes = changesOf();
  for (const param of params) {
    const current = await currentValue(context, stored, param);
    if (current === undefined) changes.putNew(join(stored.folder, PARAMS, param.key), param.value);
    else refuseChange(stored, param, current);
  }
  try {
    await commit(changes);
  } catch (error) {
    if (!(error instanceof Taken)) throw error;
    if (isLast) throw new StoreError('INTERNAL_ERROR', error.message, { cause: error });
    await putParams(context, stored, params, changesOf, true);
  }
}

/** MLflow empties a param's file each time it logs the same value again: an empty one is no other value yet. */
const IS_REWRITTEN_MS = 2000;

const currentValue = (context: Context, { folder }: StoredRun, { key, value }: KeyValue) =>
  readWhole(context, (report) =>
    readValue(context.files, join(folder, PARAMS), key, report, value === '' ? 0 : IS_REWRITTEN_MS),
  );

function refuseChange({ info }: StoredRun, { key, value }: KeyValue, current: string): void {
  if (current === value) return;
  throw invalidParameter(
    `Changing param values is not allowed. Param with key='${key}' was already logged with value='${current}' for run ` +
      `ID='${info.run_id}'. Attempted logging new value '${value}'.`,
  );
}

export async function logBatch(context: Context, id: string, given: Batch): Promise<void> {
  validateRunId(id);
  const { metrics, params, tags } = validateBatch(given, context.limits);
  const stored = await activeRun(context, id);
  const changesOf = () => {
    const changes = new Changes(stored.folder, context.syncsAll);
    addPoints(changes, stored, metrics);
    for (const [key, value] of new Map(tags.map((tag) => [tag.key, tag.value]))) {
      changes.put(join(stored.folder, TAGS, key), value);
    }
    return changes;
  };
  await refusedAsInternal(() => putParams(context, stored, params, changesOf));
  const name = tags.findLast(({ key }) => key === RUN_NAME)?.value;
  if (name !== undefined) await changeInfo(context, stored, { run_name: name });
}

/** MLflow's file store gives what it refuses within a batch this code. */
async function refusedAsInternal(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof StoreError) throw new StoreError('INTERNAL_ERROR', error.message, { cause: error });
    throw error;
  }
}

export async function recordModel(
  context: Context,
  id: string,
  model: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { folder, info } = await activeRun(context, id);
  const before = await readWhole(context, (report) =>
    readValue(context.files, join(folder, TAGS), MODEL_HISTORY, report),
  );
  const changes = new Changes(folder, context.syncsAll);
  changes.put(join(folder, TAGS, MODEL_HISTORY), withModel(before, model, info.run_id));
  await commit(changes);
}
