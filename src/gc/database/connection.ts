/** The connection of a collection that goes on for hours: statements and transactions are repeated where a fault may pass. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultKind, LockWait } from '../../dialect/dialect.js';
import type { Query, Session } from '../../dialect/session.js';
import { MtrackError } from '../../errors.js';

export interface Connection {
  /** A query by itself. */
  rows<Row extends object>(query: Query): Promise<Row[]>;
  /** A statement by itself, tried once. */
  run(statement: Query): Promise<void>;
  /** `work` is done again, from its beginning, after a deadlock, a lock that was not got, or a lost connection. */
  transaction<T>(work: (session: Session) => Promise<T>): Promise<T>;
}

/** Of a session that only reads, and waits by itself. */
export function readingConnection(session: Session): Connection {
  const refused = async () => {
    throw new Error('a session that only reads was asked to write');
  };
  return { rows: (query) => session.rows(query), run: refused, transaction: refused };
}

export interface Reopening {
  /** Opens a session that is ready for work, the lock taken. */
  open(): Promise<Session>;
  faultOf(error: unknown): FaultKind;
  readonly wait: LockWait;
}

const RECONNECTS = 5;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5000;

export class WorkingConnection implements Connection {
  readonly #how: Reopening;
  #session: Session;

  private constructor(session: Session, how: Reopening) {
    this.#session = session;
    this.#how = how;
  }

  static async open(how: Reopening): Promise<WorkingConnection> {
    return new WorkingConnection(await how.open(), how);
  }

  /** The one at hand: another one after it broke. */
  get session(): Session {
    return this.#session;
  }

  rows<Row extends object>(query: Query): Promise<Row[]> {
    return this.#again((session) => session.rows<Row>(query));
  }

  async run(statement: Query): Promise<void> {
    await this.#session.run(statement);
  }

  transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#again(async (session) => {
      await session.begin();
      try {
        const result = await work(session);
        await session.commit();
        return result;
      } catch (error) {
        // Where the connection is gone, so is the transaction: the first error is the one that counts.
        await session.rollback().catch(() => undefined);
        throw error;
      }
    });
  }

  async #again<T>(attempt: (session: Session) => Promise<T>): Promise<T> {
    const { faultOf, wait } = this.#how;
    const until = Date.now() + wait.patience;
    let [pause, reconnects] = [FIRST_PAUSE_MS, 0];
    for (;;) {
      try {
        return await attempt(this.#session);
      } catch (error) {
        if (error instanceof MtrackError) throw error;
        const fault = faultOf(error);
        const isLocked = fault === 'lock-timeout' || fault === 'deadlock';
        if (isLocked ? Date.now() > until : fault !== 'connection-lost' || reconnects++ >= RECONNECTS) throw error;
        // Jitter, so that two who wait for each other do not meet again.
        await sleep(pause * (0.5 + Math.random()));
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
        if (!isLocked) await this.#reopen(reconnects);
      }
    }
  }

  /** A server that restarts lets nobody in for a while. */
  async #reopen(attempts: number): Promise<void> {
    await this.#session.close();
    for (let attempt = attempts; ; attempt++) {
      try {
        this.#session = await this.#how.open();
        return;
      } catch (error) {
        const fault = error instanceof MtrackError ? null : this.#how.faultOf(error);
        if ((fault !== 'connect-failed' && fault !== 'connection-lost') || attempt >= RECONNECTS) throw error;
        await sleep(Math.min(10_000, 250 * 2 ** attempt));
      }
    }
  }
}
