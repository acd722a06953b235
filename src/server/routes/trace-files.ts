/** The spans of a trace as one file, wherever they are kept, and what is attached to them. */
import { StoreError } from '../../store/errors.js';
import type { TraceInfo } from '../../store/records.js';
import type { Context } from '../context.js';
import { attachment, sendFile } from '../download.js';
import { safePath } from '../locations.js';
import { atPlace, inFolder } from '../places.js';
import { type Exchange, queryOf, type RawRoute } from '../raw-route.js';

const FILE = 'traces.json';
const ARTIFACT_LOCATION = 'mlflow.artifactLocation';
const SPANS_LOCATION = 'mlflow.trace.spansLocation';
const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/;

export const traceFileRoutes: readonly RawRoute[] = [
  {
    name: 'getTraceArtifact',
    methods: ['GET'],
    paths: ['/ajax-api/2.0/mlflow/get-trace-artifact', '/ajax-api/3.0/mlflow/get-trace-artifact'],
    body: 'none',
    query: { request_id: { required: true, schema: { type: 'string' } }, path: { schema: { type: 'string' } } },
    gives: { '*/*': { type: 'string', format: 'binary' } },
    handle: async (context, exchange) => {
      const traceId = queryOf(exchange.request, 'request_id');
      if (!traceId) throw new StoreError('BAD_REQUEST', 'Request must include the "request_id" query parameter.');
      const path = queryOf(exchange.request, 'path');
      const info = await infoOf(context, traceId);
      if (path) return sendFrom(context, exchange, info, `attachments/${attachmentOf(path)}`);
      if (context.store.traces.spans && info.tags[SPANS_LOCATION] === 'TRACKING_STORE') {
        const { spans } = await context.store.traces.spans.getTrace(traceId, true);
        return exchange.reply
          .headers({ 'content-type': 'text/plain', 'content-disposition': attachment(FILE) })
          .send(`{"spans":[${spans.map(({ content }) => content).join(',')}]}`);
      }
      return sendFrom(context, exchange, info, FILE);
    },
  },
];

/** A database is asked for the trace itself, and says so in other words. */
async function infoOf({ store }: Context, traceId: string): Promise<TraceInfo> {
  try {
    return await store.traces.getInfo(traceId);
  } catch (error) {
    const missing = store.traces.spans && error instanceof StoreError && error.code === 'RESOURCE_DOES_NOT_EXIST';
    throw missing ? new StoreError(error.code, `Trace with ID ${traceId} is not found.`) : error;
  }
}

function attachmentOf(path: string): string {
  if (UUID.test(safePath(path))) return path;
  throw new StoreError(
    'INVALID_PARAMETER_VALUE',
    `Invalid attachment path: '${path}'. Attachment path must be a valid UUID.`,
  );
}

async function sendFrom({ artifacts }: Context, exchange: Exchange, info: TraceInfo, path: string): Promise<unknown> {
  const uri = info.tags[ARTIFACT_LOCATION];
  if (!uri) throw new StoreError('INVALID_STATE', `Trace data is corrupted for request_id=${info.trace_id}`);
  return atPlace(artifacts, uri, async ({ repository, folder }) => {
    const place = inFolder(folder, path);
    if ((await repository.stat(place)) === null)
      throw new StoreError('NOT_FOUND', `Trace data not found for path=${path}`);
    return sendFile(exchange, repository, place, () => exchange.reply.code(404).send());
  });
}
