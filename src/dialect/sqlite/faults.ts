import type { FaultKind } from '../dialect.js';
import { codeOf, numberOf } from '../faults.js';

/** Primary result codes, https://www.sqlite.org/rescode.html; better-sqlite3 gives their names, node:sqlite their numbers. */
const KINDS: Readonly<Record<string, FaultKind>> = {
  BUSY: 'lock-timeout',
  LOCKED: 'lock-timeout',
  FULL: 'disk-full',
  READONLY: 'read-only',
  CANTOPEN: 'connect-failed',
  NOTADB: 'connect-failed',
  CORRUPT: 'damaged',
  PERM: 'permission',
  AUTH: 'permission',
};
const NUMBERS: Readonly<Record<number, string>> = {
  3: 'PERM',
  5: 'BUSY',
  6: 'LOCKED',
  8: 'READONLY',
  11: 'CORRUPT',
  13: 'FULL',
  14: 'CANTOPEN',
  23: 'AUTH',
  26: 'NOTADB',
};

/** Of the file itself, before SQLite sees it. */
const FILE_CODES = new Set(['EISDIR', 'EACCES', 'EPERM', 'ENOTDIR', 'ENOENT', 'ELOOP', 'ENAMETOOLONG']);

/** Extended codes: a key that is taken is a violation of a constraint among others. */
const DUPLICATE = ['SQLITE_CONSTRAINT_PRIMARYKEY', 'SQLITE_CONSTRAINT_UNIQUE'];

/** What kind of failure an error of better-sqlite3, of node:sqlite, or of the file itself is. */
export function faultOf(error: unknown): FaultKind {
  const code = codeOf(error) ?? '';
  if (DUPLICATE.includes(code)) return 'duplicate';
  if (FILE_CODES.has(code)) return 'connect-failed';
  const named = /^SQLITE_([A-Z]+)/.exec(code)?.[1];
  const extended = numberOf(error, 'errcode');
  const primary = named ?? (extended === undefined ? undefined : NUMBERS[extended & 0xff]);
  return KINDS[primary ?? ''] ?? 'other';
}

/** A reader met a journal or a log that only a writer may play back. */
export function needsRecovery(error: unknown): boolean {
  const SQLITE_READONLY = 8;
  return ((numberOf(error, 'errcode') ?? 0) & 0xff) === SQLITE_READONLY;
}
