/** Runs: folders in that of their experiment. */
import { join } from 'node:path';
import { appendToUri } from '../artifact-uri.js';
import { invalidParameter, StoreError } from '../errors.js';
import type { KeyValue, Run, RunInfo } from '../records.js';
import { randomRunName } from '../run-names.js';
import type { Runs } from '../store.js';
import { validateName, validateRunId } from '../validate.js';
import { Changes, makeFolder } from './changes.js';
import type { Context } from './context.js';
import { statOf } from './files.js';
import { notFound } from './find.js';
import { newId } from './ids.js';
import { ARTIFACTS, META, METRICS, PARAMS, TAGS } from './layout.js';
import type { StoredRun } from './read-run.js';
import { readWhole } from './reading.js';
import { searchDatasets } from './runs-datasets.js';
import { changeInfo } from './runs-info.js';
import { logInputs, logOutputs } from './runs-links.js';
import { logBatch, logMetric, logParam, recordModel } from './runs-log.js';
import { RUN_NAME, wholeRun } from './runs-read.js';
import { searchRuns } from './runs-search.js';
import { activeRun, storedExperiment, storedRun } from './stored.js';
import { newRun, rewrittenRun } from './write-meta.js';
import { commit, removeFile } from './writing.js';

export function runs(context: Context): Runs {
  const changing = <Result>(id: string, work: () => Promise<Result>) => context.locks.hold(`run ${id}`, work);
  return {
    create: (request) => create(context, request),
    get: (id) => getRun(context, id),
    update: (id, change) => changing(id, () => update(context, id, change)),
    delete: (id) => changing(id, () => changeStage(context, id, 'deleted')),
    restore: (id) => changing(id, () => changeStage(context, id, 'active')),
    search: (question) => searchRuns(context, question),
    logMetric: (id, metric) => logMetric(context, id, metric),
    logParam: (id, param) => changing(id, () => logParam(context, id, param)),
    logBatch: (id, batch) => changing(id, () => logBatch(context, id, batch)),
    setTag: (id, tag) => changing(id, () => setTag(context, id, tag)),
    deleteTag: (id, key) => changing(id, () => deleteTag(context, id, key)),
    logInputs: (id, datasets, models) => changing(id, () => logInputs(context, id, datasets, models)),
    logOutputs: (id, models) => changing(id, () => logOutputs(context, id, models)),
    recordModel: (id, model) => changing(id, () => recordModel(context, id, model)),
    searchDatasets: (ids) => searchDatasets(context, ids),
  };
}

function getRun(context: Context, id: string): Promise<Run> {
  return readWhole(context, (report) => wholeRun(context, storedRun(context, id), report));
}

async function create(context: Context, request: Parameters<Runs['create']>[0]): Promise<Run> {
  const { experiment_id, user_id = '', start_time = 0 } = request;
  const { folder: parent, experiment } = await readWhole(context, () => storedExperiment(context, experiment_id));
  if (experiment.lifecycle_stage !== 'active') {
    throw new StoreError('INVALID_STATE', `Could not create run under non-active experiment with ID ${experiment_id}.`);
  }
  const { name, tags } = named(request);
  for (const { key } of tags) validateName(key, 'key');
  const run_id = newId();
  const info: RunInfo = {
    run_id,
    run_name: name,
    experiment_id: experiment.experiment_id,
    user_id,
    status: 'RUNNING',
    start_time,
    artifact_uri: appendToUri(experiment.artifact_location, run_id, ARTIFACTS),
    lifecycle_stage: 'active',
  };
  await make(context, join(parent, run_id), info, tags);
  context.runPlaces.set(run_id, parent);
  return getRun(context, run_id);
}

/** The folder is a run from the moment on at which it has a meta.yaml. */
async function make(context: Context, folder: string, info: RunInfo, tags: readonly KeyValue[]): Promise<void> {
  makeFolder(folder);
  for (const name of [METRICS, PARAMS, ARTIFACTS]) makeFolder(join(folder, name));
  const values = new Changes(folder, context.syncsAll);
  for (const [key, value] of new Map(tags.map((tag) => [tag.key, tag.value])))
    values.put(join(folder, TAGS, key), value);
  await commit(values);
  const meta = new Changes(folder, context.syncsAll);
  meta.putMeta(join(folder, META), newRun(info));
  await commit(meta);
}

/** A run's name is in its meta.yaml and in a tag. */
function named({ run_name, tags }: Parameters<Runs['create']>[0]): { name: string; tags: readonly KeyValue[] } {
  const tag = tags.find(({ key }) => key === RUN_NAME)?.value;
  if (run_name && tag && run_name !== tag) {
    throw invalidParameter(
      "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values " +
        `(run_name='${run_name}', mlflow.runName='${tag}').`,
    );
  }
  const name = run_name || tag || randomRunName();
  return { name, tags: tag ? tags : [...tags, { key: RUN_NAME, value: name }] };
}

async function update(context: Context, id: string, change: Parameters<Runs['update']>[1]): Promise<RunInfo> {
  const stored = await activeRun(context, id);
  const info = await changeInfo(context, stored, change);
  if (change.run_name) await putTag(context, stored, { key: RUN_NAME, value: change.run_name });
  return info;
}

async function changeStage(context: Context, id: string, stage: RunInfo['lifecycle_stage']): Promise<void> {
  const stored = await readWhole(context, () => storedRun(context, id));
  const changes = new Changes(stored.folder, context.syncsAll);
  const time = stage === 'deleted' ? context.now() : undefined;
  changes.putMeta(join(stored.folder, META), rewrittenRun(stored, { ...stored.info, lifecycle_stage: stage }, time));
  await commit(changes);
}

async function setTag(context: Context, id: string, tag: KeyValue): Promise<void> {
  validateRunId(id);
  validateName(tag.key, 'key');
  const stored = await activeRun(context, id);
  await putTag(context, stored, tag);
  if (tag.key === RUN_NAME) await changeInfo(context, stored, { run_name: tag.value });
}

function putTag(context: Context, { folder }: StoredRun, { key, value }: KeyValue): Promise<void> {
  const changes = new Changes(folder, context.syncsAll);
  changes.put(join(folder, TAGS, key), value);
  return commit(changes);
}

async function deleteTag(context: Context, id: string, key: string): Promise<void> {
  const { folder } = await activeRun(context, id);
  validateName(key, 'key');
  const path = join(folder, TAGS, key);
  if (statOf(path) === undefined || !removeFile(path)) {
    throw notFound(`No tag with name: ${key} in run with id ${id}`);
  }
}
