/** Artifacts in S3, or in whatever speaks its protocol at another endpoint (MinIO, Ceph, R2, …), by AWS's own SDK. */
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  S3Client,
  type S3ClientConfig,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import pLimit from 'p-limit';
import { MtrackError } from '../errors.js';
import type { ObjectStore, StoredObject } from './objects.js';
import type { ArtifactOptions, Multipart, S3Options } from './repository.js';

/** What boto3 takes where nobody says a region. */
const DEFAULT_REGION = 'us-east-1';
/** Seconds. */
const SIGNED_FOR = 3600;
/** Deletions at a time, where a server cannot do many in one call. */
const ONE_BY_ONE = 16;

export async function openS3(options: ArtifactOptions): Promise<S3Client> {
  const client = new S3Client(configOf(options));
  try {
    await client.config.region();
    return client;
  } catch {
    client.destroy();
    return new S3Client({ ...configOf(options), region: DEFAULT_REGION });
  }
}

function configOf({ timeout, retries, s3 }: ArtifactOptions): S3ClientConfig {
  const { endpoint, ignoreTls, certificates, addressing, region, unsigned } = s3;
  const tls = {
    ...(ignoreTls && { rejectUnauthorized: false }),
    ...(certificates !== null && { ca: readFileSync(certificates) }),
  };
  return {
    maxAttempts: retries + 1,
    requestHandler: {
      requestTimeout: timeout,
      connectionTimeout: timeout,
      throwOnRequestTimeout: true,
      httpsAgent: { keepAlive: true, maxSockets: 256, ...tls },
      httpAgent: { keepAlive: true, maxSockets: 256 },
    },
    // Servers that are not Amazon's know no checksums but those that S3 always had.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    followRegionRedirects: true,
    ...(endpoint !== null && { endpoint }),
    // As boto3 has it: the bucket is in the path where an endpoint is given.
    forcePathStyle: addressing === 'path' || (addressing !== 'virtual' && endpoint !== null),
    ...(region !== null && { region }),
    ...(unsigned && { signer: { sign: async (request) => request } }),
  };
}

export function s3Store(client: S3Client, bucket: string, { uploadArguments, bucketOwner }: S3Options): ObjectStore {
  const Bucket = bucket;
  const owner = bucketOwner === null ? {} : { ExpectedBucketOwner: bucketOwner };
  let oneByOne = false;

  const removeEach = async (keys: readonly string[]) => {
    const limit = pLimit(ONE_BY_ONE);
    await Promise.all(keys.map((Key) => limit(() => client.send(new DeleteObjectCommand({ Bucket, Key, ...owner })))));
  };

  return {
    async *list(Prefix, deep) {
      let ContinuationToken: string | undefined;
      do {
        const page: Awaited<ReturnType<typeof list>> = await list(ContinuationToken);
        yield {
          objects: (page.Contents ?? []).flatMap(({ Key, Size = 0, LastModified }): StoredObject[] =>
            Key === undefined ? [] : [objectOf(Key, Size, LastModified)],
          ),
          folders: (page.CommonPrefixes ?? []).flatMap(({ Prefix: folder }) => folder ?? []),
        };
        ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined;
      } while (ContinuationToken !== undefined);

      function list(token: string | undefined) {
        const Delimiter = deep ? {} : { Delimiter: '/' };
        const from = token === undefined ? {} : { ContinuationToken: token };
        return client.send(new ListObjectsV2Command({ Bucket, Prefix, ...Delimiter, ...from, ...owner }));
      }
    },
    head: (Key) =>
      orNull(async () => {
        const { ContentLength = 0, LastModified } = await client.send(new HeadObjectCommand({ Bucket, Key, ...owner }));
        return objectOf(Key, ContentLength, LastModified);
      }),
    read: (Key, { start, end }) =>
      orNull(async () => {
        const Range = start === 0 && end === undefined ? {} : { Range: `bytes=${start}-${end ?? ''}` };
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key, ...Range, ...owner }));
        // On Node.js the SDK's body is a stream of Node's.
        return Body as Readable;
      }),
    write: async (Key, Body, ContentType) => {
      const params = { Bucket, Key, Body, ContentType, ...owner, ...uploadArguments };
      await new Upload({ client, params }).done();
    },
    remove: async (keys) => {
      if (oneByOne) return removeEach(keys);
      try {
        const Objects = keys.map((Key) => ({ Key }));
        const { Errors = [] } = await client.send(
          new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true }, ...owner }),
        );
        const [first] = Errors;
        if (first === undefined) return;
        throw new Error(
          `${first.Key}: ${first.Code} ${first.Message}${Errors.length > 1 ? `, and ${Errors.length - 1} more` : ''}`,
        );
      } catch (error) {
        // Some servers know one deletion at a time, or ask for a checksum of MD5, which the SDK has no more.
        if (!(error instanceof S3ServiceException) || !UNKNOWN_CALL.includes(error.name)) throw error;
        oneByOne = true;
        await removeEach(keys);
      }
    },
    multipart: multipartOf(client, bucket, owner),
    close: async () => undefined,
  };
}

const UNKNOWN_CALL = ['NotImplemented', 'MethodNotAllowed', 'MissingContentMD5', 'InvalidArgument', 'InvalidRequest'];

function multipartOf(client: S3Client, Bucket: string, owner: { ExpectedBucketOwner?: string }): Multipart {
  return {
    create: async (Key, parts) => {
      const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ...owner }));
      if (UploadId === undefined) throw new Error('the object store began an upload and gave it no id');
      const signed = Array.from({ length: parts }, async (_, i) => ({
        part_number: i + 1,
        url: await getSignedUrl(client, new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: i + 1, ...owner }), {
          expiresIn: SIGNED_FOR,
        }),
        headers: {},
      }));
      return { upload_id: UploadId, parts: await Promise.all(signed) };
    },
    complete: async (Key, UploadId, parts) => {
      const Parts = parts.map(({ part_number, etag }) => ({ PartNumber: part_number, ETag: etag }));
      await client.send(
        new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...owner }),
      );
    },
    abort: async (Key, UploadId) => {
      await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId, ...owner }));
    },
  };
}

const objectOf = (key: string, size: number, modified: Date | undefined): StoredObject => ({
  key,
  size,
  modified: modified?.getTime() ?? 0,
  isFolder: size === 0 && key.endsWith('/'),
});

async function orNull<T>(call: () => Promise<T>): Promise<T | null> {
  try {
    return await call();
  } catch (error) {
    // A HEAD has no body that could say NoSuchKey.
    if (error instanceof S3ServiceException && (error.name === 'NoSuchKey' || error.name === 'NotFound')) return null;
    throw error;
  }
}

/** @throws {MtrackError} URI_INVALID */
export function parseS3(uri: string): { readonly bucket: string; readonly root: string } {
  const [, bucket = '', root = ''] = /^s3:\/\/([^/]+)\/?(.*)$/su.exec(uri) ?? [];
  if (bucket !== '') return { bucket, root: root.replace(/\/+$/, '') };
  throw new MtrackError('URI_INVALID', { found: `artifacts at ${uri}`, expected: 's3://bucket/path' });
}
