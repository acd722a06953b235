/** Errors of a database while it is looked at, as an operator can use them. What happens during an upgrade is told by it. */
import { MtrackError, messageOf } from '../errors.js';
import type { FaultKind } from './dialect.js';

/**
 * @param shown the store URI without its password
 * @returns the error itself when it is not one that an operator can do something about
 */
export function explained(error: unknown, kind: FaultKind, shown: string): unknown {
  if (error instanceof MtrackError) return error;
  const found = `${shown}: ${messageOf(error) || 'no answer'}`;
  switch (kind) {
    case 'connect-failed':
      return new MtrackError('CONNECT_FAILED', {
        found,
        fix: [
          'check that the database is there and up, and that host, port, user, password and name in the store URI are right',
        ],
        cause: error,
      });
    case 'connection-lost':
      return new MtrackError('CONNECTION_LOST', { found, fix: ['run the command again'], cause: error });
    case 'lock-timeout':
    case 'deadlock':
      return new MtrackError('LOCKED', {
        found,
        fix: ['another process has the database to itself: wait for it to end, and run the command again'],
        cause: error,
      });
    case 'permission':
    case 'read-only':
      return new MtrackError('STATEMENT_FAILED', {
        found,
        expected: 'a user that may read every table, and for an upgrade owns them',
        fix: ['run the command as the owner of the tables'],
        cause: error,
      });
    case 'disk-full':
      return new MtrackError('DISK_FULL', {
        found,
        fix: ['make room where the database keeps its files'],
        cause: error,
      });
    case 'other':
      return error;
  }
}
