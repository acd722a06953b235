import { invalidParameter, StoreError } from '../../store/errors.js';
import type { Experiment, KeyValue } from '../../store/records.js';
import { type AnsweredExperiment, datasetSummary, experiment } from '../answers/tracking.js';
import { checkStorageLocation } from '../locations.js';
import { done, route } from '../route.js';
import { int64, many, needed, optional, text } from '../wire/read.js';
import { list, optional as maybe, object, text as textOf } from '../wire/write.js';
import { keyValue, viewType } from './common.js';

/** Views that users of MLflow's pages save are tags of the experiment; it may have this many. */
const VIEW_TAG = 'mlflow.customView.view';
const MOST_VIEWS = 50;

/** Of several workspaces, MLflow serves this one unless it is told otherwise; files are in no other. */
const answered = (found: Experiment): AnsweredExperiment => ({ ...found, workspace: 'default' });

const oneExperiment = object<{ experiment: AnsweredExperiment }>({ experiment });
const experimentId = { experiment_id: needed(text) };

export const experimentRoutes = [
  route({
    name: 'createExperiment',
    method: 'POST',
    path: '/mlflow/experiments/create',
    request: { name: needed(text), artifact_location: optional(text), tags: many(keyValue) },
    answer: object<{ experiment_id: string }>({ experiment_id: textOf }),
    handle: async ({ store, artifacts }, { name, artifact_location, tags }) => {
      if (tags.filter(isView).length > MOST_VIEWS) throw tooManyViews();
      if (artifact_location) checkStorageLocation(artifact_location, 'artifact_location', artifacts);
      return {
        experiment_id: await store.experiments.create({
          name,
          artifact_location: artifact_location || undefined,
          tags,
        }),
      };
    },
  }),
  route({
    name: 'getExperiment',
    method: 'GET',
    path: '/mlflow/experiments/get',
    request: experimentId,
    answer: oneExperiment,
    handle: async ({ store }, { experiment_id }) => ({
      experiment: answered(await store.experiments.get(experiment_id)),
    }),
  }),
  route({
    name: 'getExperimentByName',
    method: 'GET',
    path: '/mlflow/experiments/get-by-name',
    request: { experiment_name: needed(text) },
    answer: oneExperiment,
    handle: async ({ store }, { experiment_name }) => {
      const found = await store.experiments.getByName(experiment_name);
      if (found) return { experiment: answered(found) };
      throw new StoreError('RESOURCE_DOES_NOT_EXIST', `Could not find experiment with name '${experiment_name}'`);
    },
  }),
  route({
    name: 'searchExperiments',
    method: ['POST', 'GET'],
    path: '/mlflow/experiments/search',
    request: {
      view_type: optional(viewType),
      max_results: optional(int64),
      order_by: many(text),
      filter: optional(text),
      page_token: optional(text),
    },
    answer: object<{ experiments: readonly AnsweredExperiment[]; next_page_token: string | undefined }>({
      experiments: list(experiment),
      next_page_token: maybe(textOf),
    }),
    handle: async ({ store }, { view_type, max_results = 0, order_by, filter, page_token }) => {
      const { items, next_page_token } = await store.experiments.search({
        view_type,
        // MLflow takes a missing number for 0, which its stores refuse.
        max_results,
        order_by,
        filter,
        page_token: page_token || undefined,
      });
      return { experiments: items.map(answered), next_page_token };
    },
  }),
  route({
    name: 'deleteExperiment',
    method: 'POST',
    path: '/mlflow/experiments/delete',
    request: experimentId,
    answer: done,
    handle: ({ store }, { experiment_id }) => store.experiments.delete(experiment_id),
  }),
  route({
    name: 'restoreExperiment',
    method: 'POST',
    path: '/mlflow/experiments/restore',
    request: experimentId,
    answer: done,
    handle: ({ store }, { experiment_id }) => store.experiments.restore(experiment_id),
  }),
  route({
    name: 'updateExperiment',
    method: 'POST',
    path: '/mlflow/experiments/update',
    request: { ...experimentId, new_name: needed(text) },
    answer: done,
    handle: ({ store }, { experiment_id, new_name }) => store.experiments.rename(experiment_id, new_name),
  }),
  route({
    name: 'setExperimentTag',
    method: 'POST',
    path: '/mlflow/experiments/set-experiment-tag',
    request: { ...experimentId, key: needed(text), value: optional(text) },
    answer: done,
    handle: async ({ store }, { experiment_id, key, value = '' }) => {
      if (isView({ key })) checkRoomForView(await store.experiments.get(experiment_id), key);
      await store.experiments.setTag(experiment_id, { key, value });
    },
  }),
  route({
    name: 'deleteExperimentTag',
    method: 'POST',
    path: '/mlflow/experiments/delete-experiment-tag',
    request: { ...experimentId, key: needed(text) },
    answer: done,
    handle: ({ store }, { experiment_id, key }) => store.experiments.deleteTag(experiment_id, key),
  }),
  route({
    name: 'searchDatasets',
    method: 'POST',
    path: '/mlflow/experiments/search-datasets',
    pagesOnly: true,
    request: { experiment_ids: many(text) },
    answer: object<{ dataset_summaries: readonly Parameters<typeof datasetSummary.write>[0][] }>({
      dataset_summaries: list(datasetSummary),
    }),
    handle: async ({ store }, { experiment_ids }) => {
      if (experiment_ids.length === 0) {
        throw invalidParameter('SearchDatasets request must specify at least one experiment_id.');
      }
      if (experiment_ids.length > 20) {
        throw invalidParameter(
          `SearchDatasets request cannot specify more than 20 experiment_ids. Received ${experiment_ids.length} experiment_ids.`,
        );
      }
      return { dataset_summaries: await store.runs.searchDatasets(experiment_ids) };
    },
  }),
];

const isView = ({ key }: Pick<KeyValue, 'key'>): boolean => key.startsWith(VIEW_TAG);

function checkRoomForView({ experiment_id, tags }: Experiment, key: string): void {
  if (tags.some((tag) => tag.key === key) || tags.filter(isView).length < MOST_VIEWS) return;
  throw tooManyViews(` for experiment ${experiment_id}`);
}

const tooManyViews = (where = ''): StoreError =>
  invalidParameter(
    `Unable to create another custom view${where}; the maximum number of custom views per experiment is ${MOST_VIEWS}. ` +
      'Delete an existing custom view before creating a new one.',
  );
