/** Connections for a program that serves many requests at a time, and the ways of such a program with a database's faults. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { FaultKind } from './dialect.js';
import type { QueryWords } from './query-words.js';

export interface Pool<Tables> {
  readonly words: QueryWords;
  /**
   * Queries that change nothing, each in a transaction of its own. `work` is run again when a connection was lost or the
   * database was locked.
   */
  read<Result>(work: (db: Kysely<Tables>) => Promise<Result>): Promise<Result>;
  /**
   * One transaction, committed when the promise resolves; rolled back when `work` throws. `work` is run again after a
   * deadlock, a conflict or a lost connection, so it must do nothing but ask the database.
   * @throws {CommitUnknown} when the connection broke while it committed, unless the work is repeatable
   */
  write<Result>(work: (db: Kysely<Tables>) => Promise<Result>, options?: WriteOptions): Promise<Result>;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

export interface WriteOptions {
  /** A second time it changes nothing: a commit of which nobody knows whether it succeeded is simply done again. */
  readonly repeatable?: boolean;
}

/** The connection broke during COMMIT: what was written may be there or not. */
export class CommitUnknown extends Error {
  constructor(cause: unknown) {
    super('the connection to the database was lost while a transaction was committed', { cause });
    this.name = 'CommitUnknown';
  }
}

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 500;

/**
 * Faults that pass by themselves, and how long attempts go on, in milliseconds from the first one: as long as MLflow waits
 * for SQLite's lock; and not so long where nobody answers, as requests pile up.
 */
const PATIENCE_MS: Partial<Record<FaultKind, number>> = {
  deadlock: 20_000,
  'lock-timeout': 20_000,
  'connection-lost': 20_000,
  'connect-failed': 10_000,
};

/** Attempts, with pauses that grow and differ, until one succeeds or fails for a reason that will not pass by itself. */
export async function retrying<Result>(
  attempt: () => Promise<Result>,
  faultOf: (error: unknown) => FaultKind,
  { repeatable = false }: WriteOptions = {},
): Promise<Result> {
  const began = performance.now();
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof CommitUnknown && !repeatable) throw error;
      const fault = error instanceof CommitUnknown ? 'connection-lost' : faultOf(error);
      if (performance.now() - began >= (PATIENCE_MS[fault] ?? 0)) throw error;
    }
    await sleep(pause * (0.5 + Math.random()));
  }
}

/** On a database server, whose own transactions keep requests apart. */
export function serverPool<Tables>(
  kysely: Kysely<Tables>,
  { words, faultOf, close }: { words: QueryWords; faultOf: (error: unknown) => FaultKind; close: () => Promise<void> },
): Pool<Tables> {
  // Not `startTransaction`, which keeps the connection for ever when BEGIN, COMMIT or ROLLBACK fails.
  const transaction = async <Result>(work: (db: Kysely<Tables>) => Promise<Result>): Promise<Result> => {
    let first: unknown;
    let committing = false;
    try {
      return await kysely.transaction().execute(async (open) => {
        try {
          const result = await work(open);
          committing = true;
          return result;
        } catch (error) {
          first = error;
          throw error;
        }
      });
    } catch (error) {
      // Where the connection is gone, ROLLBACK fails as well: the first error is the one that counts.
      if (!committing) throw first ?? error;
      throw faultOf(error) === 'connection-lost' ? new CommitUnknown(error) : error;
    }
  };
  return {
    words,
    read: (work) => retrying(() => work(kysely), faultOf),
    write: (work, options) => retrying(() => transaction(work), faultOf, options),
    close,
  };
}

/** The first of several ways to a server on which a query succeeds. */
export async function firstToAnswer<Options, Orm extends { close(force?: boolean): Promise<void> }>(
  attempts: readonly [Options, ...Options[]],
  open: (options: Options) => Orm,
  ping: (orm: Orm) => Promise<unknown>,
  mayTryNext: (error: unknown) => boolean,
): Promise<Orm> {
  const [first, ...others] = attempts;
  const orm = open(first);
  try {
    await ping(orm);
    return orm;
  } catch (error) {
    await orm.close(true).catch(() => undefined);
    const [next, ...rest] = others;
    if (next === undefined || !mayTryNext(error)) throw error;
    return firstToAnswer([next, ...rest], open, ping, mayTryNext);
  }
}
