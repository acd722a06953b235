import type { FaultKind } from '../dialect.js';
import { codeOf, messageIncludes, numberOf, socketFault } from '../faults.js';

/** https://learn.microsoft.com/en-us/sql/relational-databases/errors-events/database-engine-events-and-errors */
const NUMBERS: Readonly<Record<number, FaultKind>> = {
  1222: 'lock-timeout',
  1204: 'lock-timeout',
  1205: 'deadlock',
  1101: 'disk-full',
  1105: 'disk-full',
  3257: 'disk-full',
  5149: 'disk-full',
  9002: 'disk-full',
  40544: 'disk-full',
  229: 'permission',
  230: 'permission',
  262: 'permission',
  297: 'permission',
  300: 'permission',
  // The object is not there, or must not be seen: it was there when the plan was made.
  1088: 'permission',
  2760: 'permission',
  4902: 'permission',
  15247: 'permission',
  3906: 'read-only',
  3908: 'read-only',
  978: 'read-only',
  2601: 'duplicate',
  2627: 'duplicate',
  596: 'connection-lost',
  // Shutdown, a restart, failover, or a database that moves (Azure).
  6001: 'connection-lost',
  6005: 'connection-lost',
  924: 'connection-lost',
  10053: 'connection-lost',
  10054: 'connection-lost',
  10060: 'connection-lost',
  40143: 'connection-lost',
  40197: 'connection-lost',
  40540: 'connection-lost',
  40613: 'connection-lost',
  605: 'damaged',
  823: 'damaged',
  824: 'damaged',
  976: 'connect-failed',
  4060: 'connect-failed',
  4064: 'connect-failed',
  17142: 'connect-failed',
  17809: 'connect-failed',
  18452: 'connect-failed',
  18456: 'connect-failed',
  18470: 'connect-failed',
  18486: 'connect-failed',
  18487: 'connect-failed',
  18488: 'connect-failed',
  40615: 'connect-failed',
};
/** Of tedious. */
const CODES: Readonly<Record<string, FaultKind>> = {
  ELOGIN: 'connect-failed',
  EINSTLOOKUP: 'connect-failed',
  EENCRYPT: 'connect-failed',
  ETIMEOUT: 'connect-failed',
  ECLOSE: 'connection-lost',
  EINVALIDSTATE: 'connection-lost',
};

/** What kind of failure an error of tedious or of the server is. */
export function faultOf(error: unknown): FaultKind {
  const number = numberOf(error, 'number');
  const code = codeOf(error) ?? '';
  const kind = (number !== undefined && NUMBERS[number]) || CODES[code] || socketFault(error);
  if (kind) return kind;
  // tedious has one code for a socket that could not be opened, and for one that closed.
  if (code === 'ESOCKET') return messageIncludes(error, 'Failed to connect') ? 'connect-failed' : 'connection-lost';
  return 'other';
}
