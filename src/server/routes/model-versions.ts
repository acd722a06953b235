import type { Json, ModelVersion } from '../../store/records.js';
import { readJson } from '../../store/search/index.js';
import { modelVersion } from '../answers/models.js';
import { type Context, registryOf } from '../context.js';
import { done, route } from '../route.js';
import { sourceOf } from '../sources.js';
import { pythonDumps } from '../wire/python.js';
import { atMost, flag, int64, many, manyTexts, needed, optional, text } from '../wire/read.js';
import { list, optional as maybe, object, text as textOf } from '../wire/write.js';
import { keyValue } from './common.js';
import { oneVersion } from './registered-models.js';

const version = { name: needed(text), version: needed(text) };
/** The tag of a logged model that names the versions made of it. */
const VERSIONS_TAG = 'mlflow.modelVersions';

export const modelVersionRoutes = [
  route({
    name: 'createModelVersion',
    method: 'POST',
    path: '/mlflow/model-versions/create',
    request: {
      name: needed(text),
      source: needed(text),
      run_id: optional(text),
      tags: many(keyValue),
      run_link: optional(text),
      description: optional(text),
      model_id: optional(text),
    },
    answer: oneVersion,
    handle: async (context, { name, tags, run_link = '', description = '', source, run_id, model_id }) => {
      const registry = registryOf(context);
      const lineage = await sourceOf(context, registry, { source, run_id, model_id, tags });
      const made = await registry.versions.create({ name, tags, run_link, description, ...lineage });
      if (lineage.model_id) await addToModel(context, lineage.model_id, made);
      return { model_version: made };
    },
  }),
  route({
    name: 'getModelVersion',
    method: 'GET',
    path: '/mlflow/model-versions/get',
    request: version,
    answer: oneVersion,
    handle: async (context, { name, version }) => ({
      model_version: await registryOf(context).versions.get(name, version),
    }),
  }),
  route({
    name: 'updateModelVersion',
    method: 'PATCH',
    path: '/mlflow/model-versions/update',
    request: { ...version, description: optional(text) },
    answer: oneVersion,
    handle: async (context, { name, version, description = '' }) => ({
      model_version: await registryOf(context).versions.update(name, version, description),
    }),
  }),
  route({
    name: 'transitionModelVersionStage',
    method: 'POST',
    path: '/mlflow/model-versions/transition-stage',
    request: { ...version, stage: needed(text), archive_existing_versions: optional(flag) },
    answer: oneVersion,
    handle: async (context, { name, version, stage, archive_existing_versions = false }) => ({
      model_version: await registryOf(context).versions.transitionStage(
        name,
        version,
        stage,
        archive_existing_versions,
      ),
    }),
  }),
  route({
    name: 'deleteModelVersion',
    method: 'DELETE',
    path: '/mlflow/model-versions/delete',
    request: version,
    answer: done,
    handle: async (context, { name, version }) => registryOf(context).versions.delete(name, version),
  }),
  route({
    name: 'searchModelVersions',
    method: 'GET',
    path: '/mlflow/model-versions/search',
    request: {
      filter: optional(text),
      max_results: optional(int64, atMost(200_000)),
      order_by: manyTexts(),
      page_token: optional(text),
    },
    answer: object<{ model_versions: readonly ModelVersion[]; next_page_token: string | undefined }>({
      model_versions: list(modelVersion),
      next_page_token: maybe(textOf),
    }),
    handle: async (context, { page_token, max_results = 200_000, ...question }) => {
      const { items, next_page_token } = await registryOf(context).versions.search({
        ...question,
        max_results,
        page_token: page_token || undefined,
      });
      return { model_versions: items, next_page_token };
    },
  }),
  route({
    name: 'getModelVersionDownloadUri',
    method: 'GET',
    path: '/mlflow/model-versions/get-download-uri',
    request: { name: optional(text), version: optional(text) },
    answer: object<{ artifact_uri: string | undefined }>({ artifact_uri: maybe(textOf) }),
    handle: async (context, { name = '', version = '' }) => ({
      artifact_uri: await registryOf(context).versions.downloadUri(name, version),
    }),
  }),
  route({
    name: 'setModelVersionTag',
    method: 'POST',
    path: '/mlflow/model-versions/set-tag',
    request: { ...version, key: needed(text), value: optional(text) },
    answer: done,
    handle: async (context, { name, version, key, value = '' }) =>
      registryOf(context).versions.setTag(name, version, { key, value }),
  }),
  route({
    name: 'deleteModelVersionTag',
    method: 'DELETE',
    path: '/mlflow/model-versions/delete-tag',
    request: { ...version, key: needed(text) },
    answer: done,
    handle: async (context, { name, version, key }) => registryOf(context).versions.deleteTag(name, version, key),
  }),
];

/** Two versions that are made of one model at the same time may leave one of them out, as with MLflow. */
async function addToModel({ store }: Context, modelId: string, { name, version }: ModelVersion): Promise<void> {
  const model = await store.loggedModels.get(modelId);
  const before = model.info.tags.find(({ key }) => key === VERSIONS_TAG)?.value;
  const value = pythonDumps([...versionsIn(before), { name, version: BigInt(version) }]);
  await store.loggedModels.setTags(modelId, [{ key: VERSIONS_TAG, value }]);
}

function versionsIn(json: string | undefined): readonly Json[] {
  const versions = json === undefined ? undefined : readJson(Buffer.from(json));
  return Array.isArray(versions) ? versions : [];
}
