import { defineEntity } from '@mikro-orm/core';

export const TraceInfo = defineEntity({
  name: 'TraceInfo',
  tableName: 'trace_info',
  properties: (p) => ({
    request_id: p.string().length(50).primary(),
    experiment_id: p.integer(),
    timestamp_ms: p.bigint('number'),
    execution_time_ms: p.bigint('number').nullable(),
    status: p.string().length(50),
    client_request_id: p.string().length(50).nullable(),
    request_preview: p.string().length(1000).nullable(),
    response_preview: p.string().length(1000).nullable(),
    db_payload_generation: p.integer().default(0),
    trace_name: p.string().length(4096).nullable(),
    session_id: p.string().length(250).nullable(),
    input_tokens: p.bigint('number').nullable(),
    output_tokens: p.bigint('number').nullable(),
    total_tokens: p.bigint('number').nullable(),
    cache_read_input_tokens: p.bigint('number').nullable(),
    cache_creation_input_tokens: p.bigint('number').nullable(),
    cache_creation_input_tokens_above_1hr: p.bigint('number').nullable(),
    input_cost: p.double().$type<number>().nullable(),
    output_cost: p.double().$type<number>().nullable(),
    total_cost: p.double().$type<number>().nullable(),
  }),
});

export const TraceTags = defineEntity({
  name: 'TraceTags',
  tableName: 'trace_tags',
  properties: (p) => ({
    key: p.string().length(250).primary(),
    value: p.string().length(8000).nullable(),
    request_id: p.string().length(50).primary(),
  }),
});

export const TraceRequestMetadata = defineEntity({
  name: 'TraceRequestMetadata',
  tableName: 'trace_request_metadata',
  properties: (p) => ({
    key: p.string().length(250).primary(),
    value: p.string().length(8000).nullable(),
    request_id: p.string().length(50).primary(),
  }),
});

export const TraceMetrics = defineEntity({
  name: 'TraceMetrics',
  tableName: 'trace_metrics',
  properties: (p) => ({
    request_id: p.string().length(50).primary(),
    key: p.string().length(250).primary(),
    value: p.double().$type<number>().nullable(),
  }),
});

export const Assessments = defineEntity({
  name: 'Assessments',
  tableName: 'assessments',
  properties: (p) => ({
    assessment_id: p.string().length(50).primary(),
    trace_id: p.string().length(50),
    name: p.string().length(250),
    assessment_type: p.string().length(20),
    value: p.text(),
    error: p.text().nullable(),
    created_timestamp: p.bigint('number'),
    last_updated_timestamp: p.bigint('number'),
    source_type: p.string().length(50),
    source_id: p.string().length(250).nullable(),
    run_id: p.string().length(32).nullable(),
    span_id: p.string().length(50).nullable(),
    rationale: p.text().nullable(),
    overrides: p.string().length(50).nullable(),
    valid: p.boolean(),
    assessment_metadata: p.text().nullable(),
    experiment_id: p.integer().nullable(),
    trace_timestamp_ms: p.bigint('number').nullable(),
    aggregate_value: p.double().$type<number>().nullable(),
    is_numeric_value: p.boolean().default(false),
  }),
});

export const Spans = defineEntity({
  name: 'Spans',
  tableName: 'spans',
  properties: (p) => ({
    trace_id: p.string().length(50).primary(),
    experiment_id: p.integer(),
    span_id: p.string().length(50).primary(),
    parent_span_id: p.string().length(50).nullable(),
    name: p.text().nullable(),
    type: p.string().length(500).nullable(),
    status: p.string().length(50),
    start_time_unix_nano: p.bigint('number'),
    end_time_unix_nano: p.bigint('number').nullable(),
    duration_ns: p.bigint('number').nullable().generated('end_time_unix_nano - start_time_unix_nano'),
    content: p.text(),
    input_cost: p.double().$type<number>().nullable(),
    output_cost: p.double().$type<number>().nullable(),
    total_cost: p.double().$type<number>().nullable(),
    model_name: p.string().length(500).nullable(),
    model_provider: p.string().length(500).nullable(),
  }),
});

export const SpanMetrics = defineEntity({
  name: 'SpanMetrics',
  tableName: 'span_metrics',
  properties: (p) => ({
    trace_id: p.string().length(50).primary(),
    span_id: p.string().length(50).primary(),
    key: p.string().length(250).primary(),
    value: p.double().$type<number>().nullable(),
  }),
});

export const EntityAssociations = defineEntity({
  name: 'EntityAssociations',
  tableName: 'entity_associations',
  properties: (p) => ({
    association_id: p.string().length(36),
    source_type: p.string().length(36).primary(),
    source_id: p.string().length(36).primary(),
    destination_type: p.string().length(36).primary(),
    destination_id: p.string().length(36).primary(),
    created_time: p.bigint('number').nullable(),
  }),
});
