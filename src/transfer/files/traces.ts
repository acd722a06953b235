/** Traces of a file store. Their spans are artifacts, in a database of MLflow's too: they stay where they are. */
import { whole } from '../../rows/values.js';
import { python } from '../../schema/operations.js';
import { type StoredTrace, traceInfo } from '../../store/file/reader.js';
import type { Assessment, Json, KeyValue } from '../../store/records.js';
import { readJsonText, writeJson } from '../../store/search/index.js';
import type { Named } from '../named.js';
import type { Values } from '../record.js';
import { type Context, experimentNumber, integerIn } from './context.js';
import { steady } from './steady.js';

const NAME = 'mlflow.traceName';
const SESSION = 'mlflow.trace.session';
const TOKENS = 'mlflow.trace.tokenUsage';
const COST = 'mlflow.trace.cost';
/** Of the run that an evaluation belongs to. */
const SOURCE_RUN = 'mlflow.assessment.sourceRunId';
/** Characters that the columns of a trace's name and session hold. */
const LONGEST_NAME = 4096;
const LONGEST_SESSION = 250;

const TOKEN_COLUMNS = [
  'input_tokens',
  'output_tokens',
  'total_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens',
  'cache_creation_input_tokens_above_1hr',
];
const COST_COLUMNS = ['input_cost', 'output_cost', 'total_cost'];

/** @param hasColumns whether names, sessions, tokens and costs are columns, as they are from 75868b020152 on, not rows */
export function addTrace(stored: StoredTrace, context: Context, hasColumns: boolean): void {
  const { rows } = context;
  const trace = traceInfo(steady, stored, context.report);
  const request_id = trace.trace_id;
  const experiment_id = experimentNumber(trace.experiment_id);
  const timestamp_ms = integerIn(stored.meta, 'timestamp_ms') ?? trace.request_time;
  rows.add('trace_info', {
    request_id,
    experiment_id,
    timestamp_ms,
    execution_time_ms: trace.execution_duration ?? null,
    status: trace.state,
    client_request_id: trace.client_request_id ?? null,
    request_preview: trace.request_preview ?? null,
    response_preview: trace.response_preview ?? null,
    ...(hasColumns && columnsOf(trace.tags, trace.trace_metadata)),
  });
  for (const [key, value] of Object.entries(trace.tags)) {
    if (!(hasColumns && key === NAME)) rows.add('trace_tags', { key, value, request_id });
  }
  for (const [key, value] of Object.entries(trace.trace_metadata)) {
    if (hasColumns && [SESSION, TOKENS, COST].includes(key)) continue;
    rows.add('trace_request_metadata', { key, value, request_id });
  }
  for (const assessment of trace.assessments) {
    rows.add('assessments', {
      ...assessmentValues(assessment),
      trace_id: request_id,
      ...(hasColumns && { experiment_id, trace_timestamp_ms: timestamp_ms, ...aggregateOf(assessed(assessment)) }),
    });
  }
}

function columnsOf(tags: Readonly<Record<string, string>>, metadata: Readonly<Record<string, string>>): Values {
  const [tokens, costs] = [membersOf(metadata[TOKENS]), membersOf(metadata[COST])];
  const cut = (text: string | undefined, length: number) => (text === undefined ? null : python.firstOf(text, length));
  return {
    trace_name: cut(tags[NAME], LONGEST_NAME),
    session_id: cut(metadata[SESSION], LONGEST_SESSION),
    ...Object.fromEntries(TOKEN_COLUMNS.map((name) => [name, wholeOf(tokens.get(name))])),
    ...Object.fromEntries(COST_COLUMNS.map((name) => [name, python.finiteFloat(costs.get(name) ?? null)])),
  };
}

/** The tag and the metadata that the columns of a trace stand for. */
export function textsOf(row: Named): { readonly tags: readonly KeyValue[]; readonly metadata: readonly KeyValue[] } {
  const text = (key: string, value: Named[string] | undefined) => (typeof value === 'string' ? [{ key, value }] : []);
  const json = (key: string, columns: readonly string[], read: (value: number | bigint) => Json) => {
    const members = columns.flatMap((column) => {
      const value = row[column];
      return typeof value === 'number' || typeof value === 'bigint' ? [[column, read(value)] as const] : [];
    });
    return members.length === 0 ? [] : [{ key, value: writeJson(Object.fromEntries(members)) }];
  };
  return {
    tags: text(NAME, row.trace_name),
    metadata: [
      ...text(SESSION, row.session_id),
      ...json(TOKENS, TOKEN_COLUMNS, BigInt),
      ...json(COST, COST_COLUMNS, Number),
    ],
  };
}

function membersOf(text: string | undefined): ReadonlyMap<string, python.Value> {
  const value = text === undefined ? null : python.loads(text);
  return value instanceof Map ? value : new Map();
}

function wholeOf(value: python.Value | undefined): number | bigint | null {
  const count = python.wholeNumber(value ?? null);
  return count === null ? null : whole(count);
}

// ---------------------------------------------------------------- assessments

export function assessmentValues(assessment: Assessment): Values {
  const { feedback, expectation, metadata } = assessment;
  return {
    assessment_id: assessment.assessment_id,
    name: assessment.assessment_name,
    assessment_type: feedback ? 'feedback' : expectation ? 'expectation' : 'issue',
    value: writeJson(assessed(assessment)),
    error: feedback?.error ? writeJson(errorOf(feedback.error)) : null,
    created_timestamp: assessment.create_time,
    last_updated_timestamp: assessment.last_update_time,
    source_type: assessment.source.source_type,
    source_id: assessment.source.source_id ?? null,
    run_id: metadata?.[SOURCE_RUN] ?? null,
    span_id: assessment.span_id ?? null,
    rationale: assessment.rationale ?? null,
    overrides: assessment.overrides ?? null,
    valid: assessment.valid,
    assessment_metadata: metadata && Object.keys(metadata).length > 0 ? writeJson(metadata) : null,
  };
}

/** The assessment that a row holds, as far as a file can. */
export function assessmentOf(row: Named): Assessment {
  const text = (column: string) => (typeof row[column] === 'string' ? row[column] : undefined);
  const json = (column: string) => readJsonText(text(column) ?? 'null') ?? null;
  const metadata = json('assessment_metadata');
  return {
    assessment_id: text('assessment_id') ?? '',
    assessment_name: text('name') ?? '',
    trace_id: text('trace_id') ?? '',
    span_id: text('span_id'),
    source: { source_type: text('source_type') ?? '', source_id: text('source_id') },
    create_time: Number(row.created_timestamp),
    last_update_time: Number(row.last_updated_timestamp),
    ...contentOf(text('assessment_type'), json('value'), json('error')),
    rationale: text('rationale'),
    metadata: isObject(metadata) ? textsIn(metadata) : undefined,
    overrides: text('overrides'),
    valid: row.valid === true || row.valid === 1,
  };
}

const isObject = (value: Json): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textsIn = (value: { readonly [key: string]: Json }) =>
  Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, typeof each === 'string' ? each : writeJson(each)]),
  );

function contentOf(
  type: string | undefined,
  value: Json,
  error: Json,
): Pick<Assessment, 'feedback' | 'expectation' | 'issue'> {
  const member = (from: Json, key: string) => {
    const found = isObject(from) ? from[key] : undefined;
    return typeof found === 'string' ? found : undefined;
  };
  if (type === 'expectation') return { expectation: { value } };
  if (type === 'issue') return { issue: { issue_name: member(value, 'issue_name') } };
  if (!isObject(error)) return { feedback: { value } };
  const [error_code = '', error_message, stack_trace] = ['error_code', 'error_message', 'stack_trace'].map((key) =>
    member(error, key),
  );
  return { feedback: { value, error: { error_code, error_message, stack_trace } } };
}

type Failure = NonNullable<NonNullable<Assessment['feedback']>['error']>;

const errorOf = ({ error_code, error_message, stack_trace }: Failure): Json => ({
  error_code,
  error_message: error_message ?? null,
  stack_trace: stack_trace ?? null,
});

export function assessed({ feedback, expectation, issue }: Assessment): Json {
  if (feedback) return feedback.value ?? null;
  if (expectation) return expectation.value;
  return { issue_name: issue?.issue_name ?? null };
}

/** What an assessment counts for in an average: numbers as they are, true and yes 1, false and no 0. */
export function aggregateOf(value: Json): Values {
  const number = typeof value === 'number' || typeof value === 'bigint' ? python.finiteFloat(value) : null;
  const word = typeof value === 'string' ? python.strip(value).toLowerCase() : value;
  const yes = word === 'yes' || word === true ? 1 : word === 'no' || word === false ? 0 : null;
  return { aggregate_value: number ?? yes, is_numeric_value: number !== null };
}
