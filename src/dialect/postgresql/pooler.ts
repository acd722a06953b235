/**
 * Whether a pooler that shares server sessions between transactions (PgBouncer with `pool_mode = transaction`,
 * https://www.pgbouncer.org/features.html) stands between here and the server. Settings of our sessions would stay behind
 * in sessions of other programs, which then could not write, and locks would be lost.
 */
import { MtrackError } from '../../errors.js';
import type { Session } from '../session.js';

/** The process that the server session is; what the client was told when it connected is a pooler's own invention. */
async function processOf(session: Session): Promise<number> {
  const [row] = await session.rows<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return Number(row?.pid);
}

/**
 * To be asked before anything is set in the session.
 * @param told the process that the client was told of when it connected
 * @param openAnother a session on another connection, in which nothing was set either
 * @throws {MtrackError} CONNECT_FAILED
 */
export async function refuseSharedSession(
  session: Session,
  told: number | null,
  openAnother: () => Promise<Session>,
): Promise<void> {
  const own = await processOf(session);
  // Directly connected, or no way to tell.
  if (told === null || told === own) return;
  const other = await openAnother();
  try {
    await other.begin();
    // The one that was free last is taken first: ours, unless it is kept for us.
    if ((await processOf(other)) !== own) return;
    await other.rollback();
  } finally {
    await other.close();
  }
  throw new MtrackError('CONNECT_FAILED', {
    found:
      'the connection leads to a pooler that shares server sessions between transactions (PgBouncer: pool_mode = transaction)',
    expected: 'a server session of our own: locks and settings belong to it',
    fix: ['name the server itself in the store URI, or a pooler with pool_mode = session'],
  });
}
