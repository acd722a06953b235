/** SQLite's online backup (https://www.sqlite.org/backup.html): right while others write, and one state of the database. */
import { MtrackError } from '../../errors.js';
import type { Origin, TakeOptions } from '../backups.js';
import { interrupted } from '../tools.js';
import { copied, isLeftAlone, toRead, withoutWarning } from './connect.js';
import { faultOf, needsRecovery } from './faults.js';

/** Pages of a step: others wait for the time of one, at the most. */
const STEP = 2048;
/** Somebody who writes between two steps makes the backup begin again. After so many times it is made in one step. */
const RESTARTS = 3;

export async function take(path: string, options: TakeOptions): Promise<Origin> {
  if (isLeftAlone(path)) return takeCopy(path, options);
  try {
    const { uri, makeSure } = toRead(path);
    const origin = await copyPages(uri, path, options);
    makeSure();
    return origin;
  } catch (error) {
    // A journal of a process that died, which must not be played back here: reading never writes.
    if (needsRecovery(error)) return takeCopy(path, options);
    if (faultOf(error) !== 'lock-timeout') throw error;
    throw new MtrackError('LOCKED', {
      found: `${path} is locked by another process`,
      fix: ['wait for the upgrade or the long transaction to end, and run the command again'],
      cause: error,
    });
  }
}

async function takeCopy(path: string, options: TakeOptions): Promise<Origin> {
  const { copy, remove } = copied(path);
  try {
    return await copyPages(copy, path, options);
  } finally {
    remove();
  }
}

async function copyPages(from: string, database: string, { path, signal, onProgress }: TakeOptions): Promise<Origin> {
  const { DatabaseSync, backup } = await withoutWarning(() => import('node:sqlite'));
  const source = new DatabaseSync(from, { timeout: 10_000 });
  try {
    const [version] = source.prepare('SELECT sqlite_version() AS v').all();
    source.prepare('PRAGMA schema_version').all();
    const takenAt = Date.now();
    for (let restarts = 0; ; ) {
      let last = Number.POSITIVE_INFINITY;
      try {
        await backup(source, path, {
          rate: restarts < RESTARTS ? STEP : 2 ** 31 - 1,
          progress: ({ totalPages, remainingPages }) => {
            if (signal.aborted) throw interrupted(signal);
            if (remainingPages > last && restarts++ < RESTARTS) throw RESTARTED;
            last = remainingPages;
            onProgress({ what: 'pages', done: totalPages - remainingPages, total: totalPages, unit: 'bytes' });
          },
        });
        break;
      } catch (error) {
        if (error !== RESTARTED) throw error;
      }
    }
    // The mode of the log is of the source: a backup is one file, and stays one when it is looked at.
    const copy = new DatabaseSync(path);
    copy.exec('PRAGMA journal_mode = DELETE');
    copy.close();
    return { tool: `SQLite ${version?.v} online backup`, server: String(version?.v), database, takenAt };
  } finally {
    source.close();
  }
}

const RESTARTED = new Error('the database was written to while it was copied');
