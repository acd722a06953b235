/**
 * A lock on files that ends with the process, however that ends. The system's own locks do, and Node.js has no call for
 * them: an empty SQLite file is locked instead, which takes one on every platform (https://www.sqlite.org/lockingv3.html).
 * The file lies beside what it guards, so that all who can reach that meet at it, and is removed in the end.
 */
import { closeSync, openSync, rmSync, statSync } from 'node:fs';
import { MikroORM } from '@mikro-orm/core';
import { SqliteDriver } from '@mikro-orm/sqlite';
import type { Blocker, NamedLock } from './dialect.js';
import { codeOf } from './faults.js';
import { QUIET, sessionOf } from './orm.js';
import { takeLock, type Work } from './patience.js';
import { type Session, transactionsBy } from './session.js';

export const NO_LOCK: NamedLock = {
  take: async () => undefined,
  holds: async () => true,
  release: async () => undefined,
};

/** @param path of the lock itself: of a file that is not there yet */
export function fileLock(path: string, work: Work): NamedLock {
  const other: Blocker = { who: `another mtrack ${work}`, sinceSeconds: null, what: `has a lock on ${path}` };
  let held: Session | null = null;
  const inode = () => statSync(path, { throwIfNoEntry: false })?.ino;
  const attempt = async (): Promise<boolean> => {
    closeSync(openSync(path, 'a'));
    const before = inode();
    const session = await sessionOf(
      new MikroORM({ ...QUIET, driver: SqliteDriver, dbName: path, driverOptions: { timeout: 0 } }),
      transactionsBy('BEGIN', []),
    );
    try {
      await session.run('BEGIN EXCLUSIVE');
    } catch (error) {
      await session.close();
      if (codeOf(error)?.startsWith('SQLITE_BUSY')) return false;
      throw error;
    }
    // Whoever had it before removed the file meanwhile: a lock on that one keeps nobody out.
    if (inode() !== before) {
      await session.close();
      return false;
    }
    held = session;
    return true;
  };
  return {
    take: (_, wait) =>
      takeLock(attempt, async () => [other], wait, {
        work,
        fix: 'wait for it to end',
        privilege: 'access to the machine',
      }),
    holds: async () => held !== null,
    release: async () => {
      if (held === null) return;
      rmSync(path, { force: true });
      await held.close();
      held = null;
    },
  };
}
