/** An assessment of a trace: the YAML of the message that MLflow's protocol has for it. */
import type { Assessment, AssessmentError, Json } from '../records.js';
import { readJson } from '../search/index.js';
import { Unreadable } from './damage.js';
import { Fields, isList } from './fields.js';
import { timestampMs } from './timestamp.js';
import { readYaml } from './yaml/read.js';
import type { Yaml } from './yaml/resolve.js';

/** @throws {Unreadable} */
export function readAssessment(text: string): Assessment {
  const fields = new Fields(readYaml(text));
  const source = fields.map('source');
  const metadata = fields.get('metadata') === null ? undefined : fields.map('metadata').texts();
  const overrides = fields.text('overrides');
  return {
    assessment_id: fields.neededText('assessment_id'),
    assessment_name: fields.neededText('assessment_name'),
    trace_id: fields.neededText('trace_id'),
    span_id: fields.text('span_id'),
    source: {
      source_type: source.text('source_type') ?? 'SOURCE_TYPE_UNSPECIFIED',
      source_id: source.text('source_id'),
    },
    create_time: timestampMs(fields.neededText('create_time'), 'create_time'),
    last_update_time: timestampMs(fields.neededText('last_update_time'), 'last_update_time'),
    ...valueIn(fields),
    rationale: fields.text('rationale'),
    metadata,
    overrides,
    valid: fields.get('valid') !== false,
  };
}

function valueIn(fields: Fields): Pick<Assessment, 'expectation' | 'feedback' | 'issue'> {
  if (fields.get('expectation') !== null) return { expectation: { value: expected(fields.map('expectation')) } };
  if (fields.get('feedback') !== null) {
    const feedback = fields.map('feedback');
    const error = feedback.get('error') === null ? undefined : errorIn(feedback.map('error'));
    return { feedback: { value: toJson(feedback.get('value')), ...(error && { error }) } };
  }
  if (fields.get('issue') !== null) return { issue: { issue_name: fields.map('issue').text('issue_name') } };
  throw new Unreadable('is an assessment without feedback, expectation or issue');
}

/** What is no scalar is kept as the text of its JSON. */
function expected(expectation: Fields): Json {
  if (expectation.get('serialized_value') === null) return toJson(expectation.get('value'));
  const text = expectation.map('serialized_value').neededText('value');
  const value = readJson(Buffer.from(text, 'utf8'));
  if (value === undefined) throw new Unreadable(`holds no JSON in the value that is expected: ${text}`);
  return value;
}

function errorIn(error: Fields): AssessmentError {
  return {
    error_code: error.text('error_code') ?? '',
    error_message: error.text('error_message'),
    stack_trace: error.text('stack_trace'),
  };
}

function toJson(value: Yaml): Json {
  if (value === null || typeof value !== 'object') return value;
  if (isList(value)) return value.map(toJson);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, toJson(each)]));
}
