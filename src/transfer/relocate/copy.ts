/**
 * Copying artifacts from where they are to where a store is about to say that they are. Nothing is deleted or written over; a
 * file that is there already is compared, so that a copy that was cut off goes on when it is made again.
 */
import { createHash } from 'node:crypto';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pLimit from 'p-limit';
import type { Artifacts } from '../../artifacts/open.js';
import type { ArtifactRepository } from '../../artifacts/repository.js';
import { messageOf } from '../../errors.js';
import { inParallel } from './in-parallel.js';

export interface CopyOptions {
  /** Files that are copied at a time. */
  readonly concurrency: number;
  /** When a file that is there is the same: by its content, or already by its size. */
  readonly sameBy: 'checksum' | 'size';
  readonly signal: AbortSignal;
  readonly onProgress: (copied: Copied) => void;
}

/** What could not be copied. */
export interface NotCopied {
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

export interface Copied {
  /** Files that were copied and read back, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  /** Files that were there already. */
  readonly there: number;
  readonly failed: readonly NotCopied[];
}

/** Attempts for one file: a stream can break where no call of its own fails. */
const ATTEMPTS = 3;

interface File {
  readonly source: ArtifactRepository;
  readonly target: ArtifactRepository;
  readonly path: string;
  readonly size: number | undefined;
}

/**
 * @param roots folders, or files, from where they are to where they shall be. One that does not exist has no artifacts.
 * @throws when the signal says so; nothing else ends it
 */
export async function copyArtifacts(
  roots: ReadonlyMap<string, string>,
  from: Artifacts,
  to: Artifacts,
  { concurrency, sameBy, signal, onProgress }: CopyOptions,
): Promise<Copied> {
  const copied = { files: 0, bytes: 0, there: 0, failed: [] as NotCopied[] };
  const limit = pLimit(concurrency);
  await inParallel(roots, concurrency, async ([source, target]) => {
    signal.throwIfAborted();
    await copyRoot(source, target).catch((error: unknown) => failed(source, target, error));
  });
  return copied;

  async function copyRoot(sourceUri: string, targetUri: string): Promise<void> {
    const [source, target] = [await from.open(sourceUri), await to.open(targetUri)];
    try {
      const isLocal = from.placeOf(sourceUri).startsWith('/');
      await inParallel(filesIn(source, isLocal), concurrency, ({ path, size }) =>
        limit(async () => {
          signal.throwIfAborted();
          const places = [joined(sourceUri, path), joined(targetUri, path)] as const;
          await copyFile({ source, target, path, size }).catch((error: unknown) => failed(...places, error));
          onProgress(copied);
        }),
      );
    } finally {
      await source.close();
      await target.close();
    }
  }

  function failed(source: string, target: string, error: unknown): void {
    signal.throwIfAborted();
    copied.failed.push({ from: source, to: target, reason: messageOf(error) });
  }

  async function copyFile(file: File): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        if (await isThere(file)) copied.there++;
        else {
          const bytes = await copyContent(file, signal);
          copied.bytes += bytes;
          copied.files++;
        }
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof AnotherFile || attempt === ATTEMPTS) throw error;
      }
    }
  }

  async function isThere({ source, target, path }: File): Promise<boolean> {
    const found = await target.stat(path);
    if (found === null) return false;
    const given = await source.stat(path);
    const isSame =
      given?.size === found.size &&
      (sameBy === 'size' || (await digestOf(source, path)) === (await digestOf(target, path)));
    if (!isSame) throw new AnotherFile();
    return true;
  }
}

class AnotherFile extends Error {
  constructor() {
    super('there is another file of that name');
  }
}

/** Copies a file and reads it back. @returns its bytes */
async function copyContent({ source, target, path, size }: File, signal: AbortSignal): Promise<number> {
  const hash = createHash('sha256');
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  const reading = pipeline(await source.read(path), counted, { signal });
  // It fails together with the writing, which says so.
  reading.catch(() => undefined);
  await target.write(path, counted, size);
  await reading;
  if ((await digestOf(target, path)) !== hash.digest('hex'))
    throw new Error('what was read back is not what was written');
  return bytes;
}

async function digestOf(repository: ArtifactRepository, path: string): Promise<string> {
  const hash = createHash('sha256');
  const content: Readable = await repository.read(path);
  for await (const chunk of content) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Of a folder on this machine links are followed as far as they stay in it; one that leads out cannot be read, and is named. */
async function* filesIn(
  repository: ArtifactRepository,
  isLocal: boolean,
): AsyncGenerator<{ readonly path: string; readonly size: number | undefined }> {
  if (!isLocal) {
    yield* repository.walk('');
    return;
  }
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const { path, isFolder, size } of await repository.list(folder)) {
      if (isFolder) folders.push(path);
      else yield { path, size: size ?? undefined };
    }
  }
}

const joined = (uri: string, path: string) => (path === '' ? uri : `${uri.replace(/\/$/, '')}/${path}`);
