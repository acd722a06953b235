/** Artifacts in Google Cloud Storage: `gs://bucket/path`, by Google's own SDK. */
import { pipeline } from 'node:stream/promises';
import { ApiError, type Bucket, type File, Storage } from '@google-cloud/storage';
import pLimit from 'p-limit';
import { MtrackError } from '../errors.js';
import type { ObjectStore, StoredObject } from './objects.js';
import type { ArtifactOptions } from './repository.js';

const DELETIONS_AT_ONCE = 32;
const PAGE = 1000;

/** @throws {MtrackError} URI_INVALID */
export function parseGcs(uri: string): { readonly bucket: string; readonly root: string } {
  const [, bucket = '', root = ''] = /^gs:\/\/([^/]+)\/?(.*)$/su.exec(uri) ?? [];
  if (bucket !== '') return { bucket, root: root.replace(/\/+$/, '') };
  throw new MtrackError('URI_INVALID', { found: `artifacts at ${uri}`, expected: 'gs://bucket/path' });
}

export function openGcs({ timeout, retries }: ArtifactOptions): Storage {
  return new Storage({
    timeout,
    // What is asked for here can all be asked for twice.
    retryOptions: { autoRetry: true, maxRetries: retries, idempotencyStrategy: 0 },
  });
}

export function gcsStore(storage: Storage, name: string): ObjectStore {
  const bucket = storage.bucket(name);
  return {
    async *list(prefix, deep) {
      let pageToken: string | undefined;
      do {
        const [files, next, response] = await pageOf(bucket, prefix, deep, pageToken);
        yield { objects: files.map(objectOf), folders: prefixesIn(response) };
        pageToken = next?.pageToken;
      } while (pageToken !== undefined);
    },
    head: (key) =>
      orNull(async () => {
        const file = bucket.file(key);
        await file.getMetadata();
        return objectOf(file);
      }),
    read: (key, { start, end }) =>
      orNull(async () => {
        const file = bucket.file(key);
        // A stream says only when it is read that there is nothing.
        await file.getMetadata();
        return file.createReadStream({ start, ...(end !== undefined && { end }) });
      }),
    write: async (key, content, contentType) => {
      const file = bucket.file(key);
      if (Buffer.isBuffer(content)) await file.save(content, { contentType, resumable: false });
      // What is not finished is not there.
      else await pipeline(content, file.createWriteStream({ contentType, resumable: true }));
    },
    remove: async (keys) => {
      const limit = pLimit(DELETIONS_AT_ONCE);
      await Promise.all(keys.map((key) => limit(() => bucket.file(key).delete({ ignoreNotFound: true }))));
    },
    multipart: null,
    close: async () => undefined,
  };
}

function pageOf(bucket: Bucket, prefix: string, deep: boolean, pageToken: string | undefined) {
  return bucket.getFiles({
    prefix,
    autoPaginate: false,
    maxResults: PAGE,
    ...(!deep && { delimiter: '/' }),
    ...(pageToken !== undefined && { pageToken }),
  });
}

/** Of the answer itself, which the SDK hands on as it came. */
function prefixesIn(response: unknown): string[] {
  if (typeof response !== 'object' || response === null || !('prefixes' in response)) return [];
  const { prefixes } = response;
  return Array.isArray(prefixes) ? prefixes.filter((prefix) => typeof prefix === 'string') : [];
}

function objectOf({ name, metadata }: File): StoredObject {
  const size = Number(metadata.size ?? 0);
  return {
    key: name,
    size,
    modified: metadata.updated === undefined ? 0 : Date.parse(metadata.updated),
    isFolder: size === 0 && name.endsWith('/'),
  };
}

async function orNull<T>(call: () => Promise<T>): Promise<T | null> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof ApiError && error.code === 404) return null;
    throw error;
  }
}
