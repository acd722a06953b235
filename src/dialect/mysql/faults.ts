import type { FaultKind } from '../dialect.js';
import { codeOf, messageIncludes, numberOf, socketFault } from '../faults.js';

/** https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html, https://mariadb.com/kb/en/mariadb-error-code-reference/ */
const NUMBERS: Readonly<Record<number, FaultKind>> = {
  1205: 'lock-timeout',
  1213: 'deadlock',
  // Somebody else changed a row since the transaction began (innodb_snapshot_isolation, on since MariaDB 11.6).
  1020: 'deadlock',
  1021: 'disk-full',
  1114: 'disk-full',
  1026: 'disk-full',
  1034: 'damaged',
  1194: 'damaged',
  1712: 'damaged',
  1044: 'permission',
  1142: 'permission',
  1143: 'permission',
  1227: 'permission',
  1370: 'permission',
  1419: 'permission',
  1290: 'read-only',
  1792: 'read-only',
  1836: 'read-only',
  1062: 'duplicate',
  1053: 'connection-lost',
  1077: 'connection-lost',
  1927: 'connection-lost',
  3169: 'connection-lost',
  2006: 'connection-lost',
  2013: 'connection-lost',
  1040: 'connect-failed',
  1045: 'connect-failed',
  1049: 'connect-failed',
  1129: 'connect-failed',
  1130: 'connect-failed',
  1698: 'connect-failed',
};

/** What kind of failure an error of mysql2 or of the server is. */
export function faultOf(error: unknown): FaultKind {
  const number = numberOf(error, 'errno');
  const kind = (number !== undefined && NUMBERS[number]) || socketFault(error);
  if (kind) return kind;
  if (codeOf(error) === 'PROTOCOL_CONNECTION_LOST') return 'connection-lost';
  if (messageIncludes(error, 'connection is in closed state', 'Connection lost')) return 'connection-lost';
  if (messageIncludes(error, 'No space left on device', 'errno: 28')) return 'disk-full';
  return 'other';
}
