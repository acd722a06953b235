/** Experiments, runs, metrics and datasets, as MLflow's answers have them. */
import {
  type Dataset,
  type DatasetInput,
  type DatasetSummary,
  type Experiment,
  type KeyValue,
  type Metric,
  type ModelInput,
  type ModelOutput,
  RUN_STATUSES,
  type Run,
  type RunInfo,
} from '../../store/records.js';
import { choiceOf, double, int64, list, mapped, optional, record, repeatedText, text } from '../wire/write.js';

export const keyValue = record<KeyValue>('KeyValue', { key: text, value: text });

const lifecycleStage = choiceOf(['active', 'deleted']);

export interface AnsweredExperiment extends Experiment {
  readonly workspace: string;
}

export const experiment = record<AnsweredExperiment>('Experiment', {
  experiment_id: text,
  name: text,
  artifact_location: text,
  lifecycle_stage: lifecycleStage,
  last_update_time: optional(int64),
  creation_time: optional(int64),
  tags: list(keyValue),
  workspace: text,
});

export const metric = record<Metric>('Metric', {
  key: repeatedText(),
  value: double,
  timestamp: int64,
  step: int64,
  dataset_name: optional(text),
  dataset_digest: optional(text),
  model_id: optional(text),
  run_id: optional(text),
});

export const metricWithRunId = record<Metric & { readonly run_id: string }>('MetricWithRunId', {
  key: repeatedText(),
  value: double,
  timestamp: int64,
  step: int64,
  run_id: repeatedText(),
});

/** `run_uuid` is what the id was called before; `user_id` is there even where nobody is named. */
interface AnsweredRunInfo extends RunInfo {
  readonly run_uuid: string;
  readonly user_id: string;
}

export const runInfo = mapped<RunInfo, AnsweredRunInfo>(
  record<AnsweredRunInfo>('RunInfo', {
    run_uuid: text,
    experiment_id: text,
    run_name: optional(text),
    user_id: text,
    status: choiceOf(RUN_STATUSES),
    start_time: optional(int64),
    end_time: optional(int64),
    artifact_uri: optional(text),
    lifecycle_stage: lifecycleStage,
    run_id: text,
  }),
  (info) => ({
    ...info,
    run_uuid: info.run_id,
    user_id: info.user_id ?? '',
    end_time: info.end_time || undefined,
    artifact_uri: info.artifact_uri || undefined,
  }),
);

const dataset = record<Dataset>('Dataset', {
  name: text,
  digest: text,
  source_type: text,
  source: text,
  schema: optional(text),
  profile: optional(text),
});

const datasetInput = record<DatasetInput>('DatasetInput', { tags: list(keyValue), dataset });
const modelInput = record<ModelInput>('ModelInput', { model_id: text });
const modelOutput = record<ModelOutput>('ModelOutput', { model_id: text, step: int64 });

const runData = record<Run['data']>('RunData', {
  metrics: list(metric),
  params: list(keyValue),
  tags: list(keyValue),
});
const runInputs = record<Run['inputs']>('RunInputs', {
  dataset_inputs: list(datasetInput),
  model_inputs: list(modelInput),
});

const runOutputs = record<Run['outputs']>('RunOutputs', { model_outputs: list(modelOutput) });

/** As it is answered when it has been made: MLflow's database does not speak of what it gave, its files do. */
export interface NewRun extends Omit<Run, 'outputs'> {
  readonly outputs: Run['outputs'] | undefined;
}
export const newRun = record<NewRun>('NewRun', {
  info: runInfo,
  data: runData,
  inputs: runInputs,
  outputs: optional(runOutputs),
});

export const run = record<Run>('Run', { info: runInfo, data: runData, inputs: runInputs, outputs: runOutputs });

export const datasetSummary = record<DatasetSummary>('DatasetSummary', {
  experiment_id: text,
  name: text,
  digest: text,
  context: optional(text),
});
