/** What is in the folders of runs, logged models and the proxy. */
import { fileInfo } from '../answers/files.js';
import type { Artifacts } from '../context.js';
import { safePath } from '../locations.js';
import { atPlace, type FileInfo, filesAt, inFolder } from '../places.js';
import { route } from '../route.js';
import { optional, text } from '../wire/read.js';
import { list, object, text as textOf } from '../wire/write.js';
import { runId } from './runs.js';

interface Listing {
  readonly root_uri: string;
  readonly files: readonly FileInfo[];
}

const listing = object<Listing>({ root_uri: textOf, files: list(fileInfo) });

async function listAt(artifacts: Artifacts, uri: string, given: string | undefined): Promise<Listing> {
  const path = given === undefined ? '' : safePath(given);
  const files = await atPlace(artifacts, uri, (place) => filesAt(place, path, (base) => inFolder(path, base)));
  return { root_uri: uri, files };
}

export const listingRoutes = [
  route({
    name: 'listArtifacts',
    method: 'GET',
    path: '/mlflow/artifacts/list',
    request: { run_id: runId, path: optional(text), page_token: optional(text) },
    answer: listing,
    handle: async ({ store, artifacts }, { run_id, path }) => {
      const { info } = await store.runs.get(run_id);
      return listAt(artifacts, info.artifact_uri ?? '', path);
    },
  }),
  route({
    name: 'listLoggedModelArtifacts',
    method: 'GET',
    path: '/mlflow/logged-models/{model_id}/artifacts/directories',
    request: { artifact_directory_path: optional(text), page_token: optional(text) },
    answer: listing,
    handle: async ({ store, artifacts }, { artifact_directory_path }, { model_id }) => {
      const { info } = await store.loggedModels.get(model_id);
      return listAt(artifacts, info.artifact_uri, artifact_directory_path);
    },
  }),
];
