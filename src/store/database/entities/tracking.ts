import { defineEntity } from '@mikro-orm/core';

export const Experiments = defineEntity({
  name: 'Experiments',
  tableName: 'experiments',
  properties: (p) => ({
    experiment_id: p.integer().primary().autoincrement(),
    name: p.string().length(256),
    artifact_location: p.string().length(256).nullable(),
    lifecycle_stage: p.string().length(32).nullable(),
    creation_time: p.bigint('number').nullable(),
    last_update_time: p.bigint('number').nullable(),
    workspace: p.string().length(63).default('default'),
  }),
});

export const ExperimentTags = defineEntity({
  name: 'ExperimentTags',
  tableName: 'experiment_tags',
  properties: (p) => ({
    key: p.string().length(250).primary(),
    value: p.text().nullable(),
    experiment_id: p.integer().primary(),
  }),
});

export const Runs = defineEntity({
  name: 'Runs',
  tableName: 'runs',
  properties: (p) => ({
    run_uuid: p.string().length(32).primary(),
    name: p.string().length(250).nullable(),
    source_type: p.string().length(20).nullable(),
    source_name: p.string().length(500).nullable(),
    entry_point_name: p.string().length(50).nullable(),
    user_id: p.string().length(256).nullable(),
    status: p.string().length(9).nullable(),
    start_time: p.bigint('number').nullable(),
    end_time: p.bigint('number').nullable(),
    source_version: p.string().length(50).nullable(),
    lifecycle_stage: p.string().length(20).nullable(),
    artifact_uri: p.string().length(200).nullable(),
    experiment_id: p.integer().nullable(),
    deleted_time: p.bigint('number').nullable(),
  }),
});

export const Tags = defineEntity({
  name: 'Tags',
  tableName: 'tags',
  properties: (p) => ({
    key: p.string().length(250).primary(),
    value: p.string().length(8000).nullable(),
    run_uuid: p.string().length(32).primary(),
  }),
});

export const Params = defineEntity({
  name: 'Params',
  tableName: 'params',
  properties: (p) => ({
    key: p.string().length(250).primary(),
    value: p.string().length(8000),
    run_uuid: p.string().length(32).primary(),
  }),
});

export const Metrics = defineEntity({
  name: 'Metrics',
  tableName: 'metrics',
  properties: (p) => ({
    key: p.string().length(250).primary(),
    value: p.double().$type<number>().primary(),
    timestamp: p.bigint('number').primary(),
    run_uuid: p.string().length(32).primary(),
    step: p.bigint('number').primary().default(0),
    is_nan: p.boolean().primary().default(false),
  }),
});

export const LatestMetrics = defineEntity({
  name: 'LatestMetrics',
  tableName: 'latest_metrics',
  properties: (p) => ({
    key: p.string().length(250).primary(),
    value: p.double().$type<number>(),
    timestamp: p.bigint('number').nullable(),
    step: p.bigint('number'),
    is_nan: p.boolean(),
    run_uuid: p.string().length(32).primary(),
  }),
});

export const Datasets = defineEntity({
  name: 'Datasets',
  tableName: 'datasets',
  properties: (p) => ({
    dataset_uuid: p.string().length(36),
    experiment_id: p.integer().primary(),
    name: p.string().length(500).primary(),
    digest: p.string().length(36).primary(),
    dataset_source_type: p.string().length(36),
    dataset_source: p.text(),
    dataset_schema: p.text().nullable(),
    dataset_profile: p.text().nullable(),
  }),
});

export const Inputs = defineEntity({
  name: 'Inputs',
  tableName: 'inputs',
  properties: (p) => ({
    input_uuid: p.string().length(36),
    source_type: p.string().length(36).primary(),
    source_id: p.string().length(36).primary(),
    destination_type: p.string().length(36).primary(),
    destination_id: p.string().length(36).primary(),
    step: p.bigint('number').default(0),
  }),
});

export const InputTags = defineEntity({
  name: 'InputTags',
  tableName: 'input_tags',
  properties: (p) => ({
    input_uuid: p.string().length(36).primary(),
    name: p.string().length(255).primary(),
    value: p.string().length(500),
  }),
});
