/** What the server says of itself. */
import type { Context } from '../context.js';
import type { RawRoute } from '../raw-route.js';

/** The release whose API is served: clients decide by it what they may ask for. */
export const MLFLOW_VERSION = '3.17.2';

const TEXT = { 'text/plain': { type: 'string' } } as const;

export const informationRoutes: readonly RawRoute[] = [
  {
    name: 'health',
    methods: ['GET'],
    paths: ['/health'],
    body: 'none',
    gives: TEXT,
    handle: async (_, { reply }) => reply.type('text/plain; charset=utf-8').send('OK'),
  },
  {
    name: 'version',
    methods: ['GET'],
    paths: ['/version'],
    body: 'none',
    gives: TEXT,
    handle: async (_, { reply }) => reply.type('text/plain; charset=utf-8').send(MLFLOW_VERSION),
  },
  {
    name: 'serverInfo',
    methods: ['GET'],
    paths: ['/api/3.0/mlflow/server-info', '/ajax-api/3.0/mlflow/server-info'],
    body: 'none',
    gives: { 'application/json': { type: 'object' } },
    handle: async (context) => serverInfo(context),
  },
  {
    name: 'front',
    methods: ['GET'],
    paths: ['/'],
    body: 'none',
    gives: TEXT,
    handle: async (_, { reply }) =>
      reply
        .type('text/plain; charset=utf-8')
        .send("mtrack server: MLflow's REST API, without its web pages. It is described at /openapi.json.\n"),
  },
];

/** In the names of MLflow's clients, which look here for what they may use. */
function serverInfo({ store, artifacts }: Context): Record<string, unknown> {
  return {
    store_type: store.registry ? 'SqlStore' : 'FileStore',
    workspaces_enabled: false,
    trace_archival_enabled: false,
    multipart_uploads_enabled: artifacts.served && artifacts.destination.multipart !== null,
    multipart_downloads_enabled: false,
    presigned_upload_run_id_supported: false,
    presigned_upload_model_id_supported: false,
    features_enabled: { gateway: false },
  };
}
