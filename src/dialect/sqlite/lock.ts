/**
 * SQLite's lock is the transaction itself: DDL is transactional, so that one exclusive transaction around the whole
 * upgrade is lock, atomicity and undo in one (https://www.sqlite.org/lang_transaction.html). A process that dies leaves
 * a journal that the next one to open the file plays back.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LockWait, NamedLock } from '../dialect.js';
import { FileLock } from '../file-lock.js';
import type { Session } from '../session.js';
import { faultOf } from './faults.js';
import { fileInUse, holdersOf } from './holders.js';

const POLL_MS = 100;

/** One transaction would keep everybody out: a file beside the database is locked instead. */
export function collectingLock(path: string | null): NamedLock {
  const file = path === null ? null : new FileLock(`${path}-mtrack-gc`, 'gc');
  return {
    take: async (_, wait) => file?.take(wait),
    holds: async () => file?.isHeld ?? true,
    release: async () => file?.release(),
  };
}

/**
 * Begins the exclusive transaction of an upgrade, with references not followed.
 * @throws {MtrackError} LOCKED when others have the file for too long
 */
export async function lock(path: string | null, session: Session, wait: LockWait): Promise<void> {
  // Both are ignored inside a transaction. References are not followed while tables are rebuilt, or the children of a
  // dropped table would be deleted with it; legacy_alter_table keeps RENAME from rewriting other tables and views.
  await session.run('PRAGMA foreign_keys = OFF');
  await session.run('PRAGMA legacy_alter_table = ON');
  const patientUntil = Date.now() + wait.patience;
  for (;;) {
    try {
      await session.run('BEGIN EXCLUSIVE');
      return;
    } catch (error) {
      if (faultOf(error) !== 'lock-timeout') throw error;
      if (Date.now() > patientUntil) throw fileInUse(path, wait.patience, error);
      wait.onWait(holdersOf(path));
    }
    await sleep(POLL_MS);
  }
}
