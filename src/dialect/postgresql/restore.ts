/**
 * A dump on its way into a scratch database. It may name another database, owners and roles that are not there, and commands
 * for psql, so that no line of it is passed on unseen: what belongs into the one database is, what belongs around it is left
 * out, and anything else ends the restore.
 */
import type { Readable, Writable } from 'node:stream';
import { beginningOf, damaged } from '../dump-text.js';
import { drained } from '../tools.js';
import { scanDump } from './dump.js';

/** Around a database, or of no account for its content: databases, roles, owners, rights, comments. */
const LEFT_OUT: readonly RegExp[] = [
  /^(?:GRANT|REVOKE|COMMENT|SECURITY LABEL|BEGIN|COMMIT|DROP)\b/i,
  /^(?:CREATE|ALTER) (?:DATABASE|ROLE|USER|TABLESPACE|PUBLICATION|SUBSCRIPTION|EVENT TRIGGER|DEFAULT PRIVILEGES|SERVER|FOREIGN DATA WRAPPER)\b/i,
  /^CREATE SCHEMA (?:IF NOT EXISTS )?"?public"?$/i,
  /^ALTER\b.* OWNER TO\b/is,
  /^ALTER TABLE\b.* DROP CONSTRAINT\b/is,
  // Settings of the one who dumps, some of which an older server does not know.
  /^SET (?!client_encoding|standard_conforming_strings|check_function_bodies|escape_string_warning|search_path)/i,
];
const KEPT: readonly RegExp[] = [
  /^SET\b/i,
  /^SELECT pg_catalog\.(?:set_config\('search_path'|setval\()/i,
  /^(?:CREATE|ALTER)\b/i,
  /^INSERT INTO\b/i,
  /^REFRESH MATERIALIZED VIEW\b/i,
];
/** That psql is to connect elsewhere is passed over; its restricted mode is of no use where nothing else is passed on. */
const COMMANDS = /^\\(?:connect|restrict|unrestrict)\b/;

/** Writes what is to be executed of a dump. @throws {MtrackError} BACKUP_DAMAGED for what no dump has */
export async function writeStatements(dump: Readable, stdin: Writable, signal: AbortSignal): Promise<void> {
  let pending: string[] = [];
  const flush = async () => {
    const text = pending.join('');
    pending = [];
    if (text === '' || stdin.destroyed) return;
    if (!stdin.write(text, 'latin1')) await drained(stdin);
  };
  await scanDump(
    dump,
    {
      statement: (text) => {
        if (LEFT_OUT.some((each) => each.test(text))) return;
        if (!KEPT.some((each) => each.test(text)))
          throw damaged(`a statement that no dump of a database has: ${beginningOf(text)}`);
        pending.push(text, ';\n');
      },
      copy: (statement) => pending.push(statement, ';\n'),
      copyLine: (line) => pending.push(line, '\n'),
      copyEnd: () => pending.push('\\.\n'),
      meta: (line) => {
        if (!COMMANDS.test(line))
          throw damaged(`a command for psql that no dump of a database has: ${beginningOf(line)}`);
      },
      afterChunk: flush,
    },
    signal,
  );
  await flush();
  stdin.end();
}
