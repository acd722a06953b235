import { invalidParameter } from '../../store/errors.js';
import type { Assessment, Json } from '../../store/records.js';
import { readJson } from '../../store/search/index.js';
import type { AssessmentChange, NewAssessment } from '../../store/store.js';
import { assessment } from '../answers/traces.js';
import { done, route } from '../route.js';
import { protobufValue } from '../wire/python.js';
import {
  choice,
  type Field,
  flag,
  type Kind,
  message,
  needed,
  optional,
  type Read,
  text,
  texts,
  Unreadable,
} from '../wire/read.js';
import { timestamp } from '../wire/times.js';
import { object } from '../wire/write.js';

const sourceType = choice({ SOURCE_TYPE_UNSPECIFIED: 0, HUMAN: 1, LLM_JUDGE: 2, CODE: 3 });

/** Any JSON, null included, which other fields take for nothing. */
const value: Field<Json | undefined> = {
  schema: {},
  needed: false,
  repeated: false,
  rules: [],
  looksRight: () => true,
  read: (given) => (given === undefined ? undefined : protobufValue(given)),
};

const errorMessage = message('AssessmentErrorGiven', {
  error_code: optional(text),
  error_message: optional(text),
  stack_trace: optional(text),
});

const feedback = message('FeedbackGiven', { value, error: optional(errorMessage) });

const expectation = message('ExpectationGiven', {
  value,
  serialized_value: optional(
    message('SerializedValue', { serialization_format: optional(text), value: optional(text) }),
  ),
});

const fields = {
  assessment_id: optional(text),
  assessment_name: optional(text),
  trace_id: optional(text),
  span_id: optional(text),
  source: optional(message('AssessmentSourceGiven', { source_type: optional(sourceType), source_id: optional(text) })),
  create_time: optional(timestamp),
  last_update_time: optional(timestamp),
  feedback: optional(feedback),
  expectation: optional(expectation),
  issue: optional(message('IssueReferenceGiven', { issue_name: optional(text) })),
  rationale: optional(text),
  metadata: optional(texts),
  overrides: optional(text),
  valid: optional(flag),
};
type Given = Read<typeof fields>;

export const assessmentGiven = message('AssessmentGiven', fields);

/** @throws {StoreError} INVALID_PARAMETER_VALUE where it is none of the three kinds */
export function newAssessment(given: Given, traceId: string): NewAssessment {
  const { source, metadata } = given;
  return {
    assessment_id: given.assessment_id || undefined,
    assessment_name: given.assessment_name ?? '',
    trace_id: traceId,
    span_id: given.span_id || undefined,
    source: {
      source_type: source?.source_type ?? 'SOURCE_TYPE_UNSPECIFIED',
      source_id: source?.source_id || undefined,
    },
    create_time: given.create_time,
    last_update_time: given.last_update_time,
    rationale: given.rationale || undefined,
    metadata: metadata && Object.keys(metadata).length > 0 ? metadata : undefined,
    overrides: given.overrides || undefined,
    ...kindOf(given),
  };
}

function kindOf(given: Given): Pick<NewAssessment, 'feedback' | 'expectation' | 'issue' | 'valid'> {
  if (given.expectation) return { expectation: { value: expected(given.expectation) } };
  if (given.feedback) return { feedback: feedbackOf(given.feedback), valid: given.valid ?? false };
  if (given.issue) return { issue: { issue_name: given.issue.issue_name ?? '' } };
  throw invalidParameter('Unknown assessment type: None');
}

type GivenFeedback = NonNullable<Given['feedback']>;
type GivenExpectation = NonNullable<Given['expectation']>;

function feedbackOf({ value, error }: GivenFeedback): NonNullable<Assessment['feedback']> {
  return {
    value: value ?? null,
    error: error && {
      error_code: error.error_code ?? '',
      error_message: error.error_message || undefined,
      stack_trace: error.stack_trace || undefined,
    },
  };
}

function expected({ value, serialized_value }: GivenExpectation): Json {
  const found = serialized_value ? parsed(serialized_value.serialization_format, serialized_value.value) : value;
  if (found === undefined || found === null) throw invalidParameter('The `value` field must be specified.');
  return found;
}

function parsed(format: string | undefined, json: string | undefined): Json {
  if (format !== 'JSON_FORMAT') {
    throw invalidParameter(`Unknown serialization format: ${format ?? ''}. Only JSON_FORMAT is supported.`);
  }
  const value = readJson(Buffer.from(json ?? ''));
  if (value === undefined) throw invalidParameter('The serialized value is no JSON.');
  return value;
}

/** Names with commas, in camel case as protobuf writes them. */
const fieldMask: Kind<readonly string[]> = {
  schema: { type: 'string' },
  read: (value) => {
    if (typeof value !== 'string') throw new Unreadable(value);
    const snake = (name: string) => name.trim().replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    return value.split(',').map(snake);
  },
  looksRight: () => true,
};

const oneAssessment = object<{ assessment: Assessment }>({ assessment });

export const assessmentRoutes = [
  route({
    name: 'createAssessment',
    method: 'POST',
    path: '/mlflow/traces/{trace_id}/assessments',
    version: 3,
    request: { assessment: needed(assessmentGiven) },
    answer: oneAssessment,
    handle: async ({ store: { traces } }, { assessment }, { trace_id }) => {
      const made = newAssessment(assessment, trace_id);
      // MLflow's files do not take the times of who asks.
      const times = traces.spans === null ? { create_time: undefined, last_update_time: undefined } : {};
      return { assessment: await traces.createAssessment({ ...made, ...times }) };
    },
  }),
  route({
    name: 'GetAssessment',
    method: 'GET',
    path: '/mlflow/traces/{trace_id}/assessments/{assessment_id}',
    version: 3,
    request: {},
    answer: oneAssessment,
    handle: async ({ store }, _, { trace_id, assessment_id }) => ({
      assessment: await store.traces.getAssessment(trace_id, assessment_id),
    }),
  }),
  route({
    name: 'updateAssessment',
    method: 'PATCH',
    path: '/mlflow/traces/{trace_id}/assessments/{assessment_id}',
    version: 3,
    request: { assessment: needed(assessmentGiven), update_mask: needed(fieldMask) },
    answer: oneAssessment,
    handle: async ({ store }, { assessment, update_mask }, { trace_id, assessment_id }) => ({
      assessment: await store.traces.updateAssessment(trace_id, assessment_id, changeOf(assessment, update_mask)),
    }),
  }),
  route({
    name: 'deleteAssessment',
    method: 'DELETE',
    path: '/mlflow/traces/{trace_id}/assessments/{assessment_id}',
    version: 3,
    request: {},
    answer: done,
    handle: ({ store }, _, { trace_id, assessment_id }) => store.traces.deleteAssessment(trace_id, assessment_id),
  }),
];

function changeOf(given: Given, mask: readonly string[]): AssessmentChange {
  const has = (name: string) => mask.includes(name);
  return {
    ...(has('assessment_name') && { assessment_name: given.assessment_name ?? '' }),
    ...(has('feedback') && { feedback: feedbackOf(given.feedback ?? { value: null, error: undefined }) }),
    ...(has('expectation') && {
      expectation: { value: expected(given.expectation ?? { value: undefined, serialized_value: undefined }) },
    }),
    ...(has('rationale') && { rationale: given.rationale ?? '' }),
    ...(has('metadata') && { metadata: given.metadata ?? {} }),
  };
}
