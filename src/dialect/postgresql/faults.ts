import type { FaultKind } from '../dialect.js';
import { codeOf, messageIncludes, socketFault } from '../faults.js';

/** SQLSTATEs (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const KINDS: Readonly<Record<string, FaultKind>> = {
  '55P03': 'lock-timeout',
  '40P01': 'deadlock',
  '40001': 'deadlock',
  '53100': 'disk-full',
  XX001: 'damaged',
  XX002: 'damaged',
  '42501': 'permission',
  '25006': 'read-only',
  '23505': 'duplicate',
  '57P01': 'connection-lost',
  '57P02': 'connection-lost',
  '57P03': 'connect-failed',
  '53300': 'connect-failed',
  '28P01': 'connect-failed',
  '28000': 'connect-failed',
  '3D000': 'connect-failed',
};

/** What kind of failure an error of node-postgres or of the server is. */
export function faultOf(error: unknown): FaultKind {
  const code = codeOf(error) ?? '';
  const kind = KINDS[code] ?? (/^08/.test(code) ? 'connection-lost' : socketFault(error));
  if (kind) return kind;
  // node-postgres has no code for a socket that closes under a query.
  if (messageIncludes(error, 'Connection terminated', 'connection error and is not queryable', 'Client was closed'))
    return 'connection-lost';
  return 'other';
}
