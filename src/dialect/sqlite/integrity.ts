/** What SQLite itself finds wrong in a file. */
import type { Session } from '../session.js';
import { shellWord } from '../shell.js';

/** More would say no more. */
const AT_MOST = 5;

/**
 * Reads every page and compares every index with its table (https://www.sqlite.org/pragma.html#pragma_integrity_check).
 * @returns what is wrong, in SQLite's words; empty for a sound file
 */
export async function problemsIn(session: Session): Promise<string[]> {
  const rows = await session.rows<{ integrity_check: string }>(`PRAGMA integrity_check(${AT_MOST})`);
  return rows
    .flatMap(({ integrity_check }) => integrity_check.split('\n'))
    .filter((line) => line !== 'ok' && !line.startsWith('***'));
}

/** What to do about it. @param path null is a database in memory */
export function whenDamaged(path: string | null): string[] {
  const file = shellWord(path ?? ':memory:');
  return [
    'keep a copy of the file as it is, with its -wal and -journal, before anything is mended',
    'restore a backup: `mtrack db backup-check BACKUP` says whether it can be trusted',
    // VACUUM copies indexes as they are.
    `where it names only indexes and pages that are not used, \`sqlite3 ${file} "VACUUM INTO 'whole.db'" && sqlite3 whole.db REINDEX\` writes a sound file`,
    `else what can still be read is saved by \`sqlite3 ${file} .dump | sqlite3 saved.db\` (or .recover, where this sqlite3 has it)`,
  ];
}
