/**
 * meta.yaml written anew, with what MLflow writes. What only other releases know stays: a newer MLflow beside us would miss
 * it, and so would an older one.
 */
import type { Experiment, KeyValue, RunInfo } from '../records.js';
import type { StoredExperiment } from './read-experiment.js';
import { type StoredRun, statusNumber } from './read-run.js';
import type { YamlMap } from './yaml/resolve.js';
import { type Writable, writeYaml } from './yaml/write.js';

type Changed<Type> = { readonly [Key in keyof Type]?: Type[Key] | undefined };

/** As MLflow does, which keeps tags in files of their own, they are in meta.yaml too from the first change on. */
export function rewrittenExperiment(
  { experiment, meta }: StoredExperiment,
  change: Changed<Pick<Experiment, 'name' | 'lifecycle_stage' | 'last_update_time'>>,
  tags: readonly KeyValue[],
): string {
  return writeYaml({
    effective_trace_archival_retention: null,
    trace_location: null,
    workspace: 'default',
    ...writable(meta),
    ...experiment,
    ...change,
    tags: Object.fromEntries(tags.map(({ key, value }) => [key, value])),
  });
}

/** @param deletedTime is taken out where there is none */
export function rewrittenRun({ meta }: Pick<StoredRun, 'meta'>, info: RunInfo, deletedTime?: number): string {
  const { deleted_time, ...rest } = writable(meta);
  const deleted = deletedTime === undefined ? {} : { deleted_time: deletedTime };
  return writeYaml({ ...FOR_OLDER, ...rest, ...fieldsOf(info), ...deleted });
}

export const newRun = (info: RunInfo): string => writeYaml({ ...FOR_OLDER, ...fieldsOf(info) });

const LOCAL = 4;

/** What older releases want to find. */
const FOR_OLDER = { entry_point_name: '', source_name: '', source_type: LOCAL, source_version: '', tags: [] };

const fieldsOf = (info: RunInfo): Record<string, Writable> => ({
  artifact_uri: info.artifact_uri ?? '',
  end_time: info.end_time,
  experiment_id: info.experiment_id,
  lifecycle_stage: info.lifecycle_stage,
  run_id: info.run_id,
  run_name: info.run_name ?? '',
  start_time: info.start_time ?? 0,
  status: statusNumber(info.status),
  user_id: info.user_id ?? '',
});

const writable = (meta: YamlMap): Record<string, Writable> => ({ ...meta });
