/**
 * The part of the contract that is about backups: how one is taken with the database's own tools, what is read from one,
 * and how it is restored into a database that is made for it and dropped again.
 */
import type { BackupFile } from './backup-file.js';
import type { Database } from './dialect.js';
import type { Session } from './session.js';
import type { ToolEnvironment } from './tools.js';

/** What identifies a database beyond its name, as it says itself: names of facts, and their values as text. */
export interface Identity {
  readonly facts: Readonly<Record<string, string>>;
  /** Whether another value means another database; false where a file can be moved or put back and stay the same one. */
  readonly firm: boolean;
}

/** What a backup, or the tool that makes it, says of its making. Null is what it does not say. */
export interface Origin {
  readonly tool: string | null;
  /** Version of the server. */
  readonly server: string | null;
  /** Name of the database at that time. */
  readonly database: string | null;
  /** Milliseconds since the epoch. */
  readonly takenAt: number | null;
}

export const NO_ORIGIN: Origin = { tool: null, server: null, database: null, takenAt: null };

/** Receives what is in a backup while it is read. */
export interface RowSink {
  /**
   * A table that is there, before its rows; once for each.
   * @returns the places of the columns whose values are wanted; null where the rows are only counted
   */
  table(name: string, columns: readonly string[]): readonly number[] | null;
  /** A row of a table; the wanted values as text, in the order in which they were wanted. */
  row(table: string, values: readonly (string | null)[]): void;
  /** So many rows of a table of which no values are wanted. */
  rows(table: string, n: number): void;
}

/** How far a long job has come. `what` is a table or phase; `total` is null where it is not known. */
export interface BackupProgress {
  readonly what: string;
  readonly done: number;
  readonly total: number | null;
  readonly unit: 'bytes' | 'rows' | 'tables' | 'percent';
}

export interface BackupContext {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: BackupProgress) => void;
}

/** A way to take a backup. */
export interface BackupFormat {
  readonly name: string;
  /** Of the file name, with its dot; empty for a folder. */
  readonly extension: string;
  readonly isFolder: boolean;
  /** Whether `jobs` can be more than one. */
  readonly parallel: boolean;
}

export interface TakeOptions extends BackupContext {
  /** What is written, and is not there before. */
  readonly path: string;
  readonly format: string;
  readonly jobs: number;
}

/** A database that was made for a restored backup. */
export interface Scratch {
  readonly database: Database;
  /**
   * Fills it with a backup.
   * @throws {MtrackError} RESTORE_FAILED and those of `readBackup`
   */
  restore(backup: BackupFile, context: BackupContext): Promise<void>;
  /** Gone, with all that it holds. */
  drop(): Promise<void>;
}

export interface Backups {
  readonly formats: readonly [BackupFormat, ...BackupFormat[]];
  /** Whether the file is written here, where it can be read again, and not where the server runs. */
  readonly writesHere: boolean;
  readonly reader: BackupReader;
  identify(session: Session): Promise<Identity>;
  /** @throws {MtrackError} BACKUP_FAILED, INTERRUPTED */
  take(options: TakeOptions): Promise<Origin>;
  /** @throws {MtrackError} RESTORE_FAILED */
  createScratch(): Promise<Scratch>;
  /** Drops the scratch databases of runs that were killed; their names. */
  dropLeftovers(): Promise<readonly string[]>;
}

/** How scratch databases are called: unmistakable, and nobody else's. */
export const SCRATCH_PREFIX = 'mtrack_scratch_';

export interface ReadContext extends BackupContext {
  readonly environment: ToolEnvironment;
}

/** How the backups of a dialect are told from others, and read. */
export interface BackupReader {
  /** The format, when it is one of this dialect's. */
  recognise(file: BackupFile): string | null;
  /**
   * Reads all of it, to the last byte.
   * @throws {MtrackError} BACKUP_TRUNCATED, BACKUP_DAMAGED, BACKUP_UNKNOWN, INTERRUPTED
   */
  read(file: BackupFile, format: string, sink: RowSink, context: ReadContext): Promise<Origin>;
}
