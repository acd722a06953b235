/** An archive as a folder: it is one, or is unpacked into one for the time that it is read. */
import { createReadStream, createWriteStream, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { extract } from 'tar-stream';
import { messageOf } from '../../errors.js';
import { MANIFEST, unreadable } from './manifest.js';
import { COMPRESSED } from './pack.js';

export interface Unpacked {
  readonly folder: string;
  /** Removes what was unpacked. */
  remove(): void;
}

/** Whether a path can be an archive: a folder with a manifest, or a file. */
export function isArchive(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return /\.(?:tar|tar\.zst|tzst|tar\.gz|tgz)$/.test(path);
  return found.isFile() || existsSync(join(path, MANIFEST));
}

/** @throws {MtrackError} ARCHIVE_UNREADABLE */
export async function unpacked(path: string): Promise<Unpacked> {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw unreadable(`there is no ${path}`, undefined, ['check the path']);
  if (!found.isDirectory()) return unpackStream(createReadStream(path), path);
  if (existsSync(join(path, MANIFEST))) return { folder: path, remove: () => undefined };
  throw unreadable(`${path} has no ${MANIFEST}: it is no archive, or was not written to its end`);
}

/**
 * @param where for messages
 * @throws {MtrackError} ARCHIVE_UNREADABLE
 */
export async function unpackStream(from: Readable, where: string): Promise<Unpacked> {
  const folder = mkdtempSync(join(tmpdir(), 'mtrack-archive-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const first = await firstBytes(from);
    const tar = extract();
    const filters = isZstd(first) ? [createZstdDecompress()] : isGzip(first) ? [createGunzip()] : [];
    const flowing = pipeline([from, ...filters, tar]);
    flowing.catch(() => undefined);
    for await (const entry of tar) {
      const { name, type } = entry.header;
      // Nothing outside of the folder, and no links.
      if (type === 'file' && /^(?:manifest\.json|tables\/\w+\/\d+\.jsonl)$/.test(name))
        await store(Readable.from(entry, { objectMode: false }), folder, name);
      else entry.resume();
    }
    await flowing;
  } catch (error) {
    remove();
    throw unreadable(`${where} cannot be unpacked: ${messageOf(error)}`, error);
  }
  if (existsSync(join(folder, MANIFEST))) return { folder, remove };
  remove();
  throw unreadable(`${where} has no ${MANIFEST}: it is no archive, or was not written to its end`);
}

async function store(entry: Readable, folder: string, name: string): Promise<void> {
  const isChunk = name !== MANIFEST;
  const path = join(folder, name + (isChunk ? COMPRESSED : ''));
  mkdirSync(dirname(path), { recursive: true });
  await pipeline([entry, ...(isChunk ? [createZstdCompress()] : []), createWriteStream(path)]);
}

/** They stay in the stream. */
async function firstBytes(from: Readable): Promise<Buffer> {
  for (;;) {
    const read: unknown = from.read();
    if (read instanceof Buffer) {
      from.unshift(read);
      return read;
    }
    if (from.readableEnded) return Buffer.alloc(0);
    await new Promise<void>((resolve, reject) => {
      from.once('readable', resolve).once('end', resolve).once('error', reject);
    });
  }
}

const isZstd = (bytes: Buffer) => bytes.length >= 4 && bytes.readUInt32LE(0) === 0xfd2fb528;
const isGzip = (bytes: Buffer) => bytes[0] === 0x1f && bytes[1] === 0x8b;
