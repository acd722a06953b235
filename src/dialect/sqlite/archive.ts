/** Backups of SQLite: a copy of the file, by whichever tool, or the text of `.dump`; packed or not. */
import { closeSync, copyFileSync, createWriteStream, existsSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { sql } from 'kysely';
import { MtrackError, messageOf } from '../../errors.js';
import { type BackupFile, unreadable } from '../backup-file.js';
import { type BackupContext, type BackupReader, NO_ORIGIN, type Origin, type RowSink } from '../backups.js';
import { damaged, truncated } from '../dump-text.js';
import { makeScratchFolder } from '../scratch-folder.js';
import type { Session } from '../session.js';
import { interrupted } from '../tools.js';
import { openToRead } from './connect.js';
import { faultOf } from './faults.js';
import { problemsIn } from './integrity.js';
import { loadDump } from './load.js';
import { quoteName } from './table-sql.js';

const MAGIC = 'SQLite format 3\0';

export const reader: BackupReader = {
  recognise: ({ isFolder, head }) => {
    if (isFolder) return null;
    if (head.toString('latin1', 0, MAGIC.length) === MAGIC) return 'file';
    return /^(?:PRAGMA foreign_keys ?= ?O\w+;\s+)?BEGIN(?: TRANSACTION)?;/.test(head.toString('latin1', 0, 200))
      ? 'dump'
      : null;
  },
  read: async (file, format, sink, context) => {
    const asItIs = format === 'file' && file.compression === 'none' && file.location === file.path;
    if (asItIs) return readFile(file.path, file.path, sink, context);
    const folder = makeScratchFolder();
    try {
      const path = join(folder.path, 'mlflow.db');
      await materialise(file, format, path, context);
      return await readFile(path, file.path, sink, context);
    } finally {
      await folder.remove();
    }
  },
};

/** Makes of a backup, whichever it is, a database file that is not there yet. */
export async function materialise(
  file: BackupFile,
  format: string,
  path: string,
  { signal, onProgress }: BackupContext,
): Promise<void> {
  let done = 0;
  const stream = () =>
    file.stream((n) => {
      done += n;
      onProgress({ what: 'reading', done, total: file.bytes, unit: 'bytes' });
    });
  try {
    if (format === 'dump') return await loadDump(stream(), path, signal);
    if (file.compression === 'none') {
      copyFileSync(file.location, path);
      // What was copied while it was in use has a part of its rows beside it.
      for (const suffix of ['-wal', '-journal'].filter((each) => existsSync(file.location + each)))
        copyFileSync(file.location + suffix, path + suffix);
    } else await pipeline(stream(), createWriteStream(path), { signal });
  } catch (error) {
    if (signal.aborted) throw interrupted(signal);
    throw unreadable(error, file.path);
  }
}

/** @param shown what is said of the file in messages */
async function readFile(
  path: string,
  shown: string,
  sink: RowSink,
  { signal, onProgress }: BackupContext,
): Promise<Origin> {
  checkLength(path, shown);
  let session: Session | undefined;
  try {
    session = await openToRead(path, { patience: 0, onWait: () => undefined });
    onProgress({ what: 'checking pages', done: 0, total: null, unit: 'bytes' });
    // Every page, every index, every row of the file; nothing is left for later.
    const problems = await problemsIn(session);
    if (problems.length > 0) throw damaged([`${shown}: SQLite's integrity check finds`, ...problems].join('\n'));
    for (const { name } of await session.rows<{ name: string }>(TABLES)) {
      if (signal.aborted) throw interrupted(signal);
      await readTable(session, name, sink);
      onProgress({ what: name, done: 0, total: null, unit: 'rows' });
    }
    return NO_ORIGIN;
  } catch (error) {
    throw explained(error, shown);
  } finally {
    await session?.close();
  }
}

const TABLES =
  "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
const PAGE = 20_000;

async function readTable(session: Session, table: string, sink: RowSink): Promise<void> {
  const columns = await session.rows<{ name: string }>(sql`SELECT name FROM pragma_table_info(${table}) ORDER BY cid`);
  const wanted = sink.table(
    table,
    columns.map(({ name }) => name),
  );
  if (wanted === null) {
    const [row] = await session.rows<{ n: number }>(`SELECT COUNT(*) AS n FROM ${quoteName(table)}`);
    sink.rows(table, row?.n ?? 0);
    return;
  }
  const texts = wanted.map((place, i) => `CAST(${quoteName(columns[place]?.name ?? '')} AS TEXT) AS c${i}`);
  let last = Number.MIN_SAFE_INTEGER;
  for (;;) {
    const rows = await session.rows<Record<string, string | null> & { k: number }>(
      sql`SELECT ${sql.raw(['rowid AS k', ...texts].join(', '))} FROM ${sql.raw(quoteName(table))} WHERE rowid > ${last} ORDER BY rowid LIMIT ${PAGE}`,
    );
    for (const row of rows)
      sink.row(
        table,
        wanted.map((_, i) => row[`c${i}`] ?? null),
      );
    const end = rows.at(-1);
    if (!end || rows.length < PAGE) return;
    last = end.k;
  }
}

/** What the head of the file says of its length (https://www.sqlite.org/fileformat.html#the_database_header). */
function checkLength(path: string, shown: string): void {
  const header = Buffer.alloc(100);
  const file = openSync(path, 'r');
  try {
    if (readSync(file, header, 0, 100, 0) < 100) throw truncated(`${shown} ends inside its header`);
  } finally {
    closeSync(file);
  }
  const { size } = statSync(path);
  const given = header.readUInt16BE(16);
  const pageSize = given === 1 ? 65_536 : given;
  // Old versions of SQLite leave the number of pages as it was, which shows in these two.
  const isValid = header.readUInt32BE(24) === header.readUInt32BE(92);
  const expected = header.readUInt32BE(28) * pageSize;
  const hasLog = existsSync(`${path}-wal`) || existsSync(`${path}-journal`);
  if (hasLog) return;
  if ((isValid && size < expected) || (pageSize > 0 && size % pageSize !== 0))
    throw truncated(`${shown} has ${size} bytes, and its header says ${expected}`);
}

function explained(error: unknown, shown: string): unknown {
  if (error instanceof MtrackError) return error;
  // Malformed, or no database at all: whatever SQLite finds when it only reads is in the file.
  const isFile = ['connect-failed', 'damaged', 'other'].includes(faultOf(error));
  return isFile ? damaged(`${shown}: ${messageOf(error)}`) : error;
}
