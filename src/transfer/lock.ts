import type { Dialect } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import type { OnProgress } from './progress.js';

/**
 * Work on a database that no upgrade, and no other import, works on at the same time. Where the lock is a transaction, all
 * of the work is one, and is committed when the promise resolves.
 * @param patience milliseconds to wait for others
 * @throws {MtrackError} LOCKED
 */
export async function underLock<Result>(
  session: Session,
  dialect: Dialect,
  { patience, onProgress }: { readonly patience: number; readonly onProgress: OnProgress },
  work: () => Promise<Result>,
): Promise<Result> {
  await dialect.prepare(session, { lockTimeout: patience });
  const since = Date.now();
  await dialect.lock(session, {
    patience,
    onWait: (blockers) => onProgress({ event: 'waiting', blockers, forMs: Date.now() - since }),
  });
  try {
    const result = await work();
    if (dialect.transaction === 'upgrade') await session.commit();
    await dialect.unlock(session);
    return result;
  } catch (error) {
    // Where nothing is open, or the connection is gone, there is nothing to roll back.
    await session.rollback().catch(() => undefined);
    await dialect.unlock(session).catch(() => undefined);
    throw error;
  }
}
