/**
 * What a store holds, in the names of MLflow's REST API, which are those of its Python entities too: a record goes out as it
 * is. A field that has no value is `undefined` or left out, never null. Times are integer milliseconds since the epoch, but
 * for those of spans. Integers are those that a JavaScript number holds exactly (up to 2^53 - 1).
 */

export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

export type LifecycleStage = 'active' | 'deleted';

/** Which of the living and the deleted a search is about. */
export type ViewType = 'ACTIVE_ONLY' | 'DELETED_ONLY' | 'ALL';

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Opaque; absent on the last page. */
  readonly next_page_token?: string | undefined;
}

export interface Experiment {
  readonly experiment_id: string;
  readonly name: string;
  readonly artifact_location: string;
  readonly lifecycle_stage: LifecycleStage;
  readonly creation_time?: number | undefined;
  readonly last_update_time?: number | undefined;
  readonly tags: readonly KeyValue[];
}

export const RUN_STATUSES = ['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export interface RunInfo {
  readonly run_id: string;
  readonly run_name?: string | undefined;
  readonly experiment_id: string;
  readonly user_id?: string | undefined;
  readonly status: RunStatus;
  readonly start_time?: number | undefined;
  readonly end_time?: number | undefined;
  readonly artifact_uri?: string | undefined;
  readonly lifecycle_stage: LifecycleStage;
}

/** A point of a metric. `value` may be NaN, and the infinities may be there as the largest doubles, where a database keeps them so. */
export interface Metric {
  readonly key: string;
  readonly value: number;
  readonly timestamp: number;
  readonly step: number;
  readonly dataset_name?: string | undefined;
  readonly dataset_digest?: string | undefined;
  readonly model_id?: string | undefined;
  readonly run_id?: string | undefined;
}

export interface Dataset {
  readonly name: string;
  readonly digest: string;
  readonly source_type: string;
  readonly source: string;
  readonly schema?: string | undefined;
  readonly profile?: string | undefined;
}

export interface DatasetInput {
  readonly tags: readonly KeyValue[];
  readonly dataset: Dataset;
}

export interface ModelInput {
  readonly model_id: string;
}

export interface ModelOutput {
  readonly model_id: string;
  readonly step: number;
}

export interface Run {
  readonly info: RunInfo;
  readonly data: {
    /** The latest point of each metric: of the largest step, then time, then value. */
    readonly metrics: readonly Metric[];
    readonly params: readonly KeyValue[];
    readonly tags: readonly KeyValue[];
  };
  readonly inputs: { readonly dataset_inputs: readonly DatasetInput[]; readonly model_inputs: readonly ModelInput[] };
  readonly outputs: { readonly model_outputs: readonly ModelOutput[] };
}

/** The datasets that were logged in an experiment, each once for each context. */
export interface DatasetSummary {
  readonly experiment_id: string;
  readonly name: string;
  readonly digest: string;
  readonly context?: string | undefined;
}

export const LOGGED_MODEL_STATUSES = [
  'LOGGED_MODEL_STATUS_UNSPECIFIED',
  'LOGGED_MODEL_PENDING',
  'LOGGED_MODEL_READY',
  'LOGGED_MODEL_UPLOAD_FAILED',
] as const;
export type LoggedModelStatus = (typeof LOGGED_MODEL_STATUSES)[number];

export interface LoggedModel {
  readonly info: {
    readonly model_id: string;
    readonly experiment_id: string;
    readonly name: string;
    readonly creation_timestamp_ms: number;
    readonly last_updated_timestamp_ms: number;
    readonly artifact_uri: string;
    readonly status: LoggedModelStatus;
    readonly model_type?: string | undefined;
    readonly source_run_id?: string | undefined;
    readonly status_message?: string | undefined;
    readonly tags: readonly KeyValue[];
  };
  readonly data: { readonly params: readonly KeyValue[]; readonly metrics: readonly Metric[] };
}

export type TraceState = 'STATE_UNSPECIFIED' | 'OK' | 'ERROR' | 'IN_PROGRESS';

/** Any value of JSON, as Python tells them apart: an integer is a bigint, a float is a number, and 1 is not 1.0. */
export type Json = string | number | bigint | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export interface Assessment {
  readonly assessment_id: string;
  readonly assessment_name: string;
  readonly trace_id: string;
  readonly span_id?: string | undefined;
  readonly source: { readonly source_type: string; readonly source_id?: string | undefined };
  readonly create_time: number;
  readonly last_update_time: number;
  /** One of these three says what kind of assessment it is. */
  readonly feedback?: { readonly value?: Json | undefined; readonly error?: AssessmentError | undefined } | undefined;
  readonly expectation?: { readonly value: Json } | undefined;
  readonly issue?: { readonly issue_name?: string | undefined } | undefined;
  readonly rationale?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** The assessment that this one takes the place of. */
  readonly overrides?: string | undefined;
  /** False once another one has taken its place. */
  readonly valid: boolean;
}

export interface AssessmentError {
  readonly error_code: string;
  readonly error_message?: string | undefined;
  readonly stack_trace?: string | undefined;
}

export interface TraceInfo {
  readonly trace_id: string;
  readonly experiment_id: string;
  readonly client_request_id?: string | undefined;
  readonly request_preview?: string | undefined;
  readonly response_preview?: string | undefined;
  readonly request_time: number;
  readonly execution_duration?: number | undefined;
  readonly state: TraceState;
  readonly trace_metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly assessments: readonly Assessment[];
}

/**
 * A span as it is kept: JSON text of what MLflow's `Span.to_dict()` gives. Its ids are base64, its times integer nanoseconds
 * since the epoch, its attributes JSON texts.
 */
export interface Span {
  readonly trace_id: string;
  /** 16 hexadecimal digits. */
  readonly span_id: string;
  readonly content: string;
}

/** A span that comes in: what its `Span.to_dict()` gives, before it is made ready to be kept. */
export interface NewSpan {
  readonly trace_id: string;
  readonly content: { readonly [key: string]: Json };
  /** Attributes of what made it, as `service.name`. */
  readonly resource?: { readonly [key: string]: Json } | undefined;
}

export interface Trace {
  readonly info: TraceInfo;
  readonly spans: readonly Span[];
}

export interface RegisteredModel {
  readonly name: string;
  readonly creation_timestamp?: number | undefined;
  readonly last_updated_timestamp?: number | undefined;
  readonly description?: string | undefined;
  readonly latest_versions: readonly ModelVersion[];
  readonly tags: readonly KeyValue[];
  readonly aliases: readonly { readonly alias: string; readonly version: string }[];
}

export const MODEL_STAGES = ['None', 'Staging', 'Production', 'Archived'] as const;

export interface ModelVersion {
  readonly name: string;
  readonly version: string;
  readonly creation_timestamp?: number | undefined;
  readonly last_updated_timestamp?: number | undefined;
  readonly user_id?: string | undefined;
  readonly current_stage?: string | undefined;
  readonly description?: string | undefined;
  readonly source?: string | undefined;
  readonly run_id?: string | undefined;
  readonly run_link?: string | undefined;
  readonly status: 'PENDING_REGISTRATION' | 'FAILED_REGISTRATION' | 'READY';
  readonly status_message?: string | undefined;
  readonly tags: readonly KeyValue[];
  readonly aliases: readonly string[];
  readonly model_id?: string | undefined;
  readonly model_params: readonly { readonly name: string; readonly value: string }[];
  readonly model_metrics: readonly Metric[];
}
