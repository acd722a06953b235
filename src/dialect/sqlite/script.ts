import { existsSync } from 'node:fs';
import type { BackupTarget, Script } from '../dialect.js';
import { shellWord } from '../shell.js';
import { literal } from './spell.js';
import { quoteName } from './table-sql.js';

const comment = (line: string) => `-- ${line}`.trimEnd();

/** For the command line shell of SQLite (https://www.sqlite.org/cli.html). */
export const script: Script = {
  header: (about) =>
    [
      ...about.map(comment),
      '.bail on',
      '-- References are not followed while tables are rebuilt; both settings are ignored inside a transaction.',
      'PRAGMA foreign_keys = OFF;',
      'PRAGMA legacy_alter_table = ON;',
    ].join('\n'),
  footer: '',
  statement: (sql) => `${sql};`,
  begin: 'BEGIN EXCLUSIVE;',
  commit: 'COMMIT;',
  stopIf: (query, message) =>
    [
      `CREATE TEMP TABLE mtrack_stop (found INTEGER CONSTRAINT ${quoteName(message)} CHECK (found = 0));`,
      `INSERT INTO mtrack_stop SELECT EXISTS (${query});`,
      'DROP TABLE mtrack_stop;',
    ].join('\n'),
  runWith: (target) => `sqlite3 ${shellWord(target.database)} < upgrade.sql`,
};

/** The online backup: also right while others use the file (https://www.sqlite.org/cli.html#special_commands_to_sqlite3_dot_commands_). */
export function backupCommand(target: BackupTarget): string {
  const copy = `${target.database}.backup`;
  const free = existsSync(copy) ? `${target.database}.backup-${new Date().toISOString().slice(0, 10)}` : copy;
  return `sqlite3 ${shellWord(target.database)} ".backup ${literal(free)}"`;
}
