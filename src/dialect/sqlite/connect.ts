/**
 * Connections to a SQLite file. Looking must not change anything, not even leave a `-wal` or `-shm` file beside it, and
 * SQLite's own read-only mode does not promise that (https://www.sqlite.org/wal.html#read_only_databases; a reader plays
 * back a dead writer's journal: https://www.sqlite.org/lockingv3.html#hot_journals).
 *
 * Two copies of the SQLite library are at work here, and closing a file in one drops the locks of the other
 * (https://www.sqlite.org/howtocorrupt.html#multiple_copies_of_sqlite_linked_into_the_same_application): a reader must
 * be closed before a writer of the same file is opened.
 */
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MikroORM } from '@mikro-orm/core';
import { NodeSqliteDialect, SqliteDriver as SqlSqliteDriver } from '@mikro-orm/sql';
import { SqliteDriver } from '@mikro-orm/sqlite';
import { MtrackError } from '../../errors.js';
import type { LockWait } from '../dialect.js';
import { QUIET, sessionOf } from '../orm.js';
import { patient } from '../patience.js';
import { type Query, type Session, transactionsBy } from '../session.js';
import { faultOf, needsRecovery } from './faults.js';
import { holdersOf } from './holders.js';

/** A transaction that reads begins with its first query. */
const SNAPSHOT = ['BEGIN', 'SELECT COUNT(*) FROM sqlite_master'];
const READING = transactionsBy('BEGIN', SNAPSHOT);
/** One that reads first and writes then would find out only there that it cannot, and had to be begun again. */
const WRITING = transactionsBy('BEGIN IMMEDIATE', SNAPSHOT);

/** As much of better-sqlite3's `Database` as is used outside of the ORM. */
interface Native {
  prepare(sql: string): { run(...values: readonly unknown[]): unknown };
}

/** A session that may write, with the driver's own database. The file is made when it is not there. `path` null is a database in memory. */
export async function openWriter(path: string | null): Promise<{ session: Session; database: Native }> {
  const orm = new MikroORM({
    ...QUIET,
    driver: SqliteDriver,
    dbName: path ?? ':memory:',
    // Waiting is ours, so that it can be seen and ended: SQLite's own would block the process.
    driverOptions: { timeout: 0 },
  });
  await orm.connect();
  // Before the one connection that there is has been taken.
  const database: Native = await orm.em.getConnection().getNativeClient();
  return { session: await sessionOf(orm, WRITING), database };
}

/** The session of `openWriter`. */
export const openToWrite = async (path: string | null): Promise<Session> => (await openWriter(path)).session;

export interface Reading extends Session {
  /** It reads a copy, or nothing: no other process has anything to do with it. */
  readonly isOfItsOwn: boolean;
}

/**
 * A session that reads, and leaves the file and its folder byte for byte as they are. A file that is not there reads as
 * an empty database and is not made.
 * @param wait how long, for a writer that keeps readers out
 */
export async function openToRead(path: string | null, wait: LockWait): Promise<Reading> {
  if (path === null || sizeOf(path) === 0) return { ...(await openToWrite(null)), isOfItsOwn: true };
  if (isLeftAlone(path)) return openCopy(path);
  const { uri, makeSure } = toRead(path);
  const session = patient(await openUri(uri), { faultOf, blockers: async () => holdersOf(path) }, wait);
  const rows = async <Row extends object>(query: Query) => {
    const found = await session.rows<Row>(query);
    makeSure();
    return found;
  };
  try {
    await session.rows('PRAGMA schema_version');
    return { ...session, rows, isOfItsOwn: false };
  } catch (error) {
    await session.close();
    if (needsRecovery(error)) return openCopy(path);
    throw error;
  }
}

/** A log without its index has no living user: it belongs to a process that died, or was copied here. */
export const isLeftAlone = (path: string): boolean => sizeOf(`${path}-wal`) > 0 && !existsSync(`${path}-shm`);

/**
 * Whether it is in WAL mode and nobody has it open, so that it is the whole database. Where there are a log and its index,
 * even with nothing in the log, somebody may be about to write.
 */
const isUnused = (path: string): boolean => isWal(path) && !(existsSync(`${path}-wal`) && existsSync(`${path}-shm`));

/** How a file is read without a trace. */
export interface ToRead {
  /** The name by which it is opened. */
  readonly uri: string;
  /** To be called when something was read. @throws {MtrackError} LOCKED where it may have been a mixture of old and new */
  makeSure(): void;
}

/** In WAL mode a reader makes a log and an index where there are none, and only one that takes the file for immutable does not. */
export function toRead(path: string): ToRead {
  const { href } = pathToFileURL(path);
  if (!isUnused(path)) return { uri: `${href}?mode=ro`, makeSure: () => undefined };
  const before = stampOf(path);
  return {
    uri: `${href}?mode=ro&immutable=1`,
    makeSure: () => {
      // Nothing keeps others from writing a file that is read in this way.
      if (stampOf(path) === before) return;
      throw new MtrackError('LOCKED', {
        found: `another process began to write ${path} while it was read`,
        fix: ['run the command again'],
      });
    },
  };
}

function stampOf(path: string): string {
  const { mtimeNs, size } = statSync(path, { bigint: true });
  return `${mtimeNs} ${size}`;
}

/** The journal or log is played back on a copy in the folder for temporary files. */
const openCopy = async (path: string): Promise<Reading> => ({ ...(await openCopyOf(path)), isOfItsOwn: true });

/** @param suffixes of the files that make up the database */
export async function openCopyOf(path: string, suffixes?: readonly string[]): Promise<Session> {
  const { copy, remove } = copied(path, suffixes);
  try {
    const session = await openToWrite(copy);
    return { ...session, close: () => session.close().finally(remove) };
  } catch (error) {
    remove();
    throw error;
  }
}

/** A copy of a file with its journal or log, in a folder for temporary files. */
export function copied(
  path: string,
  suffixes: readonly string[] = ['', '-wal', '-journal'],
): { readonly copy: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'mtrack-read-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const copy = join(folder, basename(path));
    for (const suffix of suffixes.filter((suffix) => existsSync(path + suffix))) {
      copyFileSync(path + suffix, copy + suffix, constants.COPYFILE_FICLONE);
    }
    return { copy, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** better-sqlite3 is built without URI names, which alone can say `immutable`; Node's own SQLite has them. */
function openUri(uri: string): Promise<Session> {
  const dialect = withoutWarning(() => new NodeSqliteDialect(uri));
  const orm = new MikroORM({ ...QUIET, driver: SqlSqliteDriver, dbName: ':memory:', driverOptions: dialect });
  return sessionOf(orm, READING);
}

/** Node < 24 says on the terminal that node:sqlite is experimental. */
export function withoutWarning<T>(load: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return load();
  } finally {
    process.emitWarning = emitWarning;
  }
}

export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Bytes 18 and 19 of the header are 2 in WAL mode (https://www.sqlite.org/fileformat.html#file_format_version_numbers). */
export function isWal(path: string): boolean {
  const header = Buffer.alloc(20);
  const file = openSync(path, 'r');
  try {
    return readSync(file, header, 0, 20, 0) === 20 && header[18] === 2;
  } finally {
    closeSync(file);
  }
}
