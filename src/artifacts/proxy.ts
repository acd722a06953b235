/**
 * Artifacts behind a tracking server, which hands them on to and from its own destination
 * (`/api/2.0/mlflow-artifacts/artifacts`): for who can reach the server and not the destination.
 */
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { lookup } from 'mime-types';
import { invalidParameter, StoreError } from '../store/errors.js';
import { type HttpAnswer, httpClient } from './http.js';
import { byPath, joined, namesIn } from './path.js';
import type {
  ArtifactEntry,
  ArtifactFile,
  ArtifactRepository,
  ByteRange,
  Deleted,
  ServerOptions,
} from './repository.js';

const ROUTE = '/api/2.0/mlflow-artifacts/artifacts';

interface Patience {
  readonly timeout: number;
  readonly retries: number;
}

/** The server and the path behind it that a URL of a proxy names; null where it is none. */
export function parseProxied(uri: string): { readonly server: string; readonly root: string } | null {
  const url = new URL(uri);
  const at = url.pathname.indexOf(ROUTE);
  if (at < 0) return null;
  const root = url.pathname
    .slice(at + ROUTE.length)
    .split('/')
    .filter((name) => name !== '');
  return { server: url.origin + url.pathname.slice(0, at), root: root.map(decodeURIComponent).join('/') };
}

/** @param root path below the server's destination */
export function proxiedRepository(
  server: ServerOptions,
  root: string,
  uri: string,
  patience: Patience,
): ArtifactRepository {
  return new ProxiedRepository(server, root, uri, patience);
}

class ProxiedRepository implements ArtifactRepository {
  readonly uri: string;
  readonly multipart = null;
  readonly #client: ReturnType<typeof httpClient>;
  readonly #base: string;
  readonly #root: string;

  constructor(server: ServerOptions, root: string, uri: string, patience: Patience) {
    this.uri = uri;
    this.#base = server.uri.replace(/\/+$/, '') + ROUTE;
    this.#root = root;
    this.#client = httpClient(server, patience);
  }

  async list(path: string): Promise<readonly ArtifactEntry[]> {
    const folder = this.#full(path);
    const answer = await this.#client('GET', `${this.#base}?path=${encodeURIComponent(folder)}`);
    if (answer.status === 404) return [];
    const files = filesIn(await text(await this.#checked(answer, path)));
    const entries = files.map(
      (file): ArtifactEntry => ({
        path: joined(path, file.name),
        isFolder: file.isFolder,
        size: file.isFolder ? null : file.size,
      }),
    );
    // An older server lists a file as if it were in itself.
    const isItself = entries.length === 1 && !entries[0]?.isFolder && namesIn(path).at(-1) === files[0]?.name;
    return isItself && (await this.#isFile(path)) ? [] : entries.sort(byPath);
  }

  async *walk(path: string): AsyncGenerator<ArtifactFile> {
    const single = path === '' ? null : await this.stat(path);
    if (single !== null) yield single;
    else yield* this.#below(path);
  }

  async *#below(path: string): AsyncGenerator<ArtifactFile> {
    for (const entry of await this.list(path)) {
      if (entry.isFolder) yield* this.#below(entry.path);
      else yield { path: entry.path, size: entry.size ?? 0, modified: 0 };
    }
  }

  /** `modified` is 0: a server does not tell it. */
  async stat(path: string): Promise<ArtifactFile | null> {
    const names = namesIn(path);
    if (names.length === 0) return null;
    const beside = await this.list(names.slice(0, -1).join('/'));
    const found = beside.find((entry) => entry.path === path && !entry.isFolder);
    return found ? { path, size: found.size ?? 0, modified: 0 } : null;
  }

  async #isFile(path: string): Promise<boolean> {
    return (await this.stat(path)) !== null;
  }

  async read(path: string, range: ByteRange = { start: 0 }): Promise<Readable> {
    const found = namesIn(path).length === 0 ? null : await this.stat(path);
    if (found === null) throw new StoreError('RESOURCE_DOES_NOT_EXIST', `No such artifact: '${path}'`);
    const answer = await this.#client('GET', this.#url(path));
    // MLflow's server sends the whole file, whatever part is asked for.
    return part(await this.#checked(answer, path), range);
  }

  async write(path: string, content: Readable, size?: number): Promise<void> {
    if (namesIn(path).length === 0) throw invalidParameter(`Invalid artifact file name: '${path}'.`);
    try {
      const headers = { 'content-type': lookup(path) || 'application/octet-stream' };
      const answer = await this.#client('PUT', this.#url(path), { headers, content, size });
      (await this.#checked(answer, path)).resume();
    } finally {
      content.destroy();
    }
  }

  async delete(path: string): Promise<Deleted> {
    if (this.#full(path) === '') throw invalidParameter('a server deletes no more than a folder of its artifacts');
    let [files, bytes] = [0, 0];
    for await (const { size } of this.walk(path)) {
      files += 1;
      bytes += size;
    }
    const answer = await this.#client('DELETE', this.#url(path));
    // Where there is nothing, some destinations say so.
    if (answer.status < 300 || files > 0) (await this.#checked(answer, path)).resume();
    else answer.body.resume();
    return { files, bytes };
  }

  async close(): Promise<void> {}

  #full(path: string): string {
    return joined(this.#root, namesIn(path).join('/')).replace(/\/$/, '');
  }

  #url(path: string): string {
    return `${this.#base}/${this.#full(path).split('/').map(encodeURIComponent).join('/')}`;
  }

  /** @throws {StoreError} in the server's own words */
  async #checked({ status, body }: HttpAnswer, path: string): Promise<Readable> {
    if (status < 300) return body;
    const said = (await text(body)).slice(0, 500);
    throw new StoreError(
      status === 404 ? 'RESOURCE_DOES_NOT_EXIST' : 'INTERNAL_ERROR',
      `${this.uri}${path === '' ? '' : `/${path}`}: the server answered ${status}: ${said}`,
    );
  }
}

function filesIn(json: string): readonly { name: string; isFolder: boolean; size: number }[] {
  const answer: unknown = JSON.parse(json);
  const files = typeof answer === 'object' && answer !== null && 'files' in answer ? answer.files : [];
  if (!Array.isArray(files)) throw new StoreError('INTERNAL_ERROR', 'the server answered no list of files');
  return files.map((file: Readonly<Record<string, unknown>>) => ({
    // Only the last name: what a server answers must not lead anywhere else.
    name: namesIn(String(file.path)).at(-1) ?? '',
    isFolder: file.is_dir === true,
    size: Number(file.file_size ?? 0),
  }));
}

function part(whole: Readable, { start, end }: ByteRange): Readable {
  if (start === 0 && end === undefined) return whole;
  return Readable.from(
    (async function* () {
      let at = 0;
      for await (const chunk of whole) {
        const piece = Buffer.from(chunk);
        const wanted = piece.subarray(
          Math.max(0, start - at),
          end === undefined ? undefined : Math.max(0, end + 1 - at),
        );
        at += piece.length;
        if (wanted.length > 0) yield wanted;
        if (end !== undefined && at > end) return;
      }
    })(),
    { objectMode: false },
  );
}
