import type { BackupTarget, Script } from '../dialect.js';
import { shellWord } from '../shell.js';
import type { Server } from './flavour.js';
import { literal, SQL_MODE } from './spell.js';

/** For the command line client, which stops at the first error of a script that is piped into it. */
export function scriptOf(server: Server): Script {
  const client = server.flavour === 'mariadb' ? 'mariadb' : 'mysql';
  return {
    header: (about) =>
      [
        ...about.map((line) => `-- ${line}`.trimEnd()),
        '-- Every statement of DDL commits by itself: after an error, have the rest written anew.',
        'SET NAMES utf8mb4;',
        `SET SESSION sql_mode = '${SQL_MODE}';`,
        'SET SESSION lock_wait_timeout = 10;',
      ].join('\n'),
    footer: '',
    // A trigger's body has semicolons of its own.
    statement: (sql) => (/^CREATE TRIGGER/i.test(sql) ? `DELIMITER //\n${sql}//\nDELIMITER ;` : `${sql};`),
    begin: null,
    commit: null,
    // Without stored programs nothing raises an error but a wrong statement: the message is one. The client shows it
    // together with the PREPARE, and cut after 80 characters.
    stopIf: (query, message) =>
      [
        `SET @mtrack = IF(EXISTS (${query}), ${literal(`! ${message}`)}, 'DO 0');`,
        'PREPARE mtrack_stops_here FROM @mtrack;',
        'EXECUTE mtrack_stops_here;',
        'DEALLOCATE PREPARE mtrack_stops_here;',
      ].join('\n'),
    runWith: (target) => `${client} ${connection(target)} -p ${shellWord(target.database)} < upgrade.sql`,
  };
}

const connection = ({ host, port, user }: BackupTarget) =>
  [
    ...(host === null ? [] : [`-h ${shellWord(host)}`]),
    ...(port === null ? [] : [`-P ${port}`]),
    ...(user === null ? [] : [`-u ${shellWord(user)}`]),
  ].join(' ');

/** One consistent snapshot without locks, triggers and routines included; the password is asked for. */
export function backupCommand(target: BackupTarget, server: Server): string {
  const dump = server.flavour === 'mariadb' ? 'mariadb-dump' : 'mysqldump';
  return `${dump} ${connection(target)} -p --single-transaction --routines --triggers --hex-blob ${shellWord(target.database)} > ${shellWord(`${target.database}.sql`)}`;
}
