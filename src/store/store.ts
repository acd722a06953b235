/**
 * The contract of a store of MLflow, by noun: what MLflow's own stores do, with their limits, lifecycle rules and words.
 *
 * A method that refuses throws a StoreError with MLflow's code; every method checks what it is given before it changes
 * anything, and changes all of it or nothing. A write is on the disk, or committed, when its promise resolves. Requests are in
 * the names of MLflow's REST API, and of the right types already: the server sees to that. A filter, an order and a page
 * token are texts, read by src/store/search. `max_results` is checked by the store, whose limits they are.
 */
import type {
  Assessment,
  DatasetInput,
  DatasetSummary,
  Experiment,
  KeyValue,
  LoggedModel,
  LoggedModelStatus,
  Metric,
  ModelInput,
  ModelOutput,
  ModelVersion,
  NewSpan,
  Page,
  RegisteredModel,
  Run,
  RunInfo,
  RunStatus,
  Trace,
  TraceInfo,
  TraceState,
  ViewType,
} from './records.js';

type Optional<Type> = { readonly [Key in keyof Type]?: Type[Key] | undefined };

/** A question for a page of what is searched. Absent `max_results` is MLflow's default for the noun. */
export interface Question {
  readonly filter?: string | undefined;
  readonly order_by?: readonly string[] | undefined;
  readonly max_results?: number | undefined;
  readonly page_token?: string | undefined;
}

export interface Experiments {
  /** The id of the new one. Its artifacts are under `artifact_location`, else under the store's root. */
  create(
    request: { readonly name: string; readonly tags: readonly KeyValue[] } & Optional<{ artifact_location: string }>,
  ): Promise<string>;
  /** In any stage. @throws StoreError RESOURCE_DOES_NOT_EXIST */
  get(experimentId: string): Promise<Experiment>;
  /** In any stage; undefined when there is none. */
  getByName(name: string): Promise<Experiment | undefined>;
  search(question: Question & { readonly view_type?: ViewType | undefined }): Promise<Page<Experiment>>;
  /** Deletes its runs with it; nothing is removed for good. */
  delete(experimentId: string): Promise<void>;
  restore(experimentId: string): Promise<void>;
  rename(experimentId: string, name: string): Promise<void>;
  setTag(experimentId: string, tag: KeyValue): Promise<void>;
  deleteTag(experimentId: string, key: string): Promise<void>;
}

export interface Batch {
  readonly metrics: readonly Metric[];
  readonly params: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
}

export interface Runs {
  create(
    request: { readonly experiment_id: string; readonly tags: readonly KeyValue[] } & Optional<{
      user_id: string;
      start_time: number;
      run_name: string;
    }>,
  ): Promise<Run>;
  /** In any stage. @throws StoreError RESOURCE_DOES_NOT_EXIST */
  get(runId: string): Promise<Run>;
  /** What is given changes, the rest stays. */
  update(runId: string, change: Optional<{ status: RunStatus; end_time: number; run_name: string }>): Promise<RunInfo>;
  delete(runId: string): Promise<void>;
  restore(runId: string): Promise<void>;
  search(
    question: Question & { readonly experiment_ids: readonly string[]; readonly run_view_type?: ViewType | undefined },
  ): Promise<Page<Run>>;
  logMetric(runId: string, metric: Metric): Promise<void>;
  logParam(runId: string, param: KeyValue): Promise<void>;
  logBatch(runId: string, batch: Batch): Promise<void>;
  setTag(runId: string, tag: KeyValue): Promise<void>;
  deleteTag(runId: string, key: string): Promise<void>;
  logInputs(runId: string, datasets: readonly DatasetInput[], models: readonly ModelInput[]): Promise<void>;
  logOutputs(runId: string, models: readonly ModelOutput[]): Promise<void>;
  /** Writes the model's flavours into the tag mlflow.log-model.history. @param model JSON of an MLmodel file */
  recordModel(runId: string, model: Readonly<Record<string, unknown>>): Promise<void>;
  searchDatasets(experimentIds: readonly string[]): Promise<readonly DatasetSummary[]>;
}

export interface Metrics {
  /** Every point, in the order in which MLflow's store of this kind gives them. */
  history(
    runId: string,
    key: string,
    page?: Optional<{ max_results: number; page_token: string }>,
  ): Promise<Page<Metric>>;
  /**
   * Points of one metric of several runs, sampled to about `max_results` steps of each, ends included.
   * @param range both ends, inclusive; else all steps
   */
  historyInterval(
    runIds: readonly string[],
    key: string,
    maxResults: number,
    range?: { readonly start_step?: number | undefined; readonly end_step?: number | undefined },
  ): Promise<readonly (Metric & { readonly run_id: string })[]>;
  /** Up to `maxResults` points of one metric over several runs, by run, then by time, step and value. */
  historyBulk(
    runIds: readonly string[],
    key: string,
    maxResults: number,
  ): Promise<readonly (Metric & { readonly run_id: string })[]>;
}

export interface LoggedModels {
  create(
    request: {
      readonly experiment_id: string;
      readonly params: readonly KeyValue[];
      readonly tags: readonly KeyValue[];
    } & Optional<{ name: string; model_type: string; source_run_id: string }>,
  ): Promise<LoggedModel>;
  /** Not a deleted one, unless that is allowed. @throws StoreError RESOURCE_DOES_NOT_EXIST */
  get(modelId: string, allowDeleted?: boolean): Promise<LoggedModel>;
  search(
    question: Omit<Question, 'order_by'> & {
      readonly experiment_ids: readonly string[];
      readonly datasets?:
        | readonly { readonly dataset_name: string; readonly dataset_digest?: string | undefined }[]
        | undefined;
      readonly order_by?: readonly LoggedModelOrderBy[] | undefined;
    },
  ): Promise<Page<LoggedModel>>;
  finalize(modelId: string, status: LoggedModelStatus): Promise<LoggedModel>;
  delete(modelId: string): Promise<void>;
  setTags(modelId: string, tags: readonly KeyValue[]): Promise<void>;
  deleteTag(modelId: string, key: string): Promise<void>;
  logParams(modelId: string, params: readonly KeyValue[]): Promise<void>;
}

export interface LoggedModelOrderBy {
  readonly field_name: string;
  readonly ascending?: boolean | undefined;
  readonly dataset_name?: string | undefined;
  readonly dataset_digest?: string | undefined;
}

export interface Traces {
  /** Creates the trace, or merges into the one that spans made before. */
  start(trace: TraceInfo): Promise<TraceInfo>;
  /** A trace of a client before MLflow 3: made when it begins, under an id that the store gives. */
  begin(trace: {
    readonly experiment_id: string;
    readonly timestamp_ms: number;
    readonly request_metadata: Readonly<Record<string, string>>;
    readonly tags: Readonly<Record<string, string>>;
  }): Promise<TraceInfo>;
  /** @param end the time and state that it ended at and in; metadata and tags are added to those that it has */
  end(
    traceId: string,
    end: {
      readonly timestamp_ms: number;
      readonly state: TraceState;
      readonly request_metadata: Readonly<Record<string, string>>;
      readonly tags: Readonly<Record<string, string>>;
    },
  ): Promise<TraceInfo>;
  getInfo(traceId: string): Promise<TraceInfo>;
  /** Infos of those that exist, in the order that was asked for. @param experimentIds to leave out traces of others */
  getInfos(traceIds: readonly string[], experimentIds?: readonly string[]): Promise<readonly TraceInfo[]>;
  search(
    question: Question & { readonly experiment_ids: readonly string[]; readonly model_id?: string | undefined },
  ): Promise<Page<TraceInfo>>;
  /** How many were deleted: those named, or the oldest up to a time. They are gone for good. */
  delete(
    experimentId: string,
    which: Optional<{ max_timestamp_millis: number; max_traces: number; trace_ids: readonly string[] }>,
  ): Promise<number>;
  setTag(traceId: string, key: string, value: string): Promise<void>;
  deleteTag(traceId: string, key: string): Promise<void>;
  linkToRun(traceIds: readonly string[], runId: string): Promise<void>;
  /** With versions of prompts, which are registered models. */
  linkPrompts(traceId: string, prompts: readonly { readonly name: string; readonly version: string }[]): Promise<void>;
  createAssessment(assessment: NewAssessment): Promise<Assessment>;
  getAssessment(traceId: string, assessmentId: string): Promise<Assessment>;
  updateAssessment(traceId: string, assessmentId: string, change: AssessmentChange): Promise<Assessment>;
  deleteAssessment(traceId: string, assessmentId: string): Promise<void>;
  /** Null where spans are kept as artifacts: in the file store. */
  readonly spans: Spans | null;
}

/** Spans in the store itself. */
export interface Spans {
  /** Writes spans, and makes or updates the traces that they belong to. */
  log(experimentId: string, spans: readonly NewSpan[]): Promise<void>;
  /** A trace with its spans. One that is not complete yet is waited for some seconds, unless `allowPartial`. @throws StoreError */
  getTrace(traceId: string, allowPartial: boolean): Promise<Trace>;
  /** Those that exist and are complete. @param experimentIds to leave out traces of others */
  getTraces(traceIds: readonly string[], experimentIds?: readonly string[]): Promise<readonly Trace[]>;
}

/** `assessment_id` and times are given by who imports; else the store makes them. */
export type NewAssessment = Omit<Assessment, 'assessment_id' | 'create_time' | 'last_update_time' | 'valid'> &
  Optional<Pick<Assessment, 'assessment_id' | 'create_time' | 'last_update_time' | 'valid'>>;

export type AssessmentChange = Optional<
  Pick<Assessment, 'assessment_name' | 'feedback' | 'expectation' | 'rationale' | 'metadata'>
>;

export interface Registry {
  readonly models: RegisteredModels;
  readonly versions: ModelVersions;
}

export interface RegisteredModels {
  create(
    request: { readonly name: string; readonly tags: readonly KeyValue[] } & Optional<{ description: string }>,
  ): Promise<RegisteredModel>;
  get(name: string): Promise<RegisteredModel>;
  update(name: string, description: string): Promise<RegisteredModel>;
  rename(name: string, newName: string): Promise<RegisteredModel>;
  /** With its versions, tags and aliases, for good. */
  delete(name: string): Promise<void>;
  search(question: Question): Promise<Page<RegisteredModel>>;
  /** The newest version of each stage that is asked for, or of each there is. */
  latestVersions(name: string, stages?: readonly string[]): Promise<readonly ModelVersion[]>;
  setTag(name: string, tag: KeyValue): Promise<void>;
  deleteTag(name: string, key: string): Promise<void>;
  setAlias(name: string, alias: string, version: string): Promise<void>;
  deleteAlias(name: string, alias: string): Promise<void>;
  getByAlias(name: string, alias: string): Promise<ModelVersion>;
}

export interface ModelVersions {
  create(
    request: { readonly name: string; readonly source: string; readonly tags: readonly KeyValue[] } & Optional<{
      run_id: string;
      run_link: string;
      description: string;
      model_id: string;
    }>,
  ): Promise<ModelVersion>;
  get(name: string, version: string): Promise<ModelVersion>;
  update(name: string, version: string, description: string): Promise<ModelVersion>;
  transitionStage(name: string, version: string, stage: string, archiveExisting: boolean): Promise<ModelVersion>;
  delete(name: string, version: string): Promise<void>;
  search(question: Question): Promise<Page<ModelVersion>>;
  /** Undefined for a version that names no place. */
  downloadUri(name: string, version: string): Promise<string | undefined>;
  setTag(name: string, version: string, tag: KeyValue): Promise<void>;
  deleteTag(name: string, version: string, key: string): Promise<void>;
}

export interface Store {
  readonly experiments: Experiments;
  readonly runs: Runs;
  readonly metrics: Metrics;
  readonly loggedModels: LoggedModels;
  readonly traces: Traces;
  /** Null where the store keeps no registry: MLflow's registry asks for a database. */
  readonly registry: Registry | null;
  /** Waits for writes under way, then gives up what is held. */
  close(): Promise<void>;
}

/** What an opener is told beside the URI. */
export interface StoreOptions {
  /** Where artifacts of experiments go that name no place of their own: `--default-artifact-root`. */
  readonly artifactRoot: string;
  /** MLflow's where nothing is said. */
  readonly limits?: Limits | undefined;
}

/** Limits that MLflow's environment variables set. */
export interface Limits {
  /** Values of params and tags that are too long are cut, not refused (MLFLOW_TRUNCATE_LONG_VALUES). */
  readonly truncateLongValues: boolean;
  /** In characters, of an experiment's artifact location (MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH). */
  readonly artifactLocationLength: number;
}
