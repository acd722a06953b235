import type { BackupTarget, Script } from '../dialect.js';
import { shellWord } from '../shell.js';
import { SETTINGS } from './settings.js';
import { quote, unicode } from './spell.js';

/**
 * For sqlcmd (https://learn.microsoft.com/en-us/sql/tools/sqlcmd/sqlcmd-utility), each statement a batch of its own: a
 * batch is compiled whole, before the column is there that its first statement adds. In a client that does not know
 * `:on error` (Management Studio without its SQLCMD mode) the variable is not replaced, and nothing is executed.
 */
export const script: Script = {
  header: (about) =>
    [
      ...about.map((line) => `-- ${line}`.trimEnd()),
      ':setvar SqlcmdMode "on"',
      ':on error exit',
      'GO',
      "IF N'$(SqlcmdMode)' <> N'on'",
      'BEGIN',
      "  PRINT N'This script is for sqlcmd, or for the SQLCMD mode: nothing was executed.';",
      '  SET NOEXEC ON;',
      'END',
      'GO',
      `${SETTINGS};`,
      'SET XACT_ABORT ON;',
      'SET LOCK_TIMEOUT 10000;',
      'GO',
    ].join('\n'),
  footer: 'SET NOEXEC OFF;\nGO',
  statement: (sql) => batch(`${sql};`),
  begin: batch('BEGIN TRANSACTION;'),
  commit: batch('COMMIT TRANSACTION;'),
  stopIf: (query, message) =>
    batch(`IF EXISTS (\n${query}\n) THROW 50000, ${unicode(plain(message).slice(0, 2000))}, 1;`),
  runWith: (target) => `sqlcmd ${connection(target)} -d ${shellWord(target.database)} -b -I -i upgrade.sql`,
};

/** THROW takes no expression, and sqlcmd may read what is not ASCII as something else. */
function plain(message: string): string {
  return [...message].map((character) => (character < '\u0080' ? character : '?')).join('');
}

function batch(sql: string): string {
  return `${sql}\nGO`;
}

const connection = ({ host, port, user }: BackupTarget) =>
  [
    `-S ${shellWord(`${host ?? 'localhost'}${port === null ? '' : `,${port}`}`)}`,
    ...(user === null ? ['-E'] : [`-U ${shellWord(user)}`]),
  ].join(' ');

/**
 * The server writes the file, where it runs, by a name relative to its own folder of backups; one of that name that is there
 * already is added to, not overwritten. COPY_ONLY leaves the chain of other backups as it is. The password is asked for, or
 * read from SQLCMDPASSWORD.
 */
export function backupCommand(target: BackupTarget): string {
  const statement = `BACKUP DATABASE ${quote(target.database)} TO DISK = ${unicode(`${target.database}.bak`)} WITH CHECKSUM, COPY_ONLY`;
  return `sqlcmd ${connection(target)} -b -Q ${shellWord(statement)}`;
}
