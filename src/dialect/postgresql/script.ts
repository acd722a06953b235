import type { BackupTarget, Script } from '../dialect.js';
import { shellWord } from '../shell.js';
import { literal } from './spell.js';
import { FUNCTIONS } from './words.js';

/** For psql (https://www.postgresql.org/docs/current/app-psql.html). */
export const script: Script = {
  header: (about) =>
    [
      ...about.map((line) => `-- ${line}`.trimEnd()),
      '\\set ON_ERROR_STOP on',
      "SET client_encoding = 'UTF8';",
      "SET lock_timeout = '10s';",
      '-- Functions of this session alone, that read JSON and give NULL where it is none.',
      ...FUNCTIONS.map((sql) => `${sql};`),
    ].join('\n'),
  footer: '',
  statement: (sql) => `${sql};`,
  begin: 'BEGIN;',
  commit: 'COMMIT;',
  stopIf: (query, message) =>
    `DO $mtrack$ BEGIN\n  IF EXISTS (${query}) THEN\n    RAISE EXCEPTION ${literal(message.replaceAll('%', '%%'))};\n  END IF;\nEND $mtrack$;`,
  runWith: (target) => `psql ${connection(target)} -f upgrade.sql`,
};

const connection = ({ host, port, user, database }: BackupTarget) =>
  [
    ...(host === null ? [] : [`-h ${shellWord(host)}`]),
    ...(port === null ? [] : [`-p ${port}`]),
    ...(user === null ? [] : [`-U ${shellWord(user)}`]),
    `-d ${shellWord(database)}`,
  ].join(' ');

/** The custom format can be restored in parts and in parallel; the password is asked for, or read from ~/.pgpass. */
export function backupCommand(target: BackupTarget): string {
  return `pg_dump --format=custom --file=${shellWord(`${target.database}.dump`)} ${connection(target)}`;
}
