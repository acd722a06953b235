/** Where a record is: the folders of experiments, runs, logged models and traces, by their ids. */
import { join } from 'node:path';
import { StoreError } from '../errors.js';
import type { ViewType } from '../records.js';
import type { Context } from './context.js';
import { statOf } from './files.js';
import { isName } from './ids.js';
import { ARTIFACTS, isExperimentFolder, METRICS, PARAMS, TRASH } from './layout.js';
import { experimentFolders } from './walk.js';

export const notFound = (message: string): StoreError => new StoreError('RESOURCE_DOES_NOT_EXIST', message);

const isFolder = (path: string): boolean => statOf(path)?.isDirectory() ?? false;

/** The folder of an experiment; undefined where there is none in that view. */
export function findExperiment({ root }: Context, id: string, view: ViewType = 'ALL'): string | undefined {
  if (!isName(id)) return undefined;
  const active = join(root, id);
  if (view !== 'DELETED_ONLY' && isExperimentFolder(id) && isFolder(active)) return active;
  const deleted = join(root, TRASH, id);
  return view !== 'ACTIVE_ONLY' && isFolder(deleted) ? deleted : undefined;
}

/** @throws StoreError in the words for an experiment that something is to be found in */
export function neededExperiment(context: Context, id: string, view: ViewType = 'ALL'): string {
  const folder = findExperiment(context, id, view);
  if (folder === undefined) throw notFound(`Experiment ${id} does not exist.`);
  return folder;
}

/** Folders of all experiments, the living first. */
function allExperiments({ files, root }: Context): string[] {
  const { active, deleted } = experimentFolders(files, root);
  return [...active, ...deleted];
}

const KNOWN_RUNS = 50_000;

/** The folder of a run. MLflow takes none for one that lacks a folder which every run is made with: artifacts can hold all else. */
export function findRun(context: Context, id: string): string | undefined {
  const places = context.runPlaces;
  const place = places.get(id);
  if (place !== undefined && isRunFolder(context, join(place, id))) return join(place, id);
  for (const experiment of allExperiments(context)) {
    const folder = join(experiment, id);
    if (!isFolder(folder) || !isRunFolder(context, folder)) continue;
    if (places.size >= KNOWN_RUNS) places.clear();
    places.set(id, experiment);
    return folder;
  }
  return undefined;
}

const MADE_WITH = [METRICS, PARAMS, ARTIFACTS];

function isRunFolder({ files, root }: Context, folder: string): boolean {
  if (folder.slice(root.length).split('/').slice(0, -1).includes(ARTIFACTS)) return false;
  const within = files.folders(folder);
  return within !== undefined && MADE_WITH.every((name) => within.includes(name));
}

/** The folder of a logged model or a trace, by the folder of an experiment in which they are kept. */
export function findIn(
  context: Context,
  kept: string,
  id: string,
  { deleted }: { deleted: boolean },
): string | undefined {
  if (!isName(id)) return undefined;
  const { active, deleted: trashed } = experimentFolders(context.files, context.root);
  for (const experiment of deleted ? [...active, ...trashed] : active) {
    const folder = join(experiment, kept, id);
    if (isFolder(folder)) return folder;
  }
  return undefined;
}
