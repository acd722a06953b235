/** Sends a file of a repository as an attachment, so that no browser shows it as a page of this server. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { lookup } from 'mime-types';
import type { ArtifactFile, ArtifactRepository, ByteRange } from '../artifacts/repository.js';
import { StoreError } from '../store/errors.js';

/** What MLflow shows as text, whatever its type. */
const TEXTS = new Set(
  (
    'txt log err cfg conf cnf cf ini properties prop hocon toml yaml yml xml json js py py3 csv tsv md rst ipynb ' +
    'MLmodel MLproject'
  ).split(' '),
);

export function mimeType(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 ? name.slice(dot + 1) : name;
  return TEXTS.has(extension) ? 'text/plain' : lookup(name) || 'application/octet-stream';
}

/** RFC 6266: names beyond ASCII have a second form, and a plain one for those who do not know it. */
export function attachment(name: string): string {
  if (/^[\u0020-\u007e]*$/.test(name)) return `attachment; filename=${quotedName(name)}`;
  const plain = name.normalize('NFKD').replace(/[^\u0020-\u007e]/g, '') || 'download';
  const encoded = encodeURIComponent(name.toWellFormed()).replace(/[!'()*]/g, (c) =>
    c === '!' ? c : `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename=${quotedName(plain)}; filename*=UTF-8''${encoded}`;
}

const quotedName = (name: string): string =>
  /^[\w!#$%&'*+.^`|~-]+$/.test(name) ? name : `"${name.replace(/[\\"]/g, '\\$&')}"`;

/**
 * @param name under which messages speak of the file
 * @param ofFolder the answer where a folder has this name
 * @throws {StoreError} RESOURCE_DOES_NOT_EXIST
 */
export async function sendFile(
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
  repository: ArtifactRepository,
  path: string,
  ofFolder: () => unknown,
): Promise<unknown> {
  const file = path === '' ? null : await repository.stat(path);
  if (file === null) {
    if (path === '' || (await repository.list(path)).length > 0) return ofFolder();
    throw new StoreError('RESOURCE_DOES_NOT_EXIST', `No such artifact: '${path}'`);
  }
  const etag = `"${file.size.toString(16)}-${file.modified.toString(16)}"`;
  reply.headers({
    'content-type': mimeType(path),
    'content-disposition': attachment(path.slice(path.lastIndexOf('/') + 1)),
    'x-content-type-options': 'nosniff',
    'accept-ranges': 'bytes',
    'last-modified': new Date(file.modified).toUTCString(),
    etag,
  });
  if (request.headers['if-none-match'] === etag) return reply.code(304).send();
  const range = rangeOf(request, file, etag);
  if (range === 'unsatisfiable') {
    return reply.code(416).header('content-range', `bytes */${file.size}`).removeHeader('content-disposition').send();
  }
  if (range === null) {
    reply.header('content-length', file.size);
    return request.method === 'HEAD' ? reply.send() : reply.send(await repository.read(path));
  }
  const { start, end } = range;
  reply.code(206).headers({ 'content-range': `bytes ${start}-${end}/${file.size}`, 'content-length': end - start + 1 });
  return request.method === 'HEAD' ? reply.send() : reply.send(await repository.read(path, range));
}

/** Of several ranges none is taken: the whole file is a right answer, too. */
function rangeOf(
  request: FastifyRequest,
  { size, modified }: ArtifactFile,
  etag: string,
): Required<ByteRange & { end: number }> | 'unsatisfiable' | null {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  if (first === '' && last === '') return null;
  const condition = request.headers['if-range'];
  if (condition !== undefined && condition !== etag && condition !== new Date(modified).toUTCString()) return null;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (start > end && first !== '' && last !== '' && Number(last) < Number(first)) return null;
  return start > end ? 'unsatisfiable' : { start, end };
}
