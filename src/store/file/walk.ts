/**
 * A store from end to end, as far as it can be read; see reader.ts. A folder that is no record at all is left out without a
 * word: artifacts may be kept beside runs.
 */
import { join } from 'node:path';
import type { Dataset } from '../records.js';
import { Damage, orReport, type Report } from './damage.js';
import type { Files } from './files.js';
import { DATASETS, isExperimentFolder, META, MODELS, NO_RUNS, TRACES, TRASH } from './layout.js';
import { readExperiment, type StoredExperiment } from './read-experiment.js';
import { readModel, type StoredModel } from './read-model.js';
import { readDataset, readRun, type StoredRun } from './read-run.js';
import { readTrace, type StoredTrace } from './read-trace.js';

/** Folders that are, or should be, experiments: the living, then the deleted. @throws {Damage} where the root cannot be read */
export function experimentFolders(
  files: Files,
  root: string,
): { readonly active: string[]; readonly deleted: string[] } {
  const named = files.folders(root);
  if (named === undefined) throw new Damage({ path: root, reason: 'is no folder' });
  const trash = join(root, TRASH);
  return {
    active: named.filter(isExperimentFolder).map((name) => join(root, name)),
    deleted: (files.folders(trash) ?? []).map((name) => join(trash, name)),
  };
}

/** The living, then the deleted; a folder without meta.yaml is reported. */
export function* experimentsIn(files: Files, root: string, report: Report): Generator<StoredExperiment> {
  const { active, deleted } = experimentFolders(files, root);
  for (const folder of [...active, ...deleted]) {
    const experiment = orReport(report, () => readExperiment(files, folder));
    if (experiment) yield experiment;
  }
}

/** Folders of an experiment that can be runs. */
export const runFolders = (files: Files, experiment: string): string[] =>
  (files.folders(experiment) ?? []).filter((name) => !NO_RUNS.includes(name)).map((name) => join(experiment, name));

/** The living and the deleted. @param experiment its folder */
export function* runsIn(files: Files, experiment: string, report: Report): Generator<StoredRun> {
  yield* recordsIn(
    () => runFolders(files, experiment),
    (folder) => readRun(files, folder),
    report,
  );
}

/** The living and the deleted. @param experiment its folder */
export function* modelsIn(files: Files, experiment: string, report: Report): Generator<StoredModel> {
  yield* recordsIn(
    () => foldersBelow(files, join(experiment, MODELS)),
    (folder) => readModel(files, folder),
    report,
  );
}

/** @param experiment its folder */
export function* tracesIn(files: Files, experiment: string, report: Report): Generator<StoredTrace> {
  yield* recordsIn(
    () => foldersBelow(files, join(experiment, TRACES)),
    (folder) => readTrace(files, folder),
    report,
  );
}

/** Datasets by the ids that inputs of runs know them by. @param experiment its folder */
export function* datasetsIn(
  files: Files,
  experiment: string,
  report: Report,
): Generator<{ readonly id: string; readonly dataset: Dataset }> {
  const parent = join(experiment, DATASETS);
  for (const id of orReport(report, () => files.folders(parent)) ?? []) {
    const folder = join(parent, id);
    const dataset = orReport(report, () => readDataset(files, folder));
    if (dataset) yield { id, dataset };
    else if (!id.startsWith('.'))
      report(new Damage({ path: join(folder, META), reason: 'is missing' }, { slight: true }));
  }
}

const foldersBelow = (files: Files, parent: string) => (files.folders(parent) ?? []).map((name) => join(parent, name));

function* recordsIn<Stored>(
  folders: () => readonly string[],
  read: (folder: string) => Stored | undefined,
  report: Report,
): Generator<Stored> {
  for (const folder of orReport(report, folders) ?? []) {
    const stored = orReport(report, () => read(folder));
    if (stored) yield stored;
  }
}
