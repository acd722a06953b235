/** Between rows of assessments and records: values are JSON texts in the database. */
import { randomBytes } from 'node:crypto';
import type { Selectable } from 'kysely';
import { invalidParameter } from '../../errors.js';
import type { Assessment, AssessmentError, Json } from '../../records.js';
import { readJsonText, stripSpace, writeJson } from '../../search/index.js';
import type { NewAssessment } from '../../store.js';
import type { Tables } from '../entities/index.js';
import { isDictionary } from './analytics.js';
import { ASSESSED_BY_RUN } from './keys.js';

export type AssessmentRow = Selectable<Tables['assessments']>;

const given = <Value>(value: Value | null): Value | undefined => value ?? undefined;

export function assessmentOf(row: AssessmentRow): Assessment {
  const value = readJsonText(row.value) ?? null;
  const metadata = row.assessment_metadata === null ? null : readJsonText(row.assessment_metadata);
  return {
    assessment_id: row.assessment_id,
    assessment_name: row.name,
    trace_id: row.trace_id,
    span_id: given(row.span_id),
    source: { source_type: row.source_type, source_id: given(row.source_id) },
    create_time: row.created_timestamp,
    last_update_time: row.last_updated_timestamp,
    ...contentOf(row, value),
    rationale: row.assessment_type === 'expectation' ? undefined : given(row.rationale),
    metadata: isDictionary(metadata ?? undefined) ? textsIn(metadata as { readonly [key: string]: Json }) : undefined,
    overrides: given(row.overrides),
    valid: Boolean(row.valid),
  };
}

function contentOf(row: AssessmentRow, value: Json): Pick<Assessment, 'feedback' | 'expectation' | 'issue'> {
  switch (row.assessment_type) {
    case 'expectation':
      return { expectation: { value } };
    case 'issue':
      return { issue: { issue_name: isDictionary(value) ? textIn(value, 'issue_name') : undefined } };
    default:
      return { feedback: { value, error: row.error === null ? undefined : errorIn(readJsonText(row.error)) } };
  }
}

function errorIn(value: Json | undefined): AssessmentError | undefined {
  if (!isDictionary(value)) return undefined;
  return {
    error_code: textIn(value, 'error_code') ?? '',
    error_message: textIn(value, 'error_message'),
    stack_trace: textIn(value, 'stack_trace'),
  };
}

function textIn(from: { readonly [key: string]: Json }, key: string): string | undefined {
  const value = from[key];
  return typeof value === 'string' ? value : undefined;
}

const textsIn = (from: { readonly [key: string]: Json }): Record<string, string> =>
  Object.fromEntries(
    Object.entries(from).map(([key, value]) => [key, typeof value === 'string' ? value : writeJson(value)]),
  );

/** The trace that an assessment is of, as far as its rows know it. */
export interface Assessed {
  readonly trace_id: string;
  readonly experiment_id: number;
  readonly timestamp_ms: number;
}

/** A new assessment's row. @throws StoreError where it says nothing */
export function assessmentRow(assessment: NewAssessment, of: Assessed, now: number): AssessmentRow {
  const { metadata } = assessment;
  return {
    assessment_id: assessment.assessment_id ?? `a-${randomBytes(16).toString('hex')}`,
    trace_id: of.trace_id,
    name: assessment.assessment_name,
    ...contentColumns(assessment),
    created_timestamp: assessment.create_time ?? now,
    last_updated_timestamp: assessment.last_update_time ?? now,
    source_type: assessment.source.source_type,
    source_id: assessment.source.source_id ?? null,
    run_id: metadata?.[ASSESSED_BY_RUN] ?? null,
    span_id: assessment.span_id ?? null,
    rationale: assessment.rationale ?? null,
    overrides: assessment.overrides ?? null,
    valid: true,
    assessment_metadata: metadataColumn(metadata),
    experiment_id: of.experiment_id,
    trace_timestamp_ms: of.timestamp_ms,
  };
}

export const metadataColumn = (metadata: Readonly<Record<string, string>> | undefined) =>
  metadata !== undefined && Object.keys(metadata).length > 0 ? writeJson(metadata) : null;

type Content = Pick<Assessment, 'feedback' | 'expectation' | 'issue'>;
type ContentColumns = Pick<
  AssessmentRow,
  'assessment_type' | 'value' | 'error' | 'aggregate_value' | 'is_numeric_value'
>;

/** What is said, and as what it is counted. */
export function contentColumns({ feedback, expectation, issue }: Content): ContentColumns {
  if (feedback !== undefined) {
    const { value = null, error } = feedback;
    return { assessment_type: 'feedback', value: writeJson(value), error: errorColumn(error), ...countedAs(value) };
  }
  if (expectation !== undefined) {
    const { value } = expectation;
    if (value === null) throw invalidParameter('The `value` field must be specified.');
    return { assessment_type: 'expectation', value: writeJson(value), error: null, ...countedAs(value) };
  }
  if (issue !== undefined) {
    if (issue.issue_name === undefined) throw invalidParameter('The `issue_name` field must be specified.');
    const value = { issue_name: issue.issue_name };
    return { assessment_type: 'issue', value: writeJson(value), error: null, ...countedAs(value) };
  }
  throw invalidParameter('Assessment must have either feedback, expectation, or issue value');
}

const errorColumn = (error: AssessmentError | undefined) =>
  error === undefined
    ? null
    : writeJson({
        error_code: error.error_code,
        error_message: error.error_message ?? null,
        stack_trace: error.stack_trace ?? null,
      });

function countedAs(value: Json): Pick<AssessmentRow, 'aggregate_value' | 'is_numeric_value'> {
  if (typeof value === 'number' || typeof value === 'bigint') {
    const number = Number(value);
    return Number.isFinite(number)
      ? { aggregate_value: number, is_numeric_value: true }
      : { aggregate_value: null, is_numeric_value: false };
  }
  const word = typeof value === 'string' ? stripSpace(value).toLowerCase() : value;
  const counted = word === true || word === 'yes' ? 1 : word === false || word === 'no' ? 0 : null;
  return { aggregate_value: counted, is_numeric_value: false };
}
