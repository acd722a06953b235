/** Logged models: folders among the models of their experiment. */
import { join } from 'node:path';
import { appendToUri } from '../artifact-uri.js';
import { invalidParameter, StoreError } from '../errors.js';
import { type KeyValue, LOGGED_MODEL_STATUSES, type LoggedModel, type LoggedModelStatus } from '../records.js';
import { randomRunName } from '../run-names.js';
import { reprString } from '../search/index.js';
import type { LoggedModels } from '../store.js';
import { validateName, validateParam } from '../validate.js';
import { Changes, makeFolder } from './changes.js';
import type { Context } from './context.js';
import { statOf } from './files.js';
import { findIn, notFound } from './find.js';
import { newId } from './ids.js';
import { ARTIFACTS, META, METRICS, MODELS, PARAMS, TAGS } from './layout.js';
import { wholeModel } from './logged-models-read.js';
import { searchModels } from './logged-models-search.js';
import { readModel, type StoredModel } from './read-model.js';
import { readWhole } from './reading.js';
import { storedExperiment } from './stored.js';
import { commit, removeFile } from './writing.js';
import { writeYaml } from './yaml/write.js';

export function loggedModels(context: Context): LoggedModels {
  const changing = <Result>(id: string, work: () => Promise<Result>) => context.locks.hold(`model ${id}`, work);
  return {
    create: (request) => create(context, request),
    get: (id, allowDeleted = false) => getModel(context, id, allowDeleted),
    search: (question) => searchModels(context, question),
    finalize: (id, status) => changing(id, () => finalize(context, id, status)),
    delete: (id) => changing(id, () => deleteModel(context, id)),
    setTags: (id, tags) => changing(id, () => setTags(context, id, tags)),
    deleteTag: (id, key) => changing(id, () => deleteTag(context, id, key)),
    logParams: (id, params) => changing(id, () => logParams(context, id, params)),
  };
}

/** To be called under readWhole. Models of deleted experiments are not found, as with MLflow. @throws StoreError, Damage */
function storedModel(context: Context, id: string, allowDeleted: boolean): StoredModel {
  const folder = findIn(context, MODELS, id, { deleted: false });
  const stored = folder === undefined ? undefined : readModel(context.files, folder);
  if (stored === undefined || (stored.stage === 'deleted' && !allowDeleted)) throw notFound(`Model '${id}' not found`);
  return stored;
}

const getStored = (context: Context, id: string) => readWhole(context, () => storedModel(context, id, false));

const getModel = (context: Context, id: string, allowDeleted: boolean): Promise<LoggedModel> =>
  readWhole(context, (report) => wholeModel(context, storedModel(context, id, allowDeleted), report));

const BAD_CHARACTERS = ['/', ':', '.', '%', '"', "'"];

function validateModelName(name: string): void {
  if (name !== '' && !BAD_CHARACTERS.some((character) => name.includes(character))) return;
  throw invalidParameter(
    `Invalid model name (${reprString(name)}) provided. Model name must be a non-empty string and cannot contain the ` +
      `following characters: (${BAD_CHARACTERS.map(reprString).join(', ')})`,
  );
}

async function create(context: Context, request: Parameters<LoggedModels['create']>[0]): Promise<LoggedModel> {
  const { experiment_id, name, params, tags, model_type, source_run_id } = request;
  if (name !== undefined) validateModelName(name);
  const { folder: parent, experiment } = await readWhole(context, () => storedExperiment(context, experiment_id));
  if (experiment.lifecycle_stage !== 'active') {
    throw new StoreError(
      'INVALID_STATE',
      `Could not create model under non-active experiment with ID ${experiment_id}.`,
    );
  }
  for (const param of params) validateParam(param, context.limits);
  for (const { key } of tags) validateName(key, 'key');
  const model_id = `m-${newId()}`;
  const time = context.now();
  const info = {
    model_id,
    experiment_id: experiment.experiment_id,
    name: name ?? randomRunName(),
    creation_timestamp_ms: time,
    last_updated_timestamp_ms: time,
    artifact_uri: appendToUri(experiment.artifact_location, MODELS, model_id, ARTIFACTS),
    status: 'LOGGED_MODEL_PENDING',
    model_type,
    source_run_id,
  } as const;
  const folder = join(parent, MODELS, model_id);
  makeFolder(join(parent, MODELS));
  makeFolder(folder);
  for (const each of [METRICS, PARAMS]) makeFolder(join(folder, each));
  const values = new Changes(folder, context.syncsAll);
  putValues(values, join(folder, PARAMS), params);
  putValues(values, join(folder, TAGS), tags);
  await commit(values);
  await putMeta(context, folder, info, 'active');
  return getModel(context, model_id, false);
}

function putValues(changes: Changes, folder: string, values: readonly KeyValue[]): void {
  for (const [key, value] of new Map(values.map((each) => [each.key, each.value])))
    changes.put(join(folder, key), value);
}

/** @param stage as MLflow writes it: when a model is made, and when it is deleted */
function putMeta(
  context: Context,
  folder: string,
  info: StoredModel['info'],
  stage: 'active' | 'deleted' | undefined,
  meta: StoredModel['meta'] = {},
): Promise<void> {
  const { lifecycle_stage, ...rest } = meta;
  const changes = new Changes(folder, context.syncsAll);
  changes.putMeta(
    join(folder, META),
    writeYaml({
      ...rest,
      model_id: info.model_id,
      experiment_id: info.experiment_id,
      name: info.name,
      creation_timestamp: info.creation_timestamp_ms,
      last_updated_timestamp: info.last_updated_timestamp_ms,
      artifact_location: info.artifact_uri,
      status: LOGGED_MODEL_STATUSES.indexOf(info.status),
      model_type: info.model_type,
      source_run_id: info.source_run_id,
      status_message: info.status_message,
      ...(stage && { lifecycle_stage: stage }),
    }),
  );
  return commit(changes);
}

async function finalize(context: Context, id: string, status: LoggedModelStatus): Promise<LoggedModel> {
  const { folder, info, meta } = await getStored(context, id);
  await putMeta(context, folder, { ...info, status, last_updated_timestamp_ms: context.now() }, undefined, meta);
  return getModel(context, id, false);
}

async function deleteModel(context: Context, id: string): Promise<void> {
  const { folder, info, meta } = await getStored(context, id);
  await putMeta(context, folder, { ...info, last_updated_timestamp_ms: context.now() }, 'deleted', meta);
}

async function setTags(context: Context, id: string, tags: readonly KeyValue[]): Promise<void> {
  const { folder } = await getStored(context, id);
  for (const { key } of tags) validateName(key, 'key');
  const changes = new Changes(folder, context.syncsAll);
  putValues(changes, join(folder, TAGS), tags);
  await commit(changes);
}

async function deleteTag(context: Context, id: string, key: string): Promise<void> {
  validateName(key, 'key');
  const { folder } = await getStored(context, id);
  const path = join(folder, TAGS, key);
  if (statOf(path) === undefined || !removeFile(path)) {
    throw notFound(`No tag with key ${reprString(key)} found for model with ID ${reprString(id)}.`);
  }
}

/** MLflow checks how long a value is, and writes all of it. */
async function logParams(context: Context, id: string, params: readonly KeyValue[]): Promise<void> {
  for (const param of params) validateParam(param, context.limits);
  const { folder } = await getStored(context, id);
  const changes = new Changes(folder, context.syncsAll);
  putValues(changes, join(folder, PARAMS), params);
  await commit(changes);
}
