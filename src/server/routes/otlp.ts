/** Spans by the OpenTelemetry protocol: how MLflow's client writes traces to a database, and any exporter of OpenTelemetry. */
import { gunzip, inflate, inflateRaw } from 'node:zlib';
import type { FastifyReply } from 'fastify';
import { messageOf } from '../../errors.js';
import { StoreError } from '../../store/errors.js';
import type { RawRoute } from '../raw-route.js';
import { type Exported, ingest } from '../spans/ingest.js';

const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';

/** FastAPI's form of an error, as MLflow serves this route. */
class Refused extends Error {
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

export const otlpRoutes: readonly RawRoute[] = [
  {
    name: 'exportTraces',
    methods: ['POST'],
    paths: ['/v1/traces'],
    body: 'buffer',
    headers: { 'x-mlflow-experiment-id': { required: true }, 'x-mlflow-run-id': { required: false } },
    takes: [PROTOBUF, JSON_TYPE],
    gives: { [PROTOBUF]: { type: 'string', format: 'binary' } },
    handle: async ({ store, log, bodyLimit }, { request, reply }) => {
      const experimentId = headerOf(request.headers['x-mlflow-experiment-id']);
      if (experimentId === undefined) return missingHeader(reply);
      try {
        const exported = await exportedIn(request.headers, bodyOf(request.body), bodyLimit);
        if (exported.resourceSpans.length === 0) {
          throw new Refused(400, 'Invalid OpenTelemetry format - no spans found');
        }
        const { spans, completed } = ingested(exported);
        if (spans.length > 0) {
          if (store.traces.spans === null) {
            throw new Refused(501, 'REST OTLP span logging is not supported by FileStore');
          }
          await store.traces.spans.log(experimentId, spans);
          const runId = headerOf(request.headers['x-mlflow-run-id']);
          if (runId !== undefined && completed.length > 0) {
            await store.traces.linkToRun(completed, runId).catch((error: unknown) => {
              log('error', 'traces were not linked to their run', { request: request.id, cause: messageOf(error) });
            });
          }
        }
        return reply.type(PROTOBUF).send(Buffer.alloc(0));
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        return reply.code(error.status).send({ detail: error.message });
      }
    },
  },
];

function headerOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}

const bodyOf = (body: unknown): Buffer => (Buffer.isBuffer(body) ? body : Buffer.alloc(0));

const missingHeader = (reply: FastifyReply) =>
  reply.code(422).send({
    detail: [{ type: 'missing', loc: ['header', 'x-mlflow-experiment-id'], msg: 'Field required', input: null }],
  });

async function exportedIn(
  headers: { readonly 'content-type'?: string | undefined; readonly 'content-encoding'?: string | undefined },
  raw: Buffer,
  limit: number,
): Promise<Exported> {
  const { 'content-type': given, 'content-encoding': encoding } = headers;
  const type = given?.split(';')[0]?.trim();
  if (type !== PROTOBUF && type !== JSON_TYPE) {
    throw new Refused(400, `Invalid Content-Type: ${given ?? 'None'}. Expected: ${PROTOBUF} or ${JSON_TYPE}`);
  }
  const body = encoding === undefined ? raw : await unpacked(raw, encoding.toLowerCase(), limit);
  // Only who sends spans pays for the library that reads them.
  const { decodeExport, readExport } = await import('../spans/proto.js');
  try {
    return type === PROTOBUF ? decodeExport(body) : readExport(body.toString());
  } catch {
    throw new Refused(400, 'Invalid OpenTelemetry format');
  }
}

function ingested(exported: Exported) {
  try {
    return ingest(exported);
  } catch {
    throw new Refused(422, 'Cannot convert OpenTelemetry span to MLflow span');
  }
}

async function unpacked(body: Buffer, encoding: string, limit: number): Promise<Buffer> {
  const by = (unpack: typeof gunzip) =>
    new Promise<Buffer>((resolve, reject) => {
      unpack(body, { maxOutputLength: limit }, (error, result) => (error ? reject(error) : resolve(result)));
    });
  try {
    if (encoding === 'gzip') return await by(gunzip);
    if (encoding === 'deflate') return await by(inflate).catch(() => by(inflateRaw));
  } catch (error) {
    if (error instanceof RangeError)
      throw new StoreError('INVALID_PARAMETER_VALUE', 'The request is too large when it is unpacked.');
    throw new Refused(400, `Failed to decompress ${encoding} payload`);
  }
  throw new Refused(400, `Unsupported Content-Encoding: ${encoding}`);
}
