/**
 * A dump on its way into a scratch database. It may name another database, users that are not there, and settings of the
 * server, so that no statement of it is passed on unseen: what belongs into the one database is, what belongs around it is
 * left out, and anything else ends the restore.
 */
import type { Readable, Writable } from 'node:stream';
import { beginningOf, damaged } from '../dump-text.js';
import { drained } from '../tools.js';
import { scanDump } from './dump.js';

const LEFT_OUT: readonly RegExp[] = [
  /^(?:CREATE|ALTER|DROP) (?:DATABASE|SCHEMA)\b/i,
  /^(?:DROP|USE|LOCK|UNLOCK|CHANGE|FLUSH|ANALYZE|COMMIT|START TRANSACTION|BEGIN)\b/i,
  /^SET autocommit\b/i,
  // The log of changes, which other servers follow: of the server as a whole.
  /^SET @@(?:GLOBAL|SESSION)\.(?:GTID_PURGED|SQL_LOG_BIN)\b|^SET @MYSQLDUMP_TEMP_LOG_BIN\b/i,
  // They would begin to run.
  /^CREATE\b[^`'"(]*(?:`[^`]*`@`[^`]*`[^`'"(]*)?\bEVENT\b/i,
];
const KEPT: readonly RegExp[] = [
  /^SET (?!GLOBAL|PERSIST|PASSWORD|ROLE|DEFAULT|@@GLOBAL|@@PERSIST)/i,
  /^CREATE\b/i,
  /^ALTER TABLE\b/i,
  /^(?:INSERT|REPLACE)\b/i,
];
/** A table of another database, named with it. */
const ELSEWHERE = /^(?:INSERT|REPLACE|CREATE|ALTER)\b[^`'(]*`(?:[^`]|``)+`\s*\./i;
/** Users need not be there; what they defined belongs to the one who restores. */
const DEFINER = /DEFINER ?= ?`(?:[^`]|``)*`@`(?:[^`]|``)*`/gi;

/** Writes what is to be executed of a dump. @throws {MtrackError} BACKUP_DAMAGED for what no dump has */
export async function writeStatements(dump: Readable, stdin: Writable, signal: AbortSignal): Promise<void> {
  let pending: string[] = [];
  const flush = async () => {
    const text = pending.join('');
    pending = [];
    if (text === '' || stdin.destroyed) return;
    if (!stdin.write(text, 'latin1')) await drained(stdin);
  };
  // A dump with a statement for each row would take a commit for each; statements of DDL commit by themselves.
  pending.push('SET autocommit = 0;\n');
  await scanDump(
    dump,
    (text, inside) => {
      if (LEFT_OUT.some((each) => each.test(inside))) return;
      if (!KEPT.some((each) => each.test(inside)) || ELSEWHERE.test(inside))
        throw damaged(`a statement that no dump of one database has: ${beginningOf(text)}`);
      const isRows = /^(?:INSERT|REPLACE)\b/i.test(text);
      const statement = isRows ? text : text.replace(DEFINER, '');
      // What has statements inside is told from what comes after by another end.
      if (!isRows && /\b(?:TRIGGER|FUNCTION|PROCEDURE)\b/i.test(statement))
        pending.push(`DELIMITER ;;\n${statement};;\nDELIMITER ;\n`);
      else pending.push(statement, ';\n');
    },
    { signal, afterChunk: flush },
  );
  pending.push('COMMIT;\n');
  await flush();
  stdin.end();
}
