import { defineEntity } from '@mikro-orm/core';

export const LoggedModels = defineEntity({
  name: 'LoggedModels',
  tableName: 'logged_models',
  properties: (p) => ({
    model_id: p.string().length(36).primary(),
    experiment_id: p.integer(),
    name: p.string().length(500),
    artifact_location: p.string().length(1000),
    creation_timestamp_ms: p.bigint('number'),
    last_updated_timestamp_ms: p.bigint('number'),
    status: p.integer(),
    lifecycle_stage: p.string().length(32).nullable(),
    model_type: p.string().length(500).nullable(),
    source_run_id: p.string().length(32).nullable(),
    status_message: p.string().length(1000).nullable(),
  }),
});

export const LoggedModelMetrics = defineEntity({
  name: 'LoggedModelMetrics',
  tableName: 'logged_model_metrics',
  properties: (p) => ({
    model_id: p.string().length(36).primary(),
    metric_name: p.string().length(500).primary(),
    metric_timestamp_ms: p.bigint('number').primary(),
    metric_step: p.bigint('number').primary(),
    metric_value: p.double().$type<number>().nullable(),
    experiment_id: p.integer(),
    run_id: p.string().length(32).primary(),
    dataset_uuid: p.string().length(36).nullable(),
    dataset_name: p.string().length(500).nullable(),
    dataset_digest: p.string().length(36).nullable(),
  }),
});

export const LoggedModelParams = defineEntity({
  name: 'LoggedModelParams',
  tableName: 'logged_model_params',
  properties: (p) => ({
    model_id: p.string().length(36).primary(),
    experiment_id: p.integer(),
    param_key: p.string().length(255).primary(),
    param_value: p.text(),
  }),
});

export const LoggedModelTags = defineEntity({
  name: 'LoggedModelTags',
  tableName: 'logged_model_tags',
  properties: (p) => ({
    model_id: p.string().length(36).primary(),
    experiment_id: p.integer(),
    tag_key: p.string().length(255).primary(),
    tag_value: p.text(),
  }),
});
