/** The `mlflow-artifacts` API: clients that cannot reach the store of artifacts read and write it through the server. */

import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { ArtifactRepository } from '../../artifacts/repository.js';
import { StoreError } from '../../store/errors.js';
import { fileInfo } from '../answers/files.js';
import { jsonOf } from '../body.js';
import type { Context } from '../context.js';
import { sendFile } from '../download.js';
import { TooLarge } from '../failures.js';
import { normalPath, safePath } from '../locations.js';
import { type FileInfo, filesAt, inFolder } from '../places.js';
import { type Exchange, paramOf, queryOf, type RawRoute } from '../raw-route.js';
import { done } from '../route.js';
import { int64 as int64Given, many, optional as maybe, message, needed, requestReader, text } from '../wire/read.js';
import { int64, list, mapOf, object, record, text as textOf } from '../wire/write.js';

const BASES = ['/api/2.0/mlflow-artifacts', '/ajax-api/2.0/mlflow-artifacts'];
const pathsOf = (rest: string) => BASES.map((base) => base + rest);

const files = object<{ files: readonly FileInfo[] }>({ files: list(fileInfo) });

interface Credential {
  readonly url: string;
  readonly part_number: number;
  readonly headers: Readonly<Record<string, string>>;
}

const created = object<{ upload_id: string; credentials: readonly Credential[] }>({
  upload_id: textOf,
  credentials: list(
    record<Credential>('MultipartUploadCredential', { url: textOf, part_number: int64, headers: mapOf(textOf) }),
  ),
});

const part = message('MultipartUploadPart', { part_number: maybe(int64Given), etag: maybe(text), url: maybe(text) });
const createRequest = { path: needed(text), num_parts: maybe(int64Given) };
const completeRequest = { path: needed(text), upload_id: maybe(text), parts: many(part) };
const abortRequest = { path: needed(text), upload_id: maybe(text) };
const readCreate = requestReader(createRequest);
const readComplete = requestReader(completeRequest);
const readAbort = requestReader(abortRequest);

/** What these two say is FastAPI's form of an error, not MLflow's. */
const detail = (reply: FastifyReply, status: number, text: string) => reply.code(status).send({ detail: text });

const notServed = (reply: FastifyReply) =>
  detail(reply, 503, 'Artifact serving is disabled. Run `mlflow server` with `--serve-artifacts` to enable.');

type Handler = (destination: ArtifactRepository, exchange: Exchange, context: Context) => Promise<unknown>;

/** The destination, where the server gives it out. */
const served =
  (handle: Handler): RawRoute['handle'] =>
  async (context, exchange) => {
    const { served, destination } = context.artifacts;
    return served ? handle(destination, exchange, context) : notServed(exchange.reply);
  };

const json = (reply: FastifyReply, text: string) => reply.type('application/json').send(text);

const pathIn = ({ request }: Exchange): string => safePath(paramOf(request, '*'));

export const proxyRoutes: readonly RawRoute[] = [
  {
    name: 'listProxiedArtifacts',
    methods: ['GET'],
    paths: pathsOf('/artifacts'),
    body: 'none',
    query: { path: { schema: { type: 'string' } } },
    gives: { 'application/json': files.schema },
    handle: served(async (destination, { request, reply }) => {
      const given = queryOf(request, 'path');
      const path = given === undefined ? '' : safePath(given);
      const found = await filesAt({ repository: destination, folder: '' }, path, (base) => base);
      return json(reply, files.write({ files: found }));
    }),
  },
  {
    name: 'downloadArtifact',
    methods: ['GET'],
    paths: pathsOf('/artifacts/{artifact_path*}'),
    body: 'none',
    gives: { '*/*': { type: 'string', format: 'binary' } },
    handle: served(async (destination, exchange) => {
      const path = pathIn(exchange);
      const folder = () => detail(exchange.reply, 400, `Artifact path refers to a directory, not a file: '${path}'`);
      return sendFile(exchange, destination, normalPath(path), folder);
    }),
  },
  {
    name: 'uploadArtifact',
    methods: ['PUT'],
    paths: pathsOf('/artifacts/{artifact_path*}'),
    body: 'stream',
    takes: ['application/octet-stream'],
    gives: {},
    handle: served(async (destination, exchange, { uploadLimit }) => {
      const { request, reply } = exchange;
      const path = pathIn(exchange);
      if (path === '' || path.endsWith('/')) {
        return detail(reply, 400, "Artifact path must include a filename (cannot end with '/').");
      }
      const given = request.headers['content-length'];
      const size = given === undefined ? undefined : Number(given);
      if (uploadLimit !== null && (size ?? 0) > uploadLimit) throw new TooLarge(uploadLimit);
      const content = request.body instanceof Readable ? request.body : Readable.from([]);
      const counted = uploadLimit === null || size !== undefined ? content : Readable.from(upTo(uploadLimit, content));
      await destination.write(normalPath(path), counted, size);
      return reply.send();
    }),
  },
  {
    name: 'deleteArtifact',
    methods: ['DELETE'],
    paths: pathsOf('/artifacts/{artifact_path*}'),
    body: 'text',
    gives: { 'application/json': done.schema },
    handle: served(async (destination, exchange) => {
      await destination.delete(normalPath(pathIn(exchange)));
      return json(exchange.reply, '{}');
    }),
  },
  {
    name: 'createMultipartUpload',
    methods: ['POST'],
    paths: pathsOf('/mpu/create/{artifact_path*}'),
    body: 'text',
    message: createRequest,
    gives: { 'application/json': created.schema },
    handle: served(async (destination, exchange) => {
      const folder = pathIn(exchange);
      const { path, num_parts = 0 } = readCreate(jsonOf(exchange.request));
      const { upload_id, parts } = await multipartOf(destination).create(target(folder, path), num_parts);
      return json(exchange.reply, created.write({ upload_id, credentials: parts }));
    }),
  },
  {
    name: 'completeMultipartUpload',
    methods: ['POST'],
    paths: pathsOf('/mpu/complete/{artifact_path*}'),
    body: 'text',
    message: completeRequest,
    gives: { 'application/json': done.schema },
    handle: served(async (destination, exchange) => {
      const folder = pathIn(exchange);
      const { path, upload_id = '', parts } = readComplete(jsonOf(exchange.request));
      const etags = parts.map(({ part_number = 0, etag = '' }) => ({ part_number, etag }));
      await multipartOf(destination).complete(target(folder, path), upload_id, etags);
      return json(exchange.reply, '{}');
    }),
  },
  {
    name: 'abortMultipartUpload',
    methods: ['POST'],
    paths: pathsOf('/mpu/abort/{artifact_path*}'),
    body: 'text',
    message: abortRequest,
    gives: { 'application/json': done.schema },
    handle: served(async (destination, exchange) => {
      const folder = pathIn(exchange);
      const { path, upload_id = '' } = readAbort(jsonOf(exchange.request));
      await multipartOf(destination).abort(target(folder, path), upload_id);
      return json(exchange.reply, '{}');
    }),
  },
];

/** For a body whose length was not announced. */
async function* upTo(limit: number, content: Readable): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of content as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new TooLarge(limit);
    yield chunk;
  }
}

/** The client names its local file: only its base counts. */
function target(folder: string, file: string): string {
  return inFolder(normalPath(folder), normalPath(safePath(file.slice(file.lastIndexOf('/') + 1))));
}

function multipartOf({ multipart }: ArtifactRepository) {
  if (multipart) return multipart;
  throw new StoreError('NOT_IMPLEMENTED', 'Multipart upload is not supported for the current artifact repository');
}
