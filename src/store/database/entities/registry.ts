import { defineEntity } from '@mikro-orm/core';

export const RegisteredModels = defineEntity({
  name: 'RegisteredModels',
  tableName: 'registered_models',
  properties: (p) => ({
    name: p.string().length(256).primary(),
    creation_time: p.bigint('number').nullable(),
    last_updated_time: p.bigint('number').nullable(),
    description: p.string().length(5000).nullable(),
    workspace: p.string().length(63).primary().default('default'),
  }),
});

export const RegisteredModelTags = defineEntity({
  name: 'RegisteredModelTags',
  tableName: 'registered_model_tags',
  properties: (p) => ({
    key: p.string().length(250).primary(),
    value: p.string().length(5000).nullable(),
    name: p.string().length(256).primary(),
    workspace: p.string().length(63).primary().default('default'),
  }),
});

export const RegisteredModelAliases = defineEntity({
  name: 'RegisteredModelAliases',
  tableName: 'registered_model_aliases',
  properties: (p) => ({
    alias: p.string().length(256).primary(),
    version: p.integer(),
    name: p.string().length(256).primary(),
    workspace: p.string().length(63).primary().default('default'),
  }),
});

export const ModelVersions = defineEntity({
  name: 'ModelVersions',
  tableName: 'model_versions',
  properties: (p) => ({
    name: p.string().length(256).primary(),
    version: p.integer().primary(),
    creation_time: p.bigint('number').nullable(),
    last_updated_time: p.bigint('number').nullable(),
    description: p.string().length(5000).nullable(),
    user_id: p.string().length(256).nullable(),
    current_stage: p.string().length(20).nullable(),
    source: p.string().length(500).nullable(),
    run_id: p.string().length(32).nullable(),
    status: p.string().length(20).nullable(),
    status_message: p.string().length(500).nullable(),
    run_link: p.string().length(500).nullable(),
    storage_location: p.string().length(500).nullable(),
    workspace: p.string().length(63).primary().default('default'),
  }),
});

export const ModelVersionTags = defineEntity({
  name: 'ModelVersionTags',
  tableName: 'model_version_tags',
  properties: (p) => ({
    key: p.string().length(250).primary(),
    value: p.text().nullable(),
    name: p.string().length(256).primary(),
    version: p.integer().primary(),
    workspace: p.string().length(63).primary().default('default'),
  }),
});
