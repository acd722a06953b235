/** Checksums of the files of a backup, as they lie on disk. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackupContext } from '../dialect/backups.js';
import { interrupted } from '../dialect/tools.js';
import { hashOf } from './canonical.js';

export interface FileSum {
  /** In the folder; of a file that is no folder, the empty text. */
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface Sum {
  /** Of the one file; of a folder, of the canonical form of `files`. */
  readonly sha256: string;
  readonly bytes: number;
  readonly files: readonly FileSum[];
}

/** @throws {MtrackError} INTERRUPTED; and the system's errors */
export async function sumOf(path: string, { signal, onProgress }: BackupContext): Promise<Sum> {
  const isFolder = (await stat(path)).isDirectory();
  const names = isFolder ? (await readdir(path)).sort() : [''];
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(path, name))).size));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let done = 0;
  const files: FileSum[] = [];
  for (const name of names) {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of createReadStream(join(path, name), { highWaterMark: 1024 * 1024 })) {
      if (signal.aborted) throw interrupted(signal);
      hash.update(chunk);
      bytes += chunk.length;
      onProgress({ what: 'checksum', done: done + bytes, total, unit: 'bytes' });
    }
    done += bytes;
    files.push({ name, bytes, sha256: hash.digest('hex') });
  }
  return { sha256: isFolder ? hashOf(files) : (files[0]?.sha256 ?? ''), bytes: done, files };
}
