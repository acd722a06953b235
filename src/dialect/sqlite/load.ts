/** The text of `.dump`, made a database again (https://www.sqlite.org/cli.html#converting_an_entire_database_to_a_text_file). */
import type { Readable } from 'node:stream';
import { messageOf } from '../../errors.js';
import { beginningOf, damaged, decoded, eachLine, StatementScanner, truncated } from '../dump-text.js';
import { interrupted } from '../tools.js';
import { openToWrite } from './connect.js';
import { faultOf } from './faults.js';

/** The statements of a dump that make up the database. Any other is not executed: some of them could write elsewhere. */
const KEPT: readonly RegExp[] = [
  /^CREATE (?:UNIQUE )?(?:TABLE|INDEX|TRIGGER|VIEW)\b/i,
  /^INSERT INTO\b/i,
  /^DELETE FROM sqlite_sequence$/i,
  /^ANALYZE "?sqlite_(?:schema|master)"?$/i,
];
const AROUND = /^(?:PRAGMA foreign_keys ?= ?\w+|BEGIN(?: TRANSACTION)?)$/i;
const SYNTAX = { backslashes: false, names: '"`', dollars: false, conditional: false } as const;

/** @throws {MtrackError} BACKUP_TRUNCATED, BACKUP_DAMAGED, INTERRUPTED; and what the stream throws */
export async function loadDump(stream: Readable, path: string, signal: AbortSignal): Promise<void> {
  const session = await openToWrite(path);
  const pending: string[] = [];
  let isComplete = false;
  let trigger = '';
  const scanner = new StatementScanner(SYNTAX, (text) => {
    // The statements inside a trigger end like any other.
    const whole = trigger === '' ? text : `${trigger};\n${text}`;
    if (/^CREATE (?:TEMP(?:ORARY)? )?TRIGGER\b/i.test(whole) && !/\bEND$/i.test(whole)) {
      trigger = whole;
      return;
    }
    trigger = '';
    if (/^ROLLBACK\b/i.test(whole)) throw damaged('the dump says of itself that it was made of a damaged database');
    if (isComplete) throw damaged(`there is more behind the end of the dump: ${beginningOf(whole)}`);
    if (/^COMMIT$/i.test(whole)) isComplete = true;
    else if (KEPT.some((each) => each.test(whole))) pending.push(decoded(whole));
    else if (!AROUND.test(whole)) throw damaged(`no statement of a dump: ${beginningOf(whole)}`);
  });
  const run = async () => {
    if (signal.aborted) throw interrupted(signal);
    for (const statement of pending.splice(0)) {
      await session.run(statement).catch((error: unknown) => {
        if (faultOf(error) !== 'other') throw error;
        throw damaged(`${beginningOf(statement)}: ${messageOf(error)}`);
      });
    }
  };
  try {
    await session.run('PRAGMA foreign_keys = OFF');
    // The file goes away when this does not come to its end: it need not outlive a crash.
    await session.rows('PRAGMA journal_mode = OFF');
    await session.run('PRAGMA synchronous = OFF');
    await session.begin();
    await eachLine(stream, (line) => scanner.push(line), run);
    await run();
    if (trigger !== '' || scanner.unfinished !== '')
      throw truncated(`the dump ends in the middle of: ${beginningOf(trigger || scanner.unfinished)}`);
    if (!isComplete) throw truncated('the dump has no last line, COMMIT');
    await session.commit();
    await session.rows('PRAGMA journal_mode = DELETE');
  } finally {
    await session.close();
  }
}
