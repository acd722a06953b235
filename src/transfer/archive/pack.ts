/** Where the files of an archive go: a folder, or one file or stream of tar. Nothing under the archive's own name until it is whole. */
import { createWriteStream, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { constants, createGzip, createZstdCompress, zstdCompress } from 'node:zlib';
import { pack as tarPack } from 'tar-stream';
import { MtrackError } from '../../errors.js';

export interface Pack {
  /** @param file its path in the archive */
  add(file: string, content: Buffer): Promise<void>;
  /** The archive is whole. */
  finish(): Promise<void>;
  /** It is not to be. */
  abandon(): Promise<void>;
}

/** Files that are packed one by one end so. */
export const COMPRESSED = '.zst';
/** The archive while it is written. What a killed export has left of it gives way to the next one. */
const PARTIAL = '.partial';

export type Compression = 'zstd' | 'gzip' | 'none';

const compress = promisify(zstdCompress);
/** Chunks that are packed at the same time. */
const AT_ONCE = 2;

/**
 * Chunks are packed beside one another, and beside the work that makes the next ones.
 * @param purpose scratch need not outlive a crash
 * @throws {MtrackError} TARGET_EXISTS
 */
export function packFolder(path: string, purpose: 'archive' | 'scratch' = 'archive'): Pack {
  refuseExisting(path);
  const partial = path.replace(/\/+$/, '') + PARTIAL;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const params = { [constants.ZSTD_c_compressionLevel]: purpose === 'scratch' ? 1 : 3 };
  const store = async (file: string, content: Buffer) => {
    const isChunk = file.endsWith('.jsonl');
    const place = join(partial, file + (isChunk ? COMPRESSED : ''));
    mkdirSync(dirname(place), { recursive: true });
    await writeFile(place, isChunk ? await compress(content, { params }) : content, { flush: purpose === 'archive' });
  };
  const writing = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const refuseFailed = () => {
    if (failure) throw failure.error;
  };
  return {
    add: async (file, content) => {
      // More would wait in memory.
      while (writing.size >= AT_ONCE) await Promise.race(writing);
      refuseFailed();
      const written: Promise<void> = store(file, content)
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => writing.delete(written));
      writing.add(written);
    },
    finish: async () => {
      await Promise.all(writing);
      refuseFailed();
      renameSync(partial, path);
    },
    abandon: async () => {
      await Promise.allSettled(writing);
      rmSync(partial, { recursive: true, force: true });
    },
  };
}

/** @throws {MtrackError} TARGET_EXISTS */
export function packFile(path: string, compression: Compression): Pack {
  refuseExisting(path);
  const partial = path + PARTIAL;
  const pack = packStream(createWriteStream(partial, { flush: true }), compression);
  return {
    ...pack,
    finish: async () => {
      await pack.finish();
      renameSync(partial, path);
    },
    abandon: async () => {
      await pack.abandon();
      rmSync(partial, { force: true });
    },
  };
}

/** A stream of tar; its files have no times and no owners, so that the same content is the same bytes. */
export function packStream(into: Writable, compression: Compression): Pack {
  const tar = tarPack();
  const filters = { zstd: [createZstdCompress()], gzip: [createGzip()], none: [] }[compression];
  const written = pipeline([Readable.from(tar, { objectMode: false }), ...filters, into]);
  // Told where it is waited for.
  written.catch(() => undefined);
  const entry = (file: string, content: Buffer) =>
    new Promise<void>((resolve, reject) => {
      const header = { name: file, size: content.length, mode: 0o644, mtime: new Date(0) };
      // Handed over whole, it would be in memory however slow the reader is.
      tar.entry(header, (error) => (error ? reject(error) : resolve())).end(content);
    });
  return {
    add: (file, content) => Promise.race([entry(file, content), written.then(() => undefined)]),
    finish: async () => {
      tar.finalize();
      await written;
    },
    abandon: async () => {
      tar.destroy();
      await finished(into).catch(() => undefined);
    },
  };
}

function refuseExisting(path: string): void {
  if (!existsSync(path)) return;
  throw new MtrackError('TARGET_EXISTS', {
    found: `${path} is there already`,
    expected: 'a new name: an export writes over nothing',
    fix: ['name another one, or remove it first'],
  });
}

/** How a file is packed, by its name; null for a folder. */
export function compressionOf(path: string): Compression | null {
  if (/\.(?:tar\.zst|tzst)$/.test(path)) return 'zstd';
  if (/\.(?:tar\.gz|tgz)$/.test(path)) return 'gzip';
  return /\.tar$/.test(path) ? 'none' : null;
}
