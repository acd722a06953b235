/** Files of runs, model versions, logged models and traces, one by one, and the upload of MLflow's web pages. */
import { Readable } from 'node:stream';
import { invalidParameter, StoreError } from '../../store/errors.js';
import { type Context, registryOf } from '../context.js';
import { sendFile } from '../download.js';
import { normalPath, safePath } from '../locations.js';
import { atPlace, inFolder } from '../places.js';
import { type Exchange, paramOf, queryOf, type RawRoute } from '../raw-route.js';
import { missingValue } from '../wire/read.js';

const STRING = { schema: { type: 'string' } } as const;
const NEEDED = { required: true, ...STRING } as const;
const FILE = { '*/*': { type: 'string', format: 'binary' } } as const;

/** The largest file that MLflow's web pages may send. */
const MOST_BYTES = 10 * 1024 * 1024;

function needed({ request }: Exchange, ...names: readonly [string, ...string[]]): string {
  const value = names.map((name) => queryOf(request, name)).find((each) => each);
  if (value) return value;
  throw missingValue(names[0]);
}

async function sendFrom({ artifacts }: Context, exchange: Exchange, uri: string, path: string): Promise<unknown> {
  return atPlace(artifacts, uri, ({ repository, folder }) => {
    const place = inFolder(folder, normalPath(path));
    return sendFile(exchange, repository, place, () => {
      throw invalidParameter(`Artifact path refers to a directory, not a file: '${place}'`);
    });
  });
}

export const downloadRoutes: readonly RawRoute[] = [
  {
    name: 'getArtifact',
    methods: ['GET'],
    paths: ['/get-artifact'],
    body: 'none',
    query: { run_id: STRING, run_uuid: STRING, path: NEEDED },
    gives: FILE,
    handle: async (context, exchange) => {
      const runId = needed(exchange, 'run_id', 'run_uuid');
      const path = safePath(needed(exchange, 'path'));
      const { info } = await context.store.runs.get(runId);
      return sendFrom(context, exchange, info.artifact_uri ?? '', path);
    },
  },
  {
    name: 'getModelVersionArtifact',
    methods: ['GET'],
    paths: ['/model-versions/get-artifact'],
    body: 'none',
    query: { name: NEEDED, version: NEEDED, path: NEEDED },
    gives: FILE,
    handle: async (context, exchange) => {
      const path = safePath(needed(exchange, 'path'));
      const [name, version] = [needed(exchange, 'name'), needed(exchange, 'version')];
      const uri = await registryOf(context).versions.downloadUri(name, version);
      return sendFrom(context, exchange, uri ?? '', path);
    },
  },
  {
    name: 'getLoggedModelArtifact',
    methods: ['GET'],
    paths: ['/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files'],
    body: 'none',
    query: { artifact_file_path: NEEDED },
    gives: FILE,
    handle: async (context, exchange) => {
      const given = queryOf(exchange.request, 'artifact_file_path');
      if (!given) {
        throw new StoreError('BAD_REQUEST', 'Request must include the "artifact_file_path" query parameter.');
      }
      const path = safePath(given);
      const { info } = await context.store.loggedModels.get(paramOf(exchange.request, 'model_id'));
      return sendFrom(context, exchange, info.artifact_uri, path);
    },
  },
  {
    name: 'uploadRunArtifact',
    methods: ['POST'],
    paths: ['/ajax-api/2.0/mlflow/upload-artifact'],
    body: 'buffer',
    query: { run_uuid: NEEDED, path: NEEDED },
    takes: ['application/octet-stream'],
    gives: {},
    handle: async (context, { request, reply }) => {
      const runId = queryOf(request, 'run_uuid');
      if (!runId) throw invalidParameter('Request must specify run_uuid.');
      const given = queryOf(request, 'path');
      if (!given) throw invalidParameter('Request must specify path.');
      const path = safePath(given);
      const data = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      if (data.length === 0) throw invalidParameter('Request must specify data.');
      if (data.length > MOST_BYTES) throw invalidParameter('Artifact size is too large. Max size is 10MB.');
      const { info } = await context.store.runs.get(runId);
      await atPlace(context.artifacts, info.artifact_uri ?? '', ({ repository, folder }) =>
        repository.write(inFolder(folder, normalPath(path)), Readable.from([data]), data.length),
      );
      return reply.type('application/json').send('');
    },
  },
];
