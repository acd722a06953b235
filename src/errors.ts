/**
 * Failures that an operator can expect. Each has a stable code, an exit status (docs/exit-codes.md is generated from
 * this table) and says what was found, what was expected and what to run. Anything that is not an MtrackError is a fault
 * of mtrack itself.
 */
export const FAILURES = {
  USAGE: { exit: 2, means: 'a flag or argument is missing, unknown, or contradicts another' },
  URI_INVALID: { exit: 2, means: 'the store URI cannot be read, or names a store this command does not serve' },
  TARGET_UNKNOWN: { exit: 2, means: '--to names no revision or release that this build knows' },
  CONNECT_FAILED: { exit: 3, means: 'the database cannot be reached, or refuses the login' },
  CONNECTION_LOST: { exit: 4, means: 'the connection broke and could not be made again; run the command again' },
  INTERRUPTED: { exit: 5, means: 'stopped by a signal at a safe point; run the command again to go on' },
  LOCKED: { exit: 6, means: 'another session holds a lock for longer than was to be waited' },
  CONSENT_REQUIRED: { exit: 7, means: 'nothing was changed: --yes or --accept is missing, or the answer was no' },
  PREFLIGHT_FAILED: { exit: 8, means: 'nothing was changed: the upgrade could not have succeeded as things are' },
  DATA_REFUSED: { exit: 9, means: 'rows break a condition of a revision' },
  UPGRADE_PENDING: { exit: 10, means: 'the database is at an older revision' },
  PART_WAY: { exit: 11, means: 'an upgrade was cut off inside a revision' },
  DATABASE_EMPTY: { exit: 12, means: 'the database has no tables of MLflow' },
  DATABASE_NEWER: { exit: 13, means: 'the database is at a revision newer than this build, or than the target' },
  DATABASE_FOREIGN: { exit: 14, means: 'alembic_version belongs to another program, or cannot be understood' },
  DRIFTED: { exit: 15, means: 'the schema differs from what MLflow makes at its revision' },
  UNVERSIONED: { exit: 16, means: 'tables of MLflow, but no version, and not the schema that had none' },
  VERIFY_FAILED: { exit: 17, means: 'the upgrade ran, and the schema or the rows are not what they should be' },
  DISK_FULL: { exit: 18, means: 'the database ran out of space' },
  STATEMENT_FAILED: { exit: 19, means: 'the database refused a statement' },
  DATABASE_DAMAGED: { exit: 46, means: 'the files of the database are broken: restore a backup' },
  LISTEN_FAILED: { exit: 22, means: 'the server cannot listen on its address' },
  WORKERS_FAILED: { exit: 23, means: 'the worker processes of the server end again as soon as they are started' },
  MAX_BLOCKED: {
    exit: 25,
    means: 'nothing was changed: the plan would keep others from a table for longer than --max-blocked',
  },
  HAZARDS: { exit: 26, means: 'the check found something as grave as --fail-on, or graver' },
  CANNOT_BE_UNDONE: { exit: 27, means: 'nothing was changed: there is no way back to the target on this database' },
  SIDE_FILE: { exit: 28, means: 'a side file of a downgrade cannot be written, or cannot be read' },
  PLAN_CHANGED: { exit: 20, means: 'the database changed between agreement and upgrade; run the command again' },
  HISTORY_BROKEN: { exit: 29, means: 'the log of runs was changed after it was written (`db history`)' },
  BACKUP_FAILED: { exit: 30, means: "no backup was taken: the database's own tool is missing, or failed" },
  BACKUP_UNKNOWN: { exit: 30, means: 'there is no backup at this path, or none of a kind that can be judged' },
  BACKUP_TRUNCATED: { exit: 31, means: 'the backup ends before it is complete' },
  BACKUP_DAMAGED: { exit: 32, means: 'the backup is not as it was written, or cannot be read to its end' },
  BACKUP_EMPTY: { exit: 33, means: 'the backup holds no tables of MLflow, or no rows' },
  BACKUP_OF_ANOTHER: { exit: 34, means: 'the backup is of another database' },
  BACKUP_REVISION: { exit: 35, means: 'the backup is at another revision than the database' },
  BACKUP_STALE: { exit: 36, means: 'the backup is older than --max-age' },
  BACKUP_INCOMPLETE: { exit: 37, means: 'tables or rows that were there when the backup was taken are not in it' },
  BACKUP_DIFFERS: { exit: 37, means: 'rows of the restored backup are not those of the database' },
  BACKUP_ARTIFACTS: { exit: 37, means: 'artifacts that the backup refers to are not there (--artifacts)' },
  GATE_REFUSED: {
    exit: 38,
    means: 'nothing was changed: no receipt proves the backup or the rehearsal of this upgrade',
  },
  RESTORE_FAILED: { exit: 39, means: 'the backup could not be restored into a scratch database' },
  REHEARSAL_FAILED: {
    exit: 39,
    means: 'the upgrade failed on the restored backup; the database itself was not touched',
  },
  WORKSPACES: { exit: 24, means: 'the store has experiments in workspaces, which mtrack does not serve' },
  PARTIAL: { exit: 21, means: 'done, but for what is named' },
  SOURCE_DAMAGED: { exit: 40, means: 'nothing was changed: the source has what cannot be read or moved as it is' },
  TARGET_CONFLICT: { exit: 41, means: 'the target has other rows where those of the source should go' },
  ARCHIVE_UNREADABLE: { exit: 43, means: 'the archive is broken, was not written to its end, or is of a newer mtrack' },
  ARTIFACTS_NOT_COPIED: {
    exit: 45,
    means: 'no rows were moved: some artifacts could not be copied; run the command again to go on',
  },
  TARGET_EXISTS: { exit: 44, means: 'nothing was written: there is something of that name' },
  TRANSFER_UNPROVEN: { exit: 42, means: 'what was read back from the target is not what the source has' },
} as const satisfies Record<string, { exit: number; means: string }>;

export type FailureCode = keyof typeof FAILURES;

export interface Failure {
  readonly found: string;
  readonly expected?: string;
  /** What to do, most useful first; commands are written out so that they can be copied. */
  readonly fix?: readonly string[];
  readonly cause?: unknown;
  /** For --json; never holds a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A failure that an operator can expect; it is shown without a stack. `exit` is the status of the process. */
export class MtrackError extends Error {
  readonly code: FailureCode;
  readonly failure: Failure;

  constructor(code: FailureCode, failure: Failure) {
    super(failure.found, { cause: failure.cause });
    this.name = 'MtrackError';
    this.code = code;
    this.failure = failure;
  }

  get exit(): number {
    return FAILURES[this.code].exit;
  }

  toJSON(): Record<string, unknown> {
    const { found, expected, fix, details } = this.failure;
    return { code: this.code, exit: this.exit, found, expected, fix, ...(details && { details }) };
  }
}

/** What to do where a newer MLflow is met than this build knows. */
export const UPDATE_MTRACK = 'update mtrack: in its folder, `git pull && npm ci`';

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
