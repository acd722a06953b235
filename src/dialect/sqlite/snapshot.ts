/**
 * A SQLite file as it is at one moment, to be read for a long time. In WAL mode a reader is in nobody's way. With a rollback
 * journal it would keep every writer from committing (https://www.sqlite.org/lockingv3.html#writer_starvation), so that it
 * holds its lock for as long only as a copy takes, and reads that.
 */
import { statfsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { LockWait } from '../dialect.js';
import type { Session } from '../session.js';
import { isWal, openCopyOf, openToRead, sizeOf } from './connect.js';

/** Of a file in WAL mode that somebody begins to use just then. */
const ATTEMPTS = 10;

export async function openSnapshot(path: string | null, wait: LockWait): Promise<Session> {
  const reader = await openToRead(path, wait);
  try {
    await reader.run('BEGIN');
    // The transaction begins with its first query, which waits for a writer that keeps readers out.
    await reader.rows('SELECT COUNT(*) FROM sqlite_master');
    if (path === null || reader.isOfItsOwn || isLogged(path) || !hasRoom(path)) return reader;
    const copy = await copied(path);
    await reader.close();
    return copy;
  } catch (error) {
    await reader.close();
    throw error;
  }
}

/** In WAL mode, and in use. */
const isLogged = (path: string) => sizeOf(`${path}-wal`) > 0;

function hasRoom(path: string): boolean {
  const { bavail, bsize } = statfsSync(tmpdir());
  return bavail * bsize > 1.1 * sizeOf(path);
}

/** The reader's lock keeps writers of a rollback journal out; in WAL mode nothing does, but a log shows that one came. */
async function copied(path: string): Promise<Session> {
  if (!isWal(path)) return openCopyOf(path, ['']);
  for (let attempt = 1; ; attempt++) {
    const before = statSync(path).mtimeMs;
    const copy = await openCopyOf(path, ['', '-wal']);
    if (attempt === ATTEMPTS || statSync(path).mtimeMs === before) return copy;
    await copy.close();
  }
}
