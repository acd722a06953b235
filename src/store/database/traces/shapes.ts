/** The INSERTs of traces and what belongs to them. */
import type { ColumnKind, InsertShape } from '../../../dialect/query-words.js';
import { COSTS, TOKENS } from './analytics.js';

const all = (columns: readonly string[], kind: ColumnKind) =>
  Object.fromEntries(columns.map((column) => [column, kind]));

export const TRACE: InsertShape = {
  name: 'insert trace',
  table: 'trace_info',
  columns: {
    request_id: 'text',
    experiment_id: 'integer',
    timestamp_ms: 'bigint',
    execution_time_ms: 'bigint',
    status: 'text',
    client_request_id: 'text',
    request_preview: 'text',
    response_preview: 'text',
    db_payload_generation: 'integer',
    trace_name: 'text',
    session_id: 'text',
    ...all(TOKENS, 'bigint'),
    ...all(COSTS, 'double'),
  },
  key: ['request_id'],
  conflict: 'refuse',
};

const PAIR = { request_id: 'text', key: 'text', value: 'text' } as const;

export const TAGS: InsertShape = {
  name: 'insert tags of a trace',
  table: 'trace_tags',
  columns: PAIR,
  key: ['request_id', 'key'],
  conflict: { update: ['value'] },
};
export const METADATA: InsertShape = { ...TAGS, name: 'insert metadata of a trace', table: 'trace_request_metadata' };
/** Where it is not there yet. */
export const KEPT_METADATA: InsertShape = { ...METADATA, name: 'insert metadata of a trace, kept', conflict: 'keep' };

export const ASSESSMENT: InsertShape = {
  name: 'insert assessment',
  table: 'assessments',
  columns: {
    assessment_id: 'text',
    trace_id: 'text',
    name: 'text',
    assessment_type: 'text',
    value: 'text',
    error: 'text',
    created_timestamp: 'bigint',
    last_updated_timestamp: 'bigint',
    source_type: 'text',
    source_id: 'text',
    run_id: 'text',
    span_id: 'text',
    rationale: 'text',
    overrides: 'text',
    valid: 'boolean',
    assessment_metadata: 'text',
    experiment_id: 'integer',
    trace_timestamp_ms: 'bigint',
    aggregate_value: 'double',
    is_numeric_value: 'boolean',
  },
  key: ['assessment_id'],
  conflict: 'refuse',
};
/** Of a trace that is started again. */
export const MERGED_ASSESSMENT: InsertShape = {
  ...ASSESSMENT,
  name: 'insert assessment, again',
  conflict: { update: Object.keys(ASSESSMENT.columns).filter((column) => column !== 'assessment_id') },
};

/** Without the duration, which the database computes. */
export const SPAN: InsertShape = {
  name: 'insert span',
  table: 'spans',
  columns: {
    trace_id: 'text',
    experiment_id: 'integer',
    span_id: 'text',
    parent_span_id: 'text',
    name: 'text',
    type: 'text',
    status: 'text',
    start_time_unix_nano: 'bigint',
    end_time_unix_nano: 'bigint',
    content: 'text',
    input_cost: 'double',
    output_cost: 'double',
    total_cost: 'double',
    model_name: 'text',
    model_provider: 'text',
  },
  key: ['trace_id', 'span_id'],
  conflict: {
    update: [
      ...['experiment_id', 'parent_span_id', 'name', 'type', 'status', 'start_time_unix_nano', 'end_time_unix_nano'],
      ...['content', 'input_cost', 'output_cost', 'total_cost', 'model_name', 'model_provider'],
    ],
  },
};

export const LINK: InsertShape = {
  name: 'insert link of a trace',
  table: 'entity_associations',
  columns: {
    association_id: 'text',
    source_type: 'text',
    source_id: 'text',
    destination_type: 'text',
    destination_id: 'text',
    created_time: 'bigint',
  },
  key: ['source_type', 'source_id', 'destination_type', 'destination_id'],
  conflict: 'keep',
};

/** The values of a row in the order of a shape's columns; null for those that are not given. */
export const inOrder = (shape: InsertShape, row: Readonly<Record<string, unknown>>): unknown[] =>
  Object.keys(shape.columns).map((column) => row[column] ?? null);
