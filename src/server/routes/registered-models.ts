import type { ModelVersion, RegisteredModel } from '../../store/records.js';
import { modelVersion, registeredModel } from '../answers/models.js';
import { registryOf } from '../context.js';
import { done, route } from '../route.js';
import { atMost, int64, many, manyTexts, needed, optional, text } from '../wire/read.js';
import { list, optional as maybe, object, text as textOf } from '../wire/write.js';
import { keyValue } from './common.js';

const oneModel = object<{ registered_model: RegisteredModel }>({ registered_model: registeredModel });
export const oneVersion = object<{ model_version: ModelVersion }>({ model_version: modelVersion });
const name = { name: needed(text) };

export const registeredModelRoutes = [
  route({
    name: 'createRegisteredModel',
    method: 'POST',
    path: '/mlflow/registered-models/create',
    request: { ...name, tags: many(keyValue), description: optional(text) },
    answer: oneModel,
    handle: async (context, { name, tags, description = '' }) => ({
      registered_model: await registryOf(context).models.create({ name, tags, description }),
    }),
  }),
  route({
    name: 'getRegisteredModel',
    method: 'GET',
    path: '/mlflow/registered-models/get',
    request: name,
    answer: oneModel,
    handle: async (context, { name }) => ({ registered_model: await registryOf(context).models.get(name) }),
  }),
  route({
    name: 'updateRegisteredModel',
    method: 'PATCH',
    path: '/mlflow/registered-models/update',
    request: { ...name, description: optional(text) },
    answer: oneModel,
    handle: async (context, { name, description = '' }) => ({
      registered_model: await registryOf(context).models.update(name, description),
    }),
  }),
  route({
    name: 'renameRegisteredModel',
    method: 'POST',
    path: '/mlflow/registered-models/rename',
    request: { ...name, new_name: needed(text) },
    answer: oneModel,
    handle: async (context, { name, new_name }) => ({
      registered_model: await registryOf(context).models.rename(name, new_name),
    }),
  }),
  route({
    name: 'deleteRegisteredModel',
    method: 'DELETE',
    path: '/mlflow/registered-models/delete',
    request: name,
    answer: done,
    handle: async (context, { name }) => registryOf(context).models.delete(name),
  }),
  route({
    name: 'searchRegisteredModels',
    method: 'GET',
    path: '/mlflow/registered-models/search',
    request: {
      filter: optional(text),
      max_results: optional(int64, atMost(1000)),
      order_by: manyTexts(),
      page_token: optional(text),
    },
    answer: object<{ registered_models: readonly RegisteredModel[]; next_page_token: string | undefined }>({
      registered_models: list(registeredModel),
      next_page_token: maybe(textOf),
    }),
    handle: async (context, { page_token, max_results = 100, ...question }) => {
      const { items, next_page_token } = await registryOf(context).models.search({
        ...question,
        max_results,
        page_token: page_token || undefined,
      });
      return { registered_models: items, next_page_token };
    },
  }),
  route({
    name: 'getLatestVersions',
    method: ['POST', 'GET'],
    path: '/mlflow/registered-models/get-latest-versions',
    request: { ...name, stages: manyTexts() },
    answer: object<{ model_versions: readonly ModelVersion[] }>({ model_versions: list(modelVersion) }),
    handle: async (context, { name, stages }) => ({
      model_versions: await registryOf(context).models.latestVersions(name, stages.length > 0 ? stages : undefined),
    }),
  }),
  route({
    name: 'setRegisteredModelTag',
    method: 'POST',
    path: '/mlflow/registered-models/set-tag',
    request: { ...name, key: needed(text), value: optional(text) },
    answer: done,
    handle: async (context, { name, key, value = '' }) => registryOf(context).models.setTag(name, { key, value }),
  }),
  route({
    name: 'deleteRegisteredModelTag',
    method: 'DELETE',
    path: '/mlflow/registered-models/delete-tag',
    request: { ...name, key: needed(text) },
    answer: done,
    handle: async (context, { name, key }) => registryOf(context).models.deleteTag(name, key),
  }),
  route({
    name: 'setRegisteredModelAlias',
    method: 'POST',
    path: '/mlflow/registered-models/alias',
    request: { ...name, alias: needed(text), version: needed(text) },
    answer: done,
    handle: async (context, { name, alias, version }) => registryOf(context).models.setAlias(name, alias, version),
  }),
  route({
    name: 'deleteRegisteredModelAlias',
    method: 'DELETE',
    path: '/mlflow/registered-models/alias',
    request: { ...name, alias: needed(text) },
    answer: done,
    handle: async (context, { name, alias }) => registryOf(context).models.deleteAlias(name, alias),
  }),
  route({
    name: 'getModelVersionByAlias',
    method: 'GET',
    path: '/mlflow/registered-models/alias',
    request: { ...name, alias: needed(text) },
    answer: oneVersion,
    handle: async (context, { name, alias }) => ({
      model_version: await registryOf(context).models.getByAlias(name, alias),
    }),
  }),
];
