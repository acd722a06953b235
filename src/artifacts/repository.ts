/**
 * The contract of an artifact repository: the files of a run, a model or a whole server, under one URI. Paths are relative
 * to it, with `/` between names, never with `.` or `..`; the empty path is the root itself. Sizes are in bytes, times in
 * integer milliseconds since the epoch. One suite of tests is run by every implementation.
 */
import type { Readable } from 'node:stream';
import type { Secret } from '../secrets.js';

export interface ArtifactEntry {
  readonly path: string;
  readonly isFolder: boolean;
  /** Null for folders. */
  readonly size: number | null;
}

export interface ArtifactFile {
  readonly path: string;
  readonly size: number;
  readonly modified: number;
}

/** A part of a file: both ends inclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end?: number | undefined;
}

export interface Deleted {
  readonly files: number;
  readonly bytes: number;
}

export interface ArtifactRepository {
  /** Without a password or key. */
  readonly uri: string;
  /** What is directly in a folder, by path; a file lists nothing, nor does what is not there. */
  list(path: string): Promise<readonly ArtifactEntry[]>;
  /** Every file at and below a path, however deep; nothing where there is none. A symbolic link is not followed. */
  walk(path: string): AsyncIterable<ArtifactFile>;
  /** Null where there is no such file. */
  stat(path: string): Promise<ArtifactFile | null>;
  /** @throws StoreError RESOURCE_DOES_NOT_EXIST */
  read(path: string, range?: ByteRange): Promise<Readable>;
  /** The whole file, or nothing of it, is there when the promise has settled. @param size where it is known */
  write(path: string, content: Readable, size?: number): Promise<void>;
  /** Removes the file, or everything below the folder and the folder. What is not there is no error. */
  delete(path: string): Promise<Deleted>;
  /** Uploads and downloads between client and object store, past the server; null where there are none. */
  readonly multipart: Multipart | null;
  close(): Promise<void>;
}

export interface PresignedPart {
  readonly part_number: number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Multipart {
  create(
    path: string,
    parts: number,
  ): Promise<{ readonly upload_id: string; readonly parts: readonly PresignedPart[] }>;
  complete(
    path: string,
    uploadId: string,
    parts: readonly { readonly part_number: number; readonly etag: string }[],
  ): Promise<void>;
  abort(path: string, uploadId: string): Promise<void>;
}

/** What is said of object stores and proxies outside their URIs; see config.ts for the variables. */
export interface ArtifactOptions {
  /** Milliseconds that one call to an object store may take. */
  readonly timeout: number;
  /** Attempts after a failure that may pass. */
  readonly retries: number;
  /** Where `mlflow-artifacts:` leads without a server: `--artifacts-destination`. */
  readonly destination: string | null;
  /** The server that proxies `mlflow-artifacts:` where there is no destination. */
  readonly server: ServerOptions | null;
  readonly s3: S3Options;
  readonly azure: { readonly connectionString: Secret | null; readonly accessKey: Secret | null };
}

export interface ServerOptions {
  /** `https://host:port/prefix` */
  readonly uri: string;
  readonly username: string | null;
  readonly password: Secret | null;
  readonly token: Secret | null;
  readonly ignoreTls: boolean;
}

/** Beside what AWS's SDK reads from the environment by itself: credentials and profiles. */
export interface S3Options {
  readonly endpoint: string | null;
  readonly ignoreTls: boolean;
  /** Path of a file. */
  readonly certificates: string | null;
  readonly addressing: 'auto' | 'path' | 'virtual';
  readonly region: string | null;
  /** Public buckets are read without credentials. */
  readonly unsigned: boolean;
  /** Of PutObject, such as `ServerSideEncryption`. */
  readonly uploadArguments: Readonly<Record<string, unknown>>;
  readonly bucketOwner: string | null;
}
