/**
 * Artifacts as the objects of a bucket. An object store has no folders: a folder is what keys begin with. What each store's
 * own SDK must do for that is an `ObjectStore`; the rest is here, and the same for all of them.
 */
import { Readable } from 'node:stream';
import { lookup } from 'mime-types';
import { invalidParameter, StoreError } from '../store/errors.js';
import { byPath, namesIn } from './path.js';
import type { ArtifactEntry, ArtifactFile, ArtifactRepository, ByteRange, Deleted, Multipart } from './repository.js';

/** Bytes that an upload holds in memory to send them in one call. */
const SMALL = 8 * 1024 * 1024;

export interface StoredObject {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modified: number;
  /** It stands for a folder: made by tools that want to see an empty one. */
  readonly isFolder: boolean;
}

export interface Listed {
  readonly objects: readonly StoredObject[];
  /** Beginnings of keys, with the `/` that they end in. */
  readonly folders: readonly string[];
}

/** Methods that find nothing give null; all else that goes wrong is thrown, when it was tried often enough. */
export interface ObjectStore {
  /** Pages of the objects whose keys begin so. @param deep all of them; else those with a further `/` as folders */
  list(prefix: string, deep: boolean): AsyncIterable<Listed>;
  head(key: string): Promise<StoredObject | null>;
  read(key: string, range: ByteRange): Promise<Readable | null>;
  /** All of the content or nothing. A small one comes whole: it is sent in one call, that can be made again. */
  write(key: string, content: Buffer | Readable, contentType: string): Promise<void>;
  /** Removes all of these, which may be gone already, or throws. As many as one page lists, in the order of their keys. */
  remove(keys: readonly string[]): Promise<void>;
  readonly multipart: Multipart | null;
  close(): Promise<void>;
}

/** @param root what the keys of this repository begin with, without a `/` at either end; empty for a whole bucket */
export function objectRepository(store: ObjectStore, root: string, uri: string): ArtifactRepository {
  return new ObjectRepository(store, root, uri);
}

class ObjectRepository implements ArtifactRepository {
  readonly uri: string;
  readonly multipart: Multipart | null;
  readonly #store: ObjectStore;
  /** Empty, or with a `/` at its end. */
  readonly #prefix: string;

  constructor(store: ObjectStore, root: string, uri: string) {
    this.#store = store;
    this.#prefix = root === '' ? '' : `${root}/`;
    this.uri = uri;
    const { multipart } = store;
    this.multipart = multipart && {
      create: (path, parts) => multipart.create(this.#fileKey(path), parts),
      complete: (path, uploadId, parts) => multipart.complete(this.#fileKey(path), uploadId, parts),
      abort: (path, uploadId) => multipart.abort(this.#fileKey(path), uploadId),
    };
  }

  async list(path: string): Promise<readonly ArtifactEntry[]> {
    const prefix = this.#folder(path);
    const files = new Map<string, ArtifactEntry>();
    const folders = new Map<string, ArtifactEntry>();
    const addFolder = (key: string) => {
      const folder = this.#pathOf(key.replace(/\/+$/, ''));
      if (key !== prefix && isWhole(folder)) folders.set(folder, { path: folder, isFolder: true, size: null });
    };
    for await (const page of this.#store.list(prefix, false)) {
      for (const key of page.folders) addFolder(key);
      for (const { key, size, isFolder } of page.objects) {
        const file = this.#pathOf(key);
        if (isFolder) addFolder(key);
        else if (isWhole(file)) files.set(file, { path: file, isFolder: false, size });
      }
    }
    return [...files.values(), ...folders.values()].sort(byPath);
  }

  async *walk(path: string): AsyncGenerator<ArtifactFile> {
    const single = path === '' ? null : await this.stat(path);
    if (single !== null) yield single;
    for await (const { objects } of this.#store.list(this.#folder(path), true)) {
      for (const { key, size, modified, isFolder } of objects) {
        if (!isFolder) yield { path: this.#pathOf(key), size, modified };
      }
    }
  }

  async stat(path: string): Promise<ArtifactFile | null> {
    if (namesIn(path).length === 0) return null;
    const found = await this.#store.head(this.#key(path));
    return found === null || found.isFolder ? null : { path, size: found.size, modified: found.modified };
  }

  async read(path: string, range: ByteRange = { start: 0 }): Promise<Readable> {
    const content = namesIn(path).length === 0 ? null : await this.#store.read(this.#key(path), range);
    if (content === null) throw new StoreError('RESOURCE_DOES_NOT_EXIST', `No such artifact: '${path}'`);
    return content;
  }

  async write(path: string, content: Readable, size?: number): Promise<void> {
    const key = this.#fileKey(path);
    const pieces = sized(content, path, size);
    try {
      await this.#store.write(key, await wholeIfSmall(pieces), lookup(path) || 'application/octet-stream');
    } finally {
      await pieces.return(undefined);
      content.destroy();
    }
  }

  async delete(path: string): Promise<Deleted> {
    let [files, bytes] = [0, 0];
    const remove = async (objects: readonly StoredObject[]) => {
      if (objects.length === 0) return;
      await this.#store.remove(objects.map(({ key }) => key));
      for (const { size } of objects.filter(({ isFolder }) => !isFolder)) {
        files += 1;
        bytes += size;
      }
    };
    const single = namesIn(path).length === 0 ? null : await this.#store.head(this.#key(path));
    // A folder of its own can go when it is empty only.
    const folders = single?.isFolder ? [single] : [];
    if (single !== null && !single.isFolder) await remove([single]);
    for await (const { objects } of this.#store.list(this.#folder(path), true)) {
      await remove(objects.filter(({ isFolder }) => !isFolder));
      folders.push(...objects.filter(({ isFolder }) => isFolder));
    }
    for (const folder of folders.sort((a, b) => b.key.length - a.key.length)) await remove([folder]);
    return { files, bytes };
  }

  async close(): Promise<void> {}

  #key(path: string): string {
    return this.#prefix + namesIn(path).join('/');
  }

  #fileKey(path: string): string {
    if (namesIn(path).length === 0) throw invalidParameter(`Invalid artifact file name: '${path}'.`);
    return this.#key(path);
  }

  #folder(path: string): string {
    return namesIn(path).length === 0 ? this.#prefix : `${this.#key(path)}/`;
  }

  #pathOf(key: string): string {
    return key.slice(this.#prefix.length);
  }
}

async function wholeIfSmall(pieces: AsyncGenerator<Buffer>): Promise<Buffer | Readable> {
  const first: Buffer[] = [];
  let length = 0;
  while (length < SMALL) {
    const { value, done } = await pieces.next();
    if (done) return Buffer.concat(first);
    first.push(value);
    length += value.length;
  }
  return Readable.from(chain(first, pieces), { objectMode: false });
}

async function* chain(first: readonly Buffer[], rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield* first;
  yield* rest;
}

/** Whether a key that others have made is a path: without empty names, or such as could lead elsewhere on a file system. */
const isWhole = (path: string): boolean =>
  path.split('/').every((name) => name !== '' && name !== '.' && name !== '..');

/** @throws {StoreError} at the end, when it is not of the size that was said */
async function* sized(content: Readable, path: string, size: number | undefined): AsyncGenerator<Buffer> {
  let length = 0;
  for await (const chunk of content) {
    const piece = typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Buffer);
    length += piece.length;
    yield piece;
  }
  if (size !== undefined && length !== size) {
    throw invalidParameter(`${length} of ${size} bytes of the artifact '${path}' arrived`);
  }
}
