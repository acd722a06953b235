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
   * @throws {CommitUnknown} when the connection broke while it committed
   */
  write<Result>(work: (db: Kysely<Tables>) => Promise<Result>): Promise<Result>;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

/** The connection broke during COMMIT: what was written may be there or not. */
export class CommitUnknown extends Error {
  constructor(cause: unknown) {
    super('the connection to the database was lost while a transaction was committed', { cause });
    this.name = 'CommitUnknown';
  }
}

/** How long attempts go on, in milliseconds from the first one: as long as MLflow waits for SQLite's lock. */
const PATIENCE_MS = 20_000;
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 500;

const PASSING: readonly FaultKind[] = ['deadlock', 'lock-timeout', 'connection-lost'];

/** Attempts, with pauses that grow and differ, until one succeeds or fails for a reason that will not pass by itself. */
export async function retrying<Result>(
  attempt: () => Promise<Result>,
  faultOf: (error: unknown) => FaultKind,
): Promise<Result> {
  const until = Date.now() + PATIENCE_MS;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof CommitUnknown || !PASSING.includes(faultOf(error)) || Date.now() > until) throw error;
    }
    await sleep(pause * (0.5 + Math.random()));
  }
}

/** On a database server, whose own transactions keep requests apart. */
export function serverPool<Tables>(
  kysely: Kysely<Tables>,
  { words, faultOf, close }: { words: QueryWords; faultOf: (error: unknown) => FaultKind; close: () => Promise<void> },
): Pool<Tables> {
  const transaction = async <Result>(work: (db: Kysely<Tables>) => Promise<Result>): Promise<Result> => {
    const open = await kysely.startTransaction().execute();
    let result: Result;
    try {
      result = await work(open);
    } catch (error) {
      // Where the connection is gone, so is the transaction: the first error is the one that counts.
      await open
        .rollback()
        .execute()
        .catch(() => undefined);
      throw error;
    }
    try {
      await open.commit().execute();
    } catch (error) {
      throw faultOf(error) === 'connection-lost' ? new CommitUnknown(error) : error;
    }
    return result;
  };
  return {
    words,
    read: (work) => retrying(() => work(kysely), faultOf),
    write: (work) => retrying(() => transaction(work), faultOf),
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
