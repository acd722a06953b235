/** Errors of a database while it is looked at, as an operator can use them. What happens during an upgrade is told by it. */
import { MtrackError, messageOf } from '../errors.js';
import type { Dialect } from './dialect.js';

/**
 * @param shown the store URI without its password
 * @returns the error itself when it is not one that an operator can do something about
 */
export function explained(error: unknown, dialect: Dialect, shown: string): unknown {
  if (error instanceof MtrackError) return error;
  const found = `${shown}: ${messageOf(error) || 'no answer'}`;
  switch (dialect.faultOf(error)) {
    case 'connect-failed':
      return new MtrackError('CONNECT_FAILED', { found, fix: dialect.whenUnreachable, cause: error });
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
    case 'damaged':
      return new MtrackError('DATABASE_DAMAGED', { found, fix: dialect.whenDamaged, cause: error });
    case 'duplicate':
    case 'other':
      return error;
  }
}

/** Errors of our own making, which the database has no part in. */
const FAULTS = [TypeError, RangeError, ReferenceError];

/** An error while a session was opened: a connection that breaks then, or is refused for whatever reason, never was one. */
export function notOpened(error: unknown, dialect: Dialect, shown: string): unknown {
  const kind = error instanceof MtrackError ? null : dialect.faultOf(error);
  const never = kind === 'connection-lost' || (kind === 'other' && !FAULTS.some((fault) => error instanceof fault));
  if (!never) return explained(error, dialect, shown);
  const found = `${shown}: ${messageOf(error) || 'no answer'}`;
  return new MtrackError('CONNECT_FAILED', { found, fix: dialect.whenUnreachable, cause: error });
}

/** Of a server. */
export const DAMAGED_SERVER: readonly string[] = [
  "keep a copy of the database's files as they are, before anything is mended",
  'restore a backup: `mtrack db backup-check BACKUP` says whether it can be trusted',
];

/** Of a server. */
export const UNREACHABLE_SERVER: readonly string[] = [
  'check that the server is up and can be reached from here',
  'check host, port, user, password and name of the database in the store URI; special characters in a password are written as %40 for @, %2F for /',
];
