/** Who has a lock on a database file, where the system tells: SQLite itself knows only that somebody has. */
import { readFileSync, statSync } from 'node:fs';
import { MtrackError } from '../../errors.js';
import type { Blocker } from '../dialect.js';

const UNKNOWN: Blocker = { who: 'another process', sinceSeconds: null, what: 'has a lock on the database file' };

/** Never empty, and never fails: what is not known is said so. */
export function holdersOf(path: string | null): Blocker[] {
  const found = path === null ? [] : pidsWithLocks([path, `${path}-shm`]).map(blockerOf);
  return found.length > 0 ? found : [UNKNOWN];
}

/** Locks of all processes, by inode (https://man7.org/linux/man-pages/man5/proc_locks.5.html); in WAL mode they are on the index. */
function pidsWithLocks(paths: readonly string[]): number[] {
  const inodes = new Set(paths.map((path) => statSync(path, { throwIfNoEntry: false })?.ino));
  const pids = textOf('/proc/locks')
    .split('\n')
    .map((line) => /^\d+: (?:POSIX|OFDLCK) +\S+ +\S+ +(\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /.exec(line))
    .filter((found) => found && inodes.has(Number(found[2])))
    .map((found) => Number(found?.[1]))
    .filter((pid) => pid > 0 && pid !== process.pid);
  return [...new Set(pids)];
}

/** By its name alone: its arguments may hold the password of another store. */
function blockerOf(pid: number): Blocker {
  const program = textOf(`/proc/${pid}/comm`).trim();
  const uid = statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid;
  const about = [program, uid === undefined ? '' : `user id ${uid}`].filter((each) => each !== '');
  return { ...UNKNOWN, who: `process ${pid}${about.length > 0 ? ` (${about.join(', ')})` : ''}` };
}

/** Empty on a system that has no such file, or that does not let us read it. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/**
 * The failure that waiting in vain for a file is.
 * @param patience milliseconds that were waited
 */
export function fileInUse(path: string | null, patience: number, cause: unknown): MtrackError {
  const blockers = holdersOf(path);
  return new MtrackError('LOCKED', {
    found: `waited ${Math.round(patience / 1000)} s for the database file, which is in use: ${blockers.map(({ who }) => who).join('; ')}`,
    fix: [
      'stop the MLflow server or the other upgrade, and run the command again',
      '`fuser -v <file>` lists who has the file open',
    ],
    details: { blockers },
    cause,
  });
}
