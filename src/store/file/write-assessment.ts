/** An assessment as MLflow writes it: the message of its protocol as YAML, whose numbers are all floats. */
import type { Assessment, AssessmentError, Json } from '../records.js';
import { writeJson } from '../search/index.js';
import { formatTimestamp } from './timestamp.js';
import { Real, type Writable, writeYaml } from './yaml/write.js';

export function writtenAssessment(assessment: Assessment): string {
  const { expectation, feedback, issue, metadata = {}, source } = assessment;
  return writeYaml({
    ...present({
      assessment_id: assessment.assessment_id,
      assessment_name: assessment.assessment_name,
      trace_id: assessment.trace_id,
      span_id: assessment.span_id,
      rationale: assessment.rationale,
      overrides: assessment.overrides || undefined,
    }),
    source: present({ source_type: source.source_type, source_id: source.source_id }),
    create_time: formatTimestamp(assessment.create_time),
    last_update_time: formatTimestamp(assessment.last_update_time),
    valid: assessment.valid,
    ...(expectation && { expectation: expected(expectation.value) }),
    ...(feedback && {
      feedback: { value: writable(feedback.value ?? null), ...(feedback.error && written(feedback.error)) },
    }),
    ...(issue && { issue: present({ issue_name: issue.issue_name }) }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  });
}

/** Without what has no value. */
function present(fields: Readonly<Record<string, string | undefined>>): Record<string, Writable> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** What is no scalar is a text of JSON. */
function expected(value: Json): Record<string, Writable> {
  if (value === null || typeof value !== 'object') return { value: writable(value) };
  return { serialized_value: { serialization_format: 'JSON_FORMAT', value: writeJson(value) } };
}

function writable(value: Json): Writable {
  if (typeof value === 'number' || typeof value === 'bigint') return new Real(Number(value));
  if (value === null || typeof value !== 'object') return value;
  if (isList(value)) return value.map(writable);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, writable(each)]));
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

const TRUNCATED = '[Stack trace is truncated]\n...\n';
const STACK_LENGTH = 10_000;

function written({ error_code, error_message, stack_trace }: AssessmentError): { readonly error: Writable } {
  const stack = stack_trace || undefined;
  const kept =
    stack !== undefined && stack.length > STACK_LENGTH
      ? TRUNCATED + stack.slice(TRUNCATED.length - STACK_LENGTH)
      : stack;
  return { error: present({ error_code, error_message: error_message || undefined, stack_trace: kept }) };
}
