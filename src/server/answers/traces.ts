/** Traces and assessments, as MLflow's answers have them: in version 3, and in version 2 for clients before 3.0. */
import type { Assessment, Json, KeyValue, Trace, TraceInfo } from '../../store/records.js';
import { spanJson } from '../spans/otlp-json.js';
import { pythonDumps } from '../wire/python.js';
import { duration, timestamp } from '../wire/times.js';
import {
  anything,
  choiceOf,
  flag,
  int64,
  list,
  mapOf,
  mapped,
  object,
  optional,
  record,
  text,
  type Writer,
} from '../wire/write.js';
import { keyValue } from './tracking.js';

/** Characters of keys and values that MLflow sends of metadata and tags. */
const METADATA = 250;
const TAG_VALUE = 4096;
/** Characters of a stack trace; of a longer one, the end. */
const STACK_TRACE = 10_000;
const CUT = '[Stack trace is truncated]\n...\n';

interface AnsweredAssessment {
  readonly assessment_id: string | undefined;
  readonly assessment_name: string;
  readonly trace_id: string;
  readonly span_id: string | undefined;
  readonly source: Assessment['source'];
  readonly create_time: number;
  readonly last_update_time: number;
  readonly feedback: { readonly value: Json; readonly error: Feedback['error'] } | undefined;
  readonly expectation: AnsweredExpectation | undefined;
  readonly issue: { readonly issue_name: string } | undefined;
  readonly rationale: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly overrides: string | undefined;
  readonly valid: boolean | undefined;
}

type Feedback = NonNullable<Assessment['feedback']>;

interface AnsweredExpectation {
  readonly value: Json | undefined;
  readonly serialized_value: { readonly serialization_format: string; readonly value: string } | undefined;
}

const assessmentFields = record<AnsweredAssessment>('Assessment', {
  assessment_id: optional(text),
  assessment_name: text,
  trace_id: text,
  span_id: optional(text),
  source: object<Assessment['source']>({ source_type: text, source_id: optional(text) }),
  create_time: timestamp,
  last_update_time: timestamp,
  feedback: optional(
    object<{ readonly value: Json; readonly error: Feedback['error'] }>({
      value: anything,
      error: optional(
        object<NonNullable<Feedback['error']>>({
          error_code: text,
          error_message: optional(text),
          stack_trace: optional(mapped(text, cutStackTrace)),
        }),
      ),
    }),
  ),
  expectation: optional(
    object<AnsweredExpectation>({
      value: optional(anything),
      serialized_value: optional(
        object<{ serialization_format: string; value: string }>({ serialization_format: text, value: text }),
      ),
    }),
  ),
  issue: optional(object<{ readonly issue_name: string }>({ issue_name: text })),
  rationale: optional(text),
  metadata: mapOf(text),
  overrides: optional(text),
  valid: optional(flag),
});

export const assessment = mapped<Assessment, AnsweredAssessment>(assessmentFields, (of) => ({
  assessment_id: of.assessment_id,
  assessment_name: of.assessment_name,
  trace_id: of.trace_id,
  span_id: of.span_id,
  source: of.source,
  create_time: of.create_time,
  last_update_time: of.last_update_time,
  feedback: of.feedback && { value: of.feedback.value ?? null, error: of.feedback.error },
  expectation: of.expectation && expectationOf(of.expectation.value),
  issue: of.issue && { issue_name: of.issue.issue_name ?? '' },
  rationale: of.rationale,
  metadata: of.metadata ?? {},
  overrides: of.overrides || undefined,
  valid: of.valid,
}));

/** Lists and objects go as JSON text, as protobuf's Value would lose what is a whole number in them. */
function expectationOf(value: Json): AnsweredExpectation {
  if (value === null || typeof value !== 'object') return { value, serialized_value: undefined };
  return { value: undefined, serialized_value: { serialization_format: 'JSON_FORMAT', value: pythonDumps(value) } };
}

function cutStackTrace(trace: string): string {
  return trace.length <= STACK_TRACE ? trace : CUT + trace.slice(CUT.length - STACK_TRACE);
}

const location = object<{ readonly type: string; readonly mlflow_experiment: { readonly experiment_id: string } }>({
  type: text,
  mlflow_experiment: object<{ readonly experiment_id: string }>({ experiment_id: text }),
});

type AnsweredInfo = Omit<TraceInfo, 'experiment_id'> & {
  readonly trace_location: Parameters<typeof location.write>[0];
};

export const traceInfo = mapped<TraceInfo, AnsweredInfo>(
  record<AnsweredInfo>('TraceInfo', {
    trace_id: text,
    client_request_id: optional(text),
    trace_location: location,
    request_preview: optional(text),
    response_preview: optional(text),
    request_time: timestamp,
    execution_duration: optional(duration),
    state: choiceOf(['STATE_UNSPECIFIED', 'OK', 'ERROR', 'IN_PROGRESS']),
    trace_metadata: mapOf(text),
    assessments: list(assessment),
    tags: mapOf(text),
  }),
  ({ experiment_id, ...info }) => ({
    ...info,
    trace_location: { type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id } },
    trace_metadata: cut(info.trace_metadata, METADATA),
    tags: cut(info.tags, TAG_VALUE),
  }),
);

function cut(texts: Readonly<Record<string, string>>, longest: number): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(texts).map(([key, value]) => [key.slice(0, METADATA), value.slice(0, longest)]),
  );
}

const span: Writer<Trace['spans'][number]> = {
  name: 'Span',
  schema: { type: 'object' },
  write: ({ content }) => spanJson(content),
};

export const trace = record<{ readonly trace_info: TraceInfo; readonly spans: Trace['spans'] }>('Trace', {
  trace_info: traceInfo,
  spans: list(span),
});

/** Of a trace, in MLflow 2's API. */
export interface TraceInfoV2 {
  readonly request_id: string;
  readonly experiment_id: string;
  readonly timestamp_ms: number;
  readonly execution_time_ms: number;
  readonly status: string;
  readonly request_metadata: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
}

const pairs = (texts: Readonly<Record<string, string>>): readonly KeyValue[] =>
  Object.entries(texts).map(([key, value]) => ({ key, value }));

export const traceInfoV2 = mapped<TraceInfo, TraceInfoV2>(
  record<TraceInfoV2>('TraceInfoV2', {
    request_id: text,
    experiment_id: text,
    timestamp_ms: int64,
    execution_time_ms: int64,
    status: text,
    request_metadata: list(keyValue),
    tags: list(keyValue),
  }),
  (info) => ({
    request_id: info.trace_id,
    experiment_id: info.experiment_id,
    timestamp_ms: info.request_time,
    execution_time_ms: info.execution_duration ?? 0,
    status: info.state === 'STATE_UNSPECIFIED' ? 'TRACE_STATUS_UNSPECIFIED' : info.state,
    request_metadata: pairs(cut(info.trace_metadata, METADATA)),
    tags: pairs(cut(info.tags, TAG_VALUE)),
  }),
);
