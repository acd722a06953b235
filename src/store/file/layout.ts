/**
 * Where MLflow's file store keeps what (`mlruns`):
 *
 *     EXPERIMENT/meta.yaml                        deleted ones are in .trash/EXPERIMENT
 *     EXPERIMENT/tags/KEY                         a file for each key, its content the value; a slash in a key is a folder
 *     EXPERIMENT/RUN/meta.yaml
 *     EXPERIMENT/RUN/{metrics,params,tags}/KEY    a line for each point of a metric
 *     EXPERIMENT/RUN/inputs/ID/meta.yaml          which dataset or logged model
 *     EXPERIMENT/RUN/outputs/MODEL/meta.yaml
 *     EXPERIMENT/RUN/artifacts/
 *     EXPERIMENT/datasets/ID/meta.yaml
 *     EXPERIMENT/models/MODEL/meta.yaml           logged models, with metrics, params and tags
 *     EXPERIMENT/traces/TRACE/trace_info.yaml     with tags/KEY, request_metadata/KEY and assessments/ID.yaml
 *     models/NAME/meta.yaml                       the registry: tags/KEY, aliases/NAME, version-N/meta.yaml with tags/KEY
 */
export const META = 'meta.yaml';
export const TRACE_INFO = 'trace_info.yaml';
export const TRASH = '.trash';
export const ARTIFACTS = 'artifacts';
export const METRICS = 'metrics';
export const PARAMS = 'params';
export const TAGS = 'tags';
export const INPUTS = 'inputs';
export const OUTPUTS = 'outputs';
export const DATASETS = 'datasets';
/** Of an experiment its logged models, of the store its registry. */
export const MODELS = 'models';
export const TRACES = 'traces';
export const TRACE_METADATA = 'request_metadata';
export const ASSESSMENTS = 'assessments';

/** Folders of an experiment that are no runs. */
export const NO_RUNS: readonly string[] = [TAGS, DATASETS, TRACES, MODELS];

export const DEFAULT_EXPERIMENT = { id: '0', name: 'Default' } as const;

/** Whether a folder of the store's root can be an experiment. */
export const isExperimentFolder = (name: string): boolean => name !== MODELS && !name.endsWith(TRASH);
