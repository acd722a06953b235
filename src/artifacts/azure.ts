/**
 * Artifacts in Azure: `wasbs://container@account.blob.core.windows.net/path`, and `abfss://…dfs.core.windows.net/path` of
 * accounts with folders, which have the same blobs under the other name of the account.
 */

import type { Readable } from 'node:stream';
import type { TokenCredential } from '@azure/identity';
import {
  BlobSASPermissions,
  BlobServiceClient,
  type BlockBlobClient,
  type BlockBlobUploadStreamOptions,
  type ContainerClient,
  generateBlobSASQueryParameters,
  RestError,
  SASProtocol,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import pLimit from 'p-limit';
import { MtrackError } from '../errors.js';
import { StoreError } from '../store/errors.js';
import type { ObjectStore, StoredObject } from './objects.js';
import type { ArtifactOptions, Multipart } from './repository.js';

/** Bytes of one block of an upload, and blocks that are under way at a time. */
const BLOCK = 8 * 1024 * 1024;
const BLOCKS_AT_ONCE = 4;
const DELETIONS_AT_ONCE = 16;
const HOUR = 3_600_000;

export interface AzurePlace {
  readonly account: string;
  readonly container: string;
  /** Of the account, without its name: `blob.core.windows.net`. */
  readonly suffix: string;
  readonly root: string;
}

/** @throws {MtrackError} URI_INVALID */
export function parseAzure(uri: string): AzurePlace {
  const [, container = '', account = '', cloud = '', root = ''] =
    /^(?:wasbs?|abfss?):\/\/([^@/]+)@([^./@]+)\.(?:blob|dfs)\.(core\.[a-z.]+)\/?(.*)$/isu.exec(uri) ?? [];
  if (account !== '') return { account, container, suffix: `blob.${cloud}`, root: root.replace(/\/+$/, '') };
  throw new MtrackError('URI_INVALID', {
    found: `artifacts at ${uri}`,
    expected:
      'wasbs://container@account.blob.core.windows.net/path, abfss://container@account.dfs.core.windows.net/path',
  });
}

/** @param account `account.blob.core.windows.net` */
export async function openAzure({ account, suffix }: AzurePlace, options: ArtifactOptions): Promise<BlobServiceClient> {
  const { connectionString, accessKey } = options.azure;
  const pipeline = {
    retryOptions: { maxTries: options.retries + 1, tryTimeoutInMs: options.timeout, maxRetryDelayInMs: 30_000 },
  };
  if (connectionString !== null) {
    return BlobServiceClient.fromConnectionString(connectionString.reveal(), pipeline);
  }
  const url = `https://${account}.${suffix}`;
  if (accessKey !== null) {
    return new BlobServiceClient(url, new StorageSharedKeyCredential(account, accessKey.reveal()), pipeline);
  }
  const { DefaultAzureCredential } = await import('@azure/identity');
  return new BlobServiceClient(url, new DefaultAzureCredential() satisfies TokenCredential, pipeline);
}

export function azureStore(service: BlobServiceClient, name: string): ObjectStore {
  const container = service.getContainerClient(name);
  return {
    async *list(prefix, deep) {
      const given = { prefix, includeMetadata: true };
      if (deep) {
        for await (const { segment } of container.listBlobsFlat(given).byPage()) {
          yield { objects: segment.blobItems.map(objectOf), folders: [] };
        }
        return;
      }
      for await (const { segment } of container.listBlobsByHierarchy('/', given).byPage()) {
        yield {
          objects: segment.blobItems.map(objectOf),
          folders: (segment.blobPrefixes ?? []).map((each) => each.name),
        };
      }
    },
    head: (key) =>
      orNull(async () => {
        const found = await container.getBlobClient(key).getProperties();
        const { contentLength, lastModified, metadata } = found;
        return objectOf({
          name: key,
          properties: { ...(contentLength !== undefined && { contentLength }), ...(lastModified && { lastModified }) },
          ...(metadata && { metadata }),
        });
      }),
    read: (key, { start, end }) =>
      orNull(async () => {
        const count = end === undefined ? undefined : end - start + 1;
        const { readableStreamBody } = await container.getBlobClient(key).download(start, count);
        // On Node.js the SDK's body is a stream of Node's.
        return readableStreamBody as Readable;
      }),
    write: async (key, content, blobContentType) => {
      const blob = container.getBlockBlobClient(key);
      const options = { blobHTTPHeaders: { blobContentType } };
      if (Buffer.isBuffer(content)) await blob.upload(content, content.length, options);
      else await uploadBlocks(blob, content, options);
    },
    remove: async (keys) => {
      const limit = pLimit(DELETIONS_AT_ONCE);
      await Promise.all(
        keys.map((key) => limit(() => container.getBlobClient(key).deleteIfExists({ deleteSnapshots: 'include' }))),
      );
    },
    multipart: multipartOf(service, container),
    close: async () => undefined,
  };
}

async function uploadBlocks(blob: BlockBlobClient, content: Readable, options: BlockBlobUploadStreamOptions) {
  const failed = Promise.withResolvers<never>();
  const aborted = new AbortController();
  // The SDK does not end when its source breaks off.
  content.once('error', (error) => {
    failed.reject(error);
    aborted.abort();
  });
  const upload = blob.uploadStream(content, BLOCK, BLOCKS_AT_ONCE, { ...options, abortSignal: aborted.signal });
  await Promise.race([upload, failed.promise]);
}

/** Blocks are put past the server by whoever has a signed URL; their names follow from their numbers, as in MLflow. */
function multipartOf(service: BlobServiceClient, container: ContainerClient): Multipart {
  const blockId = (part: number) => Buffer.from(`mlflow_block_${part}`).toString('base64');
  return {
    create: async (key, parts) => {
      const signature = await signatureFor(service, container.containerName, key);
      const url = container.getBlobClient(key).url;
      return {
        upload_id: '',
        parts: Array.from({ length: parts }, (_, i) => ({
          part_number: i + 1,
          url: `${url}?comp=block&blockid=${encodeURIComponent(blockId(i + 1))}&${signature}`,
          headers: {},
        })),
      };
    },
    complete: async (key, _, parts) => {
      await container.getBlockBlobClient(key).commitBlockList(parts.map(({ part_number }) => blockId(part_number)));
    },
    // Blocks that were not committed go by themselves within a week, and there may be a blob of this name.
    abort: async () => undefined,
  };
}

async function signatureFor(service: BlobServiceClient, containerName: string, blobName: string): Promise<string> {
  const [startsOn, expiresOn] = [new Date(Date.now() - 300_000), new Date(Date.now() + HOUR)];
  const given = {
    containerName,
    blobName,
    permissions: BlobSASPermissions.parse('rw'),
    startsOn,
    expiresOn,
    protocol: service.url.startsWith('https') ? SASProtocol.Https : SASProtocol.HttpsAndHttp,
  };
  const { credential } = service;
  if (credential instanceof StorageSharedKeyCredential) {
    return generateBlobSASQueryParameters(given, credential).toString();
  }
  try {
    const key = await service.getUserDelegationKey(startsOn, expiresOn);
    return generateBlobSASQueryParameters(given, key, service.accountName).toString();
  } catch (error) {
    if (!(error instanceof RestError) || error.statusCode !== 403) throw error;
    throw new StoreError('NOT_IMPLEMENTED', 'Multipart upload is not supported for the current artifact repository');
  }
}

interface Blob {
  readonly name: string;
  readonly properties: { readonly contentLength?: number; readonly lastModified?: Date };
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Folders of accounts that have them, and what other tools make for one, are marked. */
const objectOf = ({ name, properties, metadata }: Blob): StoredObject => ({
  key: name,
  size: properties.contentLength ?? 0,
  modified: properties.lastModified?.getTime() ?? 0,
  isFolder: metadata?.hdi_isfolder === 'true' || (name.endsWith('/') && !properties.contentLength),
});

async function orNull<T>(call: () => Promise<T>): Promise<T | null> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof RestError && error.statusCode === 404 && error.code !== 'ContainerNotFound') return null;
    throw error;
  }
}
