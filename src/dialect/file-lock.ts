/**
 * A lock on files that ends with the process, however that ends. The system's own locks do, and Node.js has no call for
 * them: an empty SQLite file is locked instead, which takes one on every platform (https://www.sqlite.org/lockingv3.html).
 * The file lies beside what it guards, so that all who can reach that meet at it, and is removed in the end.
 */
import { closeSync, openSync, rmSync, statSync } from 'node:fs';
import { MikroORM } from '@mikro-orm/core';
import { SqliteDriver } from '@mikro-orm/sqlite';
import type { Blocker, LockWait } from './dialect.js';
import { codeOf } from './faults.js';
import { QUIET, sessionOf } from './orm.js';
import { type FileWork, takeLock } from './patience.js';
import { type Session, transactionsBy } from './session.js';

/** @param path of the lock itself: of a file that is not there yet */
export class FileLock {
  readonly #path: string;
  readonly #work: FileWork;
  #held: Session | null = null;

  constructor(path: string, work: FileWork) {
    this.#path = path;
    this.#work = work;
  }

  /** @throws {MtrackError} LOCKED */
  async take(wait: LockWait): Promise<void> {
    const work = this.#work;
    const other: Blocker = { who: `another mtrack ${work}`, sinceSeconds: null, what: `has a lock on ${this.#path}` };
    const about = { work, fix: 'wait for it to end', privilege: 'access to the machine' };
    await takeLock(
      () => this.#attempt(),
      async () => [other],
      wait,
      about,
    );
  }

  get isHeld(): boolean {
    return this.#held !== null;
  }

  async release(): Promise<void> {
    if (this.#held === null) return;
    rmSync(this.#path, { force: true });
    await this.#held.close();
    this.#held = null;
  }

  get #inode(): number | undefined {
    return statSync(this.#path, { throwIfNoEntry: false })?.ino;
  }

  async #attempt(): Promise<boolean> {
    closeSync(openSync(this.#path, 'a'));
    const before = this.#inode;
    const session = await sessionOf(
      new MikroORM({ ...QUIET, driver: SqliteDriver, dbName: this.#path, driverOptions: { timeout: 0 } }),
      transactionsBy('BEGIN', []),
    );
    try {
      await session.run('BEGIN EXCLUSIVE');
    } catch (error) {
      await session.close();
      if (codeOf(error)?.startsWith('SQLITE_BUSY')) return false;
      throw error;
    }
    // Whoever had it before removed the file meanwhile: a lock on that one keeps nobody out.
    if (this.#inode !== before) {
      await session.close();
      return false;
    }
    this.#held = session;
    return true;
  }
}
