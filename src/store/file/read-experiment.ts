/** An experiment as its folder has it, old layouts included. */
import { basename, join } from 'node:path';
import type { Experiment } from '../records.js';
import { Damage, type Report } from './damage.js';
import { Fields } from './fields.js';
import type { Files } from './files.js';
import { META, TAGS, TRASH } from './layout.js';
import { readValues } from './read-values.js';
import { readYaml } from './yaml/read.js';
import type { YamlMap } from './yaml/resolve.js';

export interface StoredExperiment {
  readonly folder: string;
  /** Without tags, which are files of their own. */
  readonly experiment: Omit<Experiment, 'tags'>;
  /** All of meta.yaml, with what only other releases know. */
  readonly meta: YamlMap;
}

export const LIFECYCLE_STAGES = ['active', 'deleted'] as const;

/** @throws {Damage} where meta.yaml is missing, or is not that of this folder */
export function readExperiment(files: Files, folder: string): StoredExperiment {
  const meta = files.read(join(folder, META), experimentIn);
  if (meta === undefined) throw new Damage({ path: join(folder, META), reason: 'is missing' });
  const { experiment_id } = meta.experiment;
  if (experiment_id !== basename(folder)) {
    throw new Damage({ path: join(folder, META), reason: `belongs to experiment ${experiment_id}` });
  }
  if (!isTrashed(folder)) return { folder, ...meta };
  // Releases before 1.0 left the stage as it was when they moved the folder.
  return { folder, meta: meta.meta, experiment: { ...meta.experiment, lifecycle_stage: 'deleted' } };
}

function experimentIn(text: string): Omit<StoredExperiment, 'folder'> {
  const meta = readYaml(text);
  const fields = new Fields(meta);
  const experiment = {
    experiment_id: fields.neededText('experiment_id'),
    name: fields.neededText('name'),
    artifact_location: fields.text('artifact_location') ?? '',
    // Releases before 0.8 knew no deletion.
    lifecycle_stage: fields.choice('lifecycle_stage', LIFECYCLE_STAGES, 'active'),
    // These two came with 1.29.
    creation_time: fields.integer('creation_time'),
    last_update_time: fields.integer('last_update_time'),
  };
  return { experiment, meta };
}

export const readExperimentTags = (files: Files, folder: string, report: Report) =>
  readValues(files, join(folder, TAGS), report);

/** Whether the experiment is among the deleted. */
export const isTrashed = (folder: string): boolean => basename(join(folder, '..')) === TRASH;
