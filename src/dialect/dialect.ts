/**
 * The contract of a dialect: all that the rest of mtrack may ask of a database. Nothing outside this folder knows a
 * database by name; it asks the facts here.
 */
import type { EntityName } from '@mikro-orm/core';
import type { PoolOptions, TlsFiles } from '../config.js';
import type { Naming } from '../schema/fold.js';
import type { Column, Schema, Table } from '../schema/model.js';
import type { Operation, Range } from '../schema/operations.js';
import type { Traits } from '../schema/traits.js';
import type { SqlWords } from '../schema/words.js';
import type { Backups } from './backups.js';
import type { Loader } from './loader.js';
import type { Pool } from './pool.js';
import type { QueryWords } from './query-words.js';
import type { RowWords } from './row-words.js';
import type { Query, Session } from './session.js';
import type { ToolEnvironment } from './tools.js';

/** What a statement, or a run of them, does to others who use the database. */
export interface Effect {
  readonly table: string;
  /** The lock in the database's own words. */
  readonly lock: string;
  readonly blocks: 'nothing' | 'writes' | 'reads and writes';
  /** Work in proportion to the table: `rewrite` writes it again whole, `scan` reads it, `index` builds an index over it. */
  readonly work: 'none' | 'scan' | 'index' | 'rewrite';
}

/** What a server was seen to do to a table that was there before. */
export interface Watched {
  readonly table: string;
  /** In the words of an `Effect`; empty for none that keeps writers out. */
  readonly lock: string;
  readonly rewritten: boolean;
}

/**
 * Does the work of a step on a database without rows, and sees what the server does to its tables.
 * @param step the table that it alters, if it alters one, and its statements
 * @param run does the work; a dialect may run the statements itself, one after the other
 */
export type Watch = (
  session: Session,
  step: { readonly altered: string | null; readonly statements: readonly string[] },
  run: () => Promise<void>,
) => Promise<Watched[]>;

export interface Statement {
  readonly sql: string;
  /** The rows are worked through in chunks of about `rows`; the SQL then holds range markers (see ranges.ts). */
  readonly over?: Range & { readonly rows: number };
  /** Said of the statement while it runs. */
  readonly note?: string;
}

/** A structural operation in a dialect's SQL, with the schema it leaves behind. */
export interface Compiled {
  readonly statements: readonly Statement[];
  readonly effects: readonly Effect[];
  readonly after: Schema;
}

export interface TableStats {
  /** Rows: counted where that is cheap, else as the database's statistics have it. */
  readonly rows: number;
  readonly exact: boolean;
  /** Bytes of the table with its indexes. */
  readonly bytes: number;
}

export interface Blocker {
  /** Who holds the lock: process or connection id, user and program, as far as the database tells. */
  readonly who: string;
  readonly sinceSeconds: number | null;
  readonly what: string;
}

/** Why a database's driver failed, as far as it decides what to do next. */
export type FaultKind =
  | 'lock-timeout'
  | 'deadlock'
  | 'connection-lost'
  | 'connect-failed'
  | 'disk-full'
  /** The files of the database are not as the server wrote them. */
  | 'damaged'
  | 'permission'
  | 'read-only'
  /** A row with the same key is there. */
  | 'duplicate'
  | 'other';

/** A finding of the preflight: why the upgrade could not succeed, or what its operator should know before. */
export interface Finding {
  readonly severity: 'refuses' | 'warns';
  readonly found: string;
  readonly fix: string;
}

/** What the preflight of a dialect is told of the plan. */
export interface PreflightScope {
  readonly schema: Schema;
  readonly stats: ReadonlyMap<string, TableStats>;
  /** Tables that are rewritten, or that indexes are built over. */
  readonly heavy: readonly string[];
  readonly createsTrigger: boolean;
  readonly createsTables: boolean;
}

export interface LockWait {
  /** Milliseconds to wait at the most. */
  readonly patience: number;
  readonly onWait: (blockers: readonly Blocker[]) => void;
}

/** A lock by name: it keeps those out who ask for it, and nobody else. It ends with the process, however that ends. */
export interface NamedLock {
  /** @throws {MtrackError} LOCKED */
  take(session: Session, wait: LockWait): Promise<void>;
  holds(session: Session): Promise<boolean>;
  release(session: Session): Promise<void>;
}

/** How far a statement that runs now has come, as another session sees it. */
export interface ServerProgress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
}

export interface Dialect {
  readonly name: string;
  readonly traits: Traits;
  readonly naming: Naming;
  readonly words: SqlWords;
  /** How queries and changes of rows are spelt. */
  readonly queries: QueryWords;
  readonly rowWords: RowWords;

  /**
   * What one transaction spans: the whole upgrade, one revision with its version, or nothing, as each statement of DDL
   * commits by itself.
   */
  readonly transaction: 'upgrade' | 'revision' | 'none';
  /** Changing a table means copying it: changes of one table are worth putting together. */
  readonly rebuildsTables: boolean;
  /** Keys and references are better added to a table when it is full than looked after while it fills. */
  readonly keysLast: boolean;
  /** Adding a check copies the table: it is better made with it. */
  readonly checksFirst: boolean;

  /** Null where the server is not asked: SQLite has one lock, on all of it. */
  readonly watch: Watch | null;
  /** Whether a scratch database can be made, to time the steps of a plan on a sample of the rows. */
  readonly samples: boolean;
  /** Bytes of tables that the server, or the system for it, keeps in memory, about: what does not fit takes longer. */
  memory(session: Session): Promise<number>;

  /** A column in words, for differences and plans; two columns that are spelt alike are the same. */
  spell(column: Column): string;
  /**
   * @throws {Error} when the schema lacks what the operation changes.
   */
  compile(operation: Operation, schema: Schema): Compiled;
  /** How much a chunk of this dialect may hold, in rows. */
  readonly chunkRows: number;
  /** Into how many chunks a table is cut at the most; they are larger then. For a dialect that reads much of it for each. */
  readonly mostChunks: number;

  /** The key of the `n`th row (from 0) above `after`, or of the first rows when null, in the order of the key, as `k`. */
  nthKey(range: Range, after: unknown, n: number): Query;
  /** A query cut to its first row. */
  firstOf(query: string): string;

  readCatalog(session: Session): Promise<Schema>;
  /** The rows of alembic_version; null when there is no such table. */
  readVersions(session: Session): Promise<readonly string[] | null>;
  readStats(session: Session, tables: readonly string[]): Promise<ReadonlyMap<string, TableStats>>;
  /** Makes the numbers that a table gives to its rows itself go on above those that it has. */
  advanceNumbers(session: Session, table: string, column: string): Promise<void>;
  /** CREATE TABLE of Alembic's version table, as Alembic writes it. */
  readonly createVersionTable: string;

  /** Takes the lock that keeps other upgrades out, and re-takes nothing: the session that does the work holds it. */
  lock(session: Session, wait: LockWait): Promise<void>;
  /** Whether the session still holds it: asked before each step. */
  holdsLock(session: Session): Promise<boolean>;
  unlock(session: Session): Promise<void>;
  /** Lets one garbage collection of a database run at a time, beside whatever else uses it. */
  readonly collecting: NamedLock;
  /** Statements, none of them in a transaction, that give the room of removed rows back. */
  giveBack(tables: readonly string[]): readonly string[];
  /** Settings of the session that works, before the lock is taken. `lockTimeout` in milliseconds, of one attempt; `rowsOnly` where no schema is changed. */
  prepare(session: Session, options: { readonly lockTimeout: number; readonly rowsOnly?: boolean }): Promise<void>;
  blockers(session: Session): Promise<readonly Blocker[]>;
  /** Progress of the statement that `session` runs, asked through another one. */
  progressOf?(observer: Session, session: Session): Promise<ServerProgress | null>;

  preflight(session: Session, scope: PreflightScope): Promise<readonly Finding[]>;
  /** Differences that the database itself brings about and that are of no account. */
  isBenign(extra: { readonly table: Table; readonly index: string }): boolean;
  /** Broken references that the upgrade must not leave, as sentences; empty where the server sees to it. */
  brokenReferences(session: Session, tables: readonly string[]): Promise<readonly string[]>;

  faultOf(error: unknown): FaultKind;
  /** What to look at when the database cannot be opened, as sentences to act on. */
  readonly whenUnreachable: readonly string[];
  /** What to do when its files are broken. */
  readonly whenDamaged: readonly string[];
  /** The command that takes a backup with the database's own tools; never holds a password. */
  backupCommand(target: BackupTarget): string;

  readonly script: Script;
}

/** Where the database is, without its password. */
export interface BackupTarget {
  readonly host: string | null;
  readonly port: number | null;
  readonly user: string | null;
  /** Name of the database, or path of its file. */
  readonly database: string;
}

/** What is said of a connection outside its URI. */
export interface OpenOptions {
  readonly pool: PoolOptions;
  readonly mysqlTls: TlsFiles;
  /** Variables `PG…` of the environment. */
  readonly postgresql: Readonly<Record<string, string>>;
  /** What the database's own programs are started with; where nothing is said, no more than where programs usually are. */
  readonly tools?: ToolEnvironment;
  /** The words that name the database on a command line; without them its URI does. */
  readonly named?: string;
  /** Receives each statement before it is sent: SQLAlchemy's `echo`. */
  readonly echo?: (statement: string) => void;
}

/** A database that a store URI names: sessions to look and to work, and the dialect that its server speaks. */
export interface Database {
  readonly dialect: Dialect;
  readonly target: BackupTarget;
  /** The store URI without its password. */
  readonly shown: string;
  /** The words that name it on a command line, as it was named there: empty where the environment does; no secrets. */
  readonly named: string;
  /** Nothing is there yet: the database will be made by the first writer. */
  readonly absent: boolean;
  /**
   * A session that cannot write.
   * @param patience milliseconds to wait for a writer that keeps readers out
   * @param onWait told, again and again, for whom it waits
   */
  reader(patience: number, onWait?: LockWait['onWait']): Promise<Session>;
  /** A reader that sees the database as it is now for as long as it lives, and keeps nobody from writing. */
  snapshot(patience: number, onWait?: LockWait['onWait']): Promise<Session>;
  /** A session that can. Where both at once are unsafe, the reader must be closed before. */
  worker(): Promise<Session>;
  /** How it is backed up with its own tools. */
  backups(): Promise<Backups>;
  /** A worker that loads rows. */
  loader(): Promise<Loader>;
  /** For a program that serves. @param entities of the tables that it asks */
  pool<Tables>(entities: readonly EntityName[]): Promise<Pool<Tables>>;
}

/** What an offline script needs, so that the database's own client can run it and stops at the first error. */
export interface Script {
  readonly header: (about: readonly string[]) => string;
  readonly footer: string;
  /** One statement with its terminator. */
  readonly statement: (sql: string) => string;
  readonly begin: string | null;
  readonly commit: string | null;
  /** Stops the script with a message when a query gives a row. */
  readonly stopIf: (query: string, message: string) => string;
  /** How to run it, as a command. */
  readonly runWith: (target: BackupTarget) => string;
}
