/** A backup on disk, as far as it can be handled without knowing what database it is of: a file or folder, packed or not. */
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, pipeline, type Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { MtrackError, messageOf } from '../errors.js';
import { codeOf } from './faults.js';
import { makeScratchFolder } from './scratch-folder.js';
import { firstNameInTar, unpackTar } from './tar.js';

export interface BackupFile {
  /** As it was named. */
  readonly path: string;
  /** Where the content lies: `path`, or where it was unpacked to. */
  readonly location: string;
  readonly isFolder: boolean;
  readonly compression: 'none' | 'gzip' | 'zstd';
  /** On disk, packed as it is. */
  readonly bytes: number;
  /** When it was written last, in milliseconds since the epoch. */
  readonly modified: number;
  /** The first bytes, unpacked; none of a folder. */
  readonly head: Buffer;
  /** Names of the files in a folder; none of a file. */
  readonly entries: readonly string[];
  /** The content of a file, unpacked. @param onBytes told of packed bytes as they are read */
  stream(onBytes?: (n: number) => void): Readable;
  /** Removes what was unpacked. The backup itself stays. */
  close(): Promise<void>;
}

const HEAD = 64 * 1024;
const CHUNK = 1024 * 1024;

/** @throws {MtrackError} BACKUP_UNKNOWN when nothing is there; BACKUP_EMPTY; BACKUP_TRUNCATED, BACKUP_DAMAGED */
export async function openBackupFile(path: string): Promise<BackupFile> {
  const found = await stat(path).catch((error: unknown) => {
    throw new MtrackError('BACKUP_UNKNOWN', {
      found: `${path}: ${messageOf(error)}`,
      expected: 'a backup: a file or a folder that this user can read',
      fix: ['check the path', 'take a backup: mtrack db backup'],
      cause: error,
    });
  });
  if (found.isDirectory()) return folder(path);
  if (found.size === 0) throw empty(path);
  const compression = compressionOf(await firstBytes(createReadStream(path, { end: 3 }), 4));
  const stream = (onBytes?: (n: number) => void) => unpacked(path, compression, found.size, onBytes);
  const head = await firstBytes(stream(), HEAD).catch((error: unknown) => {
    throw unreadable(error, path);
  });
  if (head.length === 0) throw empty(path);
  const about = { path, compression, bytes: found.size, modified: found.mtimeMs };
  const first = firstNameInTar(head);
  if (first !== null && first !== 'toc.dat') return packedFolder(about, stream);
  return { ...about, location: path, isFolder: false, head, entries: [], stream, close: async () => undefined };
}

/** The error for bytes that cannot be read, or be unpacked. */
export function unreadable(error: unknown, path: string): unknown {
  const code = codeOf(error);
  const found = `${path}: ${messageOf(error)}`;
  if (code === 'Z_BUF_ERROR' || /unexpected end/i.test(messageOf(error)))
    return new MtrackError('BACKUP_TRUNCATED', {
      found: `${path} ends in the middle: ${messageOf(error)}`,
      fix: NEW_BACKUP,
      cause: error,
    });
  if (code?.startsWith('Z_') || code?.startsWith('ZSTD_') || code === 'EIO' || /tar header|tar archive/i.test(found))
    return new MtrackError('BACKUP_DAMAGED', { found, fix: NEW_BACKUP, cause: error });
  return error;
}

export const NEW_BACKUP: readonly string[] = [
  'copy it again from where it was made, if that one is whole',
  'take a new backup: mtrack db backup',
];

function empty(path: string): MtrackError {
  return new MtrackError('BACKUP_EMPTY', {
    found: `${path} is empty`,
    expected: 'a database with its rows',
    fix: ['take a new backup: mtrack db backup'],
  });
}

async function folder(path: string): Promise<BackupFile> {
  const entries = (await readdir(path)).sort();
  if (entries.length === 0) throw empty(path);
  const stats = await Promise.all(entries.map((name) => stat(join(path, name))));
  return {
    path,
    location: path,
    isFolder: true,
    compression: 'none',
    bytes: stats.reduce((sum, { size }) => sum + size, 0),
    modified: Math.max(...stats.map(({ mtimeMs }) => mtimeMs)),
    head: Buffer.alloc(0),
    entries,
    stream: () => {
      throw new Error(`${path} is a folder`);
    },
    close: async () => undefined,
  };
}

/** A folder, or a single file, that was packed with tar. */
async function packedFolder(
  about: Pick<BackupFile, 'path' | 'compression' | 'bytes' | 'modified'>,
  stream: BackupFile['stream'],
): Promise<BackupFile> {
  const target = makeScratchFolder();
  try {
    const inside = await openBackupFile(await unpackTar(stream(), target.path));
    return { ...inside, ...about, close: () => inside.close().finally(target.remove) };
  } catch (error) {
    await target.remove();
    throw unreadable(error, about.path);
  }
}

function compressionOf(first: Buffer): BackupFile['compression'] {
  if (first.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b]))) return 'gzip';
  return first.equals(Buffer.from([0x28, 0xb5, 0x2f, 0xfd])) ? 'zstd' : 'none';
}

function unpacked(
  path: string,
  compression: BackupFile['compression'],
  size: number,
  onBytes: (n: number) => void = () => undefined,
): Readable {
  const raw = createReadStream(path, { highWaterMark: CHUNK });
  const counted = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      onBytes(chunk.length);
      yield chunk;
    }
  };
  const content = new PassThrough({ highWaterMark: CHUNK });
  if (compression === 'none') {
    pipeline(raw, counted, content, () => undefined);
    return content;
  }
  const decompressor = compression === 'gzip' ? createGunzip() : createZstdDecompress();
  pipeline(raw, counted, decompressor, content, () => undefined);
  // What comes behind the end of the packed content is passed over by both, and is of no backup.
  decompressor.on('end', () => {
    if (decompressor.bytesWritten < size)
      content.destroy(Object.assign(new Error('there are bytes after its end'), { code: 'Z_DATA_ERROR' }));
  });
  return content;
}

async function firstBytes(stream: Readable, n: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= n) break;
  }
  return Buffer.concat(chunks).subarray(0, n);
}
