import { datasetsIn, isTrashed, readExperimentTags, type StoredExperiment } from '../../store/file/reader.js';
import type { Values } from '../record.js';
import { type Context, experimentNumber, idOf, integerIn, textIn, workspaceIn } from './context.js';
import { steady } from './steady.js';

export function experimentValues({ folder, experiment, meta }: StoredExperiment): Values {
  return {
    experiment_id: experimentNumber(experiment.experiment_id),
    name: experiment.name,
    artifact_location: textIn(meta, 'artifact_location') ?? null,
    // Releases before 0.8 said it by the folder alone.
    lifecycle_stage: isTrashed(folder) ? 'deleted' : experiment.lifecycle_stage,
    creation_time: integerIn(meta, 'creation_time') ?? null,
    last_update_time: integerIn(meta, 'last_update_time') ?? null,
    workspace: workspaceIn(meta),
  };
}

/** An experiment with its tags and datasets. */
export function addExperiment(stored: StoredExperiment, { rows, report }: Context): void {
  const { folder, experiment } = stored;
  const values = experimentValues(stored);
  const { experiment_id } = values;
  rows.add('experiments', values);
  for (const { key, value } of readExperimentTags(steady, folder, report)) {
    rows.add('experiment_tags', { key, value, experiment_id });
  }
  const seen = new Set<string>();
  for (const { dataset } of datasetsIn(steady, folder, report)) {
    const dataset_uuid = datasetId(experiment.experiment_id, dataset);
    if (seen.has(dataset_uuid)) continue;
    seen.add(dataset_uuid);
    rows.add('datasets', {
      dataset_uuid,
      experiment_id,
      name: dataset.name,
      digest: dataset.digest,
      dataset_source_type: dataset.source_type,
      dataset_source: dataset.source,
      dataset_schema: dataset.schema ?? null,
      dataset_profile: dataset.profile ?? null,
    });
  }
}

/** Files name a dataset within its experiment only, databases in all of them. @param experiment its id in the file store */
export const datasetId = (experiment: string, { name, digest }: { readonly name: string; readonly digest: string }) =>
  idOf('dataset', experiment, name, digest);
