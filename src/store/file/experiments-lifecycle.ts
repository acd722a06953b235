/** Deleting experiments, which takes their runs with them, and bringing them back. */
import { renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { messageOf } from '../../errors.js';
import { StoreError } from '../errors.js';
import type { LifecycleStage } from '../records.js';
import { Changes, codeOf, makeFolder } from './changes.js';
import type { Context } from './context.js';
import { findExperiment, notFound } from './find.js';
import { DEFAULT_EXPERIMENT, META, TRASH } from './layout.js';
import { readExperimentTags } from './read-experiment.js';
import { readRun } from './read-run.js';
import { readEach, readWhole } from './reading.js';
import { storedExperiment } from './stored.js';
import { runFolders } from './walk.js';
import { rewrittenExperiment, rewrittenRun } from './write-meta.js';
import { commit } from './writing.js';

/** What is cut off half-way is finished by a second call: the folder moves last. */
export async function deleteExperiment(context: Context, id: string): Promise<void> {
  if (id === DEFAULT_EXPERIMENT.id) {
    throw new StoreError(
      'INTERNAL_ERROR',
      `Cannot delete the default experiment '${id}'. This is an internally reserved experiment.`,
    );
  }
  const folder = findExperiment(context, id, 'ACTIVE_ONLY');
  if (folder === undefined) throw notFound(`Could not find experiment with ID ${id}`);
  const time = context.now();
  await moveRuns(context, folder, 'deleted', time);
  await changeStage(context, id, 'deleted', time);
  const trash = join(context.root, TRASH);
  makeFolder(trash);
  moveFolder(folder, join(trash, basename(folder)));
}

/** The folder moves first, as with MLflow. */
export async function restoreExperiment(context: Context, id: string): Promise<void> {
  const trashed = findExperiment(context, id, 'DELETED_ONLY');
  if (trashed === undefined) throw notFound(`Could not find deleted experiment with ID ${id}`);
  if (findExperiment(context, id, 'ACTIVE_ONLY') !== undefined) {
    throw new StoreError(
      'RESOURCE_ALREADY_EXISTS',
      `Cannot restore experiment with ID ${id}. An experiment with same ID already exists.`,
    );
  }
  const folder = join(context.root, id);
  moveFolder(trashed, folder);
  await moveRuns(context, folder, 'active', undefined);
  await changeStage(context, id, 'active', context.now());
}

async function changeStage(context: Context, id: string, stage: LifecycleStage, time: number): Promise<void> {
  const changes = await readWhole(context, (report) => {
    const stored = storedExperiment(context, id);
    const tags = readExperimentTags(context.files, stored.folder, report);
    const changes = new Changes(stored.folder, context.syncsAll);
    const change = { lifecycle_stage: stage, last_update_time: time };
    changes.putMeta(join(stored.folder, META), rewrittenExperiment(stored, change, tags));
    return changes;
  });
  await commit(changes);
}

/** So many metas are written at a time. */
const AT_ONCE = 100;

/** All runs that are not in that stage yet. One that cannot be read stays as it is, with a warning. */
async function moveRuns(
  context: Context,
  folder: string,
  stage: LifecycleStage,
  time: number | undefined,
): Promise<void> {
  const runs = await readEach(context, runFolders(context.files, folder), (run) => {
    const stored = readRun(context.files, run);
    return stored?.info.lifecycle_stage === stage ? undefined : stored;
  });
  for (let at = 0; at < runs.length; at += AT_ONCE) {
    const commits = runs.slice(at, at + AT_ONCE).map((stored) => {
      const changes = new Changes(stored.folder, context.syncsAll);
      changes.putMeta(
        join(stored.folder, META),
        rewrittenRun(stored, { ...stored.info, lifecycle_stage: stage }, time),
      );
      return commit(changes);
    });
    await Promise.all(commits);
  }
}

function moveFolder(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    throw new StoreError('INTERNAL_ERROR', messageOf(error), { cause: error });
  }
}
