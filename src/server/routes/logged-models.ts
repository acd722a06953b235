import type { LoggedModel } from '../../store/records.js';
import { loggedModel } from '../answers/models.js';
import { done, route } from '../route.js';
import {
  choice,
  converted,
  flag,
  int32,
  int64,
  many,
  manyTexts,
  message,
  needed,
  neededList,
  optional,
  text,
} from '../wire/read.js';
import { list, optional as maybe, object, text as textOf } from '../wire/write.js';
import { keyValue } from './common.js';

const oneModel = object<{ model: LoggedModel }>({ model: loggedModel });

const status = choice(
  {
    LOGGED_MODEL_STATUS_UNSPECIFIED: 0,
    LOGGED_MODEL_PENDING: 1,
    LOGGED_MODEL_READY: 2,
    LOGGED_MODEL_UPLOAD_FAILED: 3,
  },
  int64.looksRight,
);

const dataset = converted(
  message('LoggedModelDataset', { dataset_name: optional(text), dataset_digest: optional(text) }),
  ({ dataset_name = '', dataset_digest }) => ({ dataset_name, dataset_digest: dataset_digest || undefined }),
);

const orderBy = converted(
  message('LoggedModelOrderBy', {
    field_name: optional(text),
    ascending: optional(flag),
    dataset_name: optional(text),
    dataset_digest: optional(text),
  }),
  ({ field_name = '', ascending = true, dataset_name, dataset_digest }) => ({
    field_name,
    ascending,
    dataset_name: dataset_name || undefined,
    dataset_digest: dataset_digest || undefined,
  }),
);

export const loggedModelRoutes = [
  route({
    name: 'createLoggedModel',
    method: 'POST',
    path: '/mlflow/logged-models',
    request: {
      experiment_id: needed(text),
      name: optional(text),
      model_type: optional(text),
      source_run_id: optional(text),
      params: many(keyValue),
      tags: many(keyValue),
    },
    answer: oneModel,
    // Of these, MLflow hands on a name that is empty as none, and the others as they are.
    handle: async ({ store }, { name, model_type = '', source_run_id = '', ...rest }) => ({
      model: await store.loggedModels.create({ ...rest, name: name || undefined, model_type, source_run_id }),
    }),
  }),
  route({
    name: 'searchLoggedModels',
    method: 'POST',
    path: '/mlflow/logged-models/search',
    request: {
      experiment_ids: neededList(manyTexts()),
      filter: optional(text),
      datasets: many(dataset),
      max_results: optional(int32),
      order_by: many(orderBy),
      page_token: optional(text),
    },
    answer: object<{ models: readonly LoggedModel[]; next_page_token: string | undefined }>({
      models: list(loggedModel),
      next_page_token: maybe(textOf),
    }),
    handle: async ({ store }, { experiment_ids, filter, datasets, max_results = 50, order_by, page_token }) => {
      const { items, next_page_token } = await store.loggedModels.search({
        experiment_ids,
        filter: filter || undefined,
        datasets: datasets.length > 0 ? datasets : undefined,
        max_results: max_results || undefined,
        order_by: order_by.length > 0 ? order_by : undefined,
        page_token: page_token || undefined,
      });
      return { models: items, next_page_token };
    },
  }),
  route({
    name: 'getLoggedModel',
    method: 'GET',
    path: '/mlflow/logged-models/{model_id}',
    request: { allow_deleted: optional(text) },
    answer: oneModel,
    handle: async ({ store }, { allow_deleted }, { model_id }) => ({
      model: await store.loggedModels.get(model_id, allow_deleted?.toLowerCase() === 'true'),
    }),
  }),
  route({
    name: 'finalizeLoggedModel',
    method: 'PATCH',
    path: '/mlflow/logged-models/{model_id}',
    request: { model_id: needed(text), status: needed(status) },
    answer: oneModel,
    handle: async ({ store }, { model_id, status }) => ({ model: await store.loggedModels.finalize(model_id, status) }),
  }),
  route({
    name: 'deleteLoggedModel',
    method: 'DELETE',
    path: '/mlflow/logged-models/{model_id}',
    request: {},
    answer: done,
    handle: ({ store }, _, { model_id }) => store.loggedModels.delete(model_id),
  }),
  route({
    name: 'setLoggedModelTags',
    method: 'PATCH',
    path: '/mlflow/logged-models/{model_id}/tags',
    request: { tags: many(keyValue) },
    answer: done,
    handle: ({ store }, { tags }, { model_id }) => store.loggedModels.setTags(model_id, tags),
  }),
  route({
    name: 'deleteLoggedModelTag',
    method: 'DELETE',
    path: '/mlflow/logged-models/{model_id}/tags/{tag_key}',
    request: {},
    answer: done,
    handle: ({ store }, _, { model_id, tag_key }) => store.loggedModels.deleteTag(model_id, tag_key),
  }),
  route({
    name: 'LogLoggedModelParams',
    method: 'POST',
    path: '/mlflow/logged-models/{model_id}/params',
    request: { model_id: needed(text), params: many(keyValue) },
    answer: done,
    handle: ({ store }, { params }, { model_id }) => store.loggedModels.logParams(model_id, params),
  }),
];
