/** Experiments: folders with a meta.yaml; deleted ones are in another folder. */
import { join } from 'node:path';
import { absoluteUri, appendToUri } from '../artifact-uri.js';
import { invalidParameter, StoreError } from '../errors.js';
import type { Experiment, KeyValue } from '../records.js';
import { reprString } from '../search/index.js';
import type { Experiments } from '../store.js';
import { validateArtifactLocation, validateExperimentName, validateExperimentTag, validateName } from '../validate.js';
import { Changes, makeFolder } from './changes.js';
import type { Context } from './context.js';
import { deleteExperiment, restoreExperiment } from './experiments-lifecycle.js';
import { allByDefault, searchExperiments } from './experiments-search.js';
import { statOf } from './files.js';
import { notFound } from './find.js';
import { newExperimentId } from './ids.js';
import { DEFAULT_EXPERIMENT, META, TAGS } from './layout.js';
import { readExperimentTags } from './read-experiment.js';
import { readWhole } from './reading.js';
import { storedExperiment } from './stored.js';
import { rewrittenExperiment } from './write-meta.js';
import { commit, removeFile } from './writing.js';
import { writeYaml } from './yaml/write.js';

/** Names are given under this lock: two experiments must not get the same. */
const NAMES = 'names of experiments';

export function experiments(context: Context): Experiments {
  return {
    create: (request) => context.locks.hold(NAMES, () => create(context, request)),
    get: (id) => getExperiment(context, id),
    getByName: (name) => getByName(context, name),
    search: (question) => searchExperiments(context, question),
    delete: (id) => context.locks.hold(`experiment ${id}`, () => deleteExperiment(context, id)),
    restore: (id) => context.locks.hold(`experiment ${id}`, () => restoreExperiment(context, id)),
    rename: (id, name) =>
      context.locks.hold(NAMES, () => context.locks.hold(`experiment ${id}`, () => rename(context, id, name))),
    setTag: (id, tag) => setTag(context, id, tag),
    deleteTag: (id, key) => deleteTag(context, id, key),
  };
}

/** With its tags. @throws StoreError */
export function getExperiment(context: Context, id: string): Promise<Experiment> {
  return readWhole(context, (report) => {
    const { folder, experiment } = storedExperiment(context, id);
    return { ...experiment, tags: readExperimentTags(context.files, folder, report) };
  });
}

async function getByName(context: Context, name: string): Promise<Experiment | undefined> {
  const all = await allByDefault(context, 'ALL');
  const found = all.find(({ experiment }) => experiment.name === name);
  return found && getExperiment(context, found.experiment.experiment_id);
}

async function refuseTaken(context: Context, name: string): Promise<void> {
  const taken = await getByName(context, name);
  if (taken === undefined) return;
  const message =
    taken.lifecycle_stage === 'deleted'
      ? `Experiment ${reprString(name)} already exists in deleted state. You can restore the experiment, or permanently ` +
        "delete the experiment from the .trash folder (under tracking server's root folder) in order to use this " +
        'experiment name again.'
      : `Experiment '${name}' already exists.`;
  throw new StoreError('RESOURCE_ALREADY_EXISTS', message);
}

async function create(context: Context, request: Parameters<Experiments['create']>[0]): Promise<string> {
  const { name, artifact_location, tags } = request;
  validateExperimentName(name);
  if (artifact_location) validateArtifactLocation(artifact_location, context.limits);
  tags.forEach(validateExperimentTag);
  await refuseTaken(context, name);
  const id = newExperimentId();
  await make(context, id, name, artifact_location, tags);
  return id;
}

/** The one that a new store has. */
export const makeDefaultExperiment = (context: Context): Promise<void> =>
  make(context, DEFAULT_EXPERIMENT.id, DEFAULT_EXPERIMENT.name, undefined, []);

/** The folder is an experiment from the moment on at which it has a meta.yaml. */
async function make(
  context: Context,
  experiment_id: string,
  name: string,
  location: string | undefined,
  tags: readonly KeyValue[],
): Promise<void> {
  const artifact_location = location ? absoluteUri(location) : appendToUri(context.artifactRoot, experiment_id);
  const folder = join(context.root, experiment_id);
  const time = context.now();
  makeFolder(folder);
  await putTags(context, folder, tags);
  const changes = new Changes(folder, context.syncsAll);
  changes.putMeta(
    join(folder, META),
    writeYaml({
      artifact_location,
      creation_time: time,
      effective_trace_archival_retention: null,
      experiment_id,
      last_update_time: time,
      lifecycle_stage: 'active',
      name,
      trace_location: null,
      workspace: 'default',
    }),
  );
  await commit(changes);
}

function putTags(context: Context, folder: string, tags: readonly KeyValue[]): Promise<void> {
  const changes = new Changes(folder, context.syncsAll);
  for (const { key, value } of new Map(tags.map((tag) => [tag.key, tag])).values()) {
    changes.put(join(folder, TAGS, key), value);
  }
  return commit(changes);
}

async function rename(context: Context, id: string, name: string): Promise<void> {
  validateExperimentName(name);
  const { lifecycle_stage } = await getExperiment(context, id);
  await refuseTaken(context, name);
  if (lifecycle_stage !== 'active') {
    throw new StoreError(
      'INTERNAL_ERROR',
      `Cannot rename experiment in non-active lifecycle stage. Current stage: ${lifecycle_stage}`,
    );
  }
  await readWhole(context, (report) => {
    const stored = storedExperiment(context, id);
    const changes = new Changes(stored.folder, context.syncsAll);
    const tags = readExperimentTags(context.files, stored.folder, report);
    const change = { name, last_update_time: context.now() };
    changes.putMeta(join(stored.folder, META), rewrittenExperiment(stored, change, tags));
    return changes;
  }).then(commit);
}

async function activeFolder(context: Context, id: string, what: string): Promise<string> {
  const { folder, experiment } = await readWhole(context, () => storedExperiment(context, id));
  if (experiment.lifecycle_stage === 'active') return folder;
  throw invalidParameter(
    `The experiment ${experiment.experiment_id} must be in the 'active' lifecycle_stage to ${what} tags`,
  );
}

async function setTag(context: Context, id: string, tag: KeyValue): Promise<void> {
  validateExperimentTag(tag);
  await putTags(context, await activeFolder(context, id, 'set'), [tag]);
}

async function deleteTag(context: Context, id: string, key: string): Promise<void> {
  const folder = await activeFolder(context, id, 'delete');
  validateName(key, 'key');
  const path = join(folder, TAGS, key);
  if (statOf(path) === undefined || !removeFile(path)) {
    throw notFound(`No tag with name: ${key} in experiment with id ${id}`);
  }
}
