/**
 * One connection serves all: SQLite has one writer at a time, and every call blocks the process in any case. Writes that
 * wait for one another share a transaction, so that the disk is waited for once: each has a savepoint of its own, and what
 * one of them throws takes back that one alone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type EntityName, MikroORM } from '@mikro-orm/core';
import { SqliteDriver } from '@mikro-orm/sqlite';
import { CompiledQuery, type Kysely } from 'kysely';
import { QUIET } from '../orm.js';
import { type Pool, retrying } from '../pool.js';
import { faultOf } from './faults.js';
import { queryWords } from './query-words.js';
import { regexp } from './regexp.js';

interface Job<Tables> {
  work(db: Kysely<Tables>): Promise<unknown>;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** Writes in one transaction at the most: others wait for its end. */
const MOST_TOGETHER = 200;

export async function openPool<Tables>(path: string | null, entities: readonly EntityName[]): Promise<Pool<Tables>> {
  const orm = new MikroORM({
    ...QUIET,
    entities: [...entities],
    driver: SqliteDriver,
    dbName: path ?? ':memory:',
    // SQLite's own waiting would block the process.
    driverOptions: { timeout: 0 },
  });
  const connection = orm.em.getConnection();
  await connection.connect();
  const database: Preparing & Defining = await connection.getNativeClient();
  keepStatements(database);
  // As MLflow has both.
  database.function('regexp', { deterministic: true }, regexp);
  await connection.execute('PRAGMA case_sensitive_like = ON');
  // What is acknowledged outlives a power cut; better-sqlite3 by itself does not wait for the disk where a file is in WAL mode.
  await connection.execute('PRAGMA synchronous = FULL');
  const kysely = orm.em.getKysely() as unknown as Kysely<Tables>;

  const waiting: Job<Tables>[] = [];
  let writing: Promise<void> | undefined;
  const writeAll = async () => {
    while (waiting.length > 0) {
      // Requests that have come in already can join; and another process, which tries now and then, can have its turn.
      await sleep(0);
      await writeTogether(kysely, waiting.splice(0, MOST_TOGETHER));
    }
    writing = undefined;
  };
  return {
    words: queryWords,
    read: (work) => retrying(() => work(kysely), faultOf),
    write: <Result>(work: (db: Kysely<Tables>) => Promise<Result>) =>
      new Promise<Result>((resolve, reject) => {
        waiting.push({ work, resolve: resolve as (result: unknown) => void, reject });
        writing ??= writeAll();
      }),
    close: async () => {
      await writing;
      await orm.close(true);
    },
  };
}

/** Never rejects: each job is told how it went. */
async function writeTogether<Tables>(kysely: Kysely<Tables>, jobs: readonly Job<Tables>[]): Promise<void> {
  const results = new Map<Job<Tables>, unknown>();
  const refused = new Map<Job<Tables>, unknown>();
  try {
    await retrying(() => attempt(kysely, jobs, results, refused), faultOf);
  } catch (error) {
    for (const job of jobs) job.reject(error);
    return;
  }
  for (const job of jobs) {
    if (refused.has(job)) job.reject(refused.get(job));
    else job.resolve(results.get(job));
  }
}

function attempt<Tables>(
  kysely: Kysely<Tables>,
  jobs: readonly Job<Tables>[],
  results: Map<Job<Tables>, unknown>,
  refused: Map<Job<Tables>, unknown>,
): Promise<void> {
  return kysely.connection().execute(async (db) => {
    const run = (statement: string) => db.executeQuery(CompiledQuery.raw(statement));
    // The lock to write at once: a transaction that asks for it later fails where another one has written since.
    await run('BEGIN IMMEDIATE');
    try {
      for (const job of jobs) {
        refused.delete(job);
        await run('SAVEPOINT job');
        try {
          results.set(job, await job.work(db));
          await run('RELEASE job');
        } catch (error) {
          // A full disk and the like end the transaction itself: that is then everybody's error.
          await run('ROLLBACK TO job').catch(() => {
            throw error;
          });
          await run('RELEASE job');
          refused.set(job, error);
        }
      }
      // Readers of another process are waited for with the lock kept: it keeps new ones out.
      await retrying(() => run('COMMIT'), faultOf);
    } catch (error) {
      await run('ROLLBACK').catch(() => undefined);
      throw error;
    }
  });
}

/** As much of better-sqlite3's `Statement` and `Database` as is used. */
interface Statement {
  readonly reader: boolean;
  all(parameters: readonly unknown[]): unknown[];
  run(parameters: readonly unknown[]): unknown;
}
interface Preparing {
  prepare(sql: string): Statement;
}
interface Defining {
  function(name: string, options: { deterministic: boolean }, body: (...values: unknown[]) => unknown): unknown;
}

const MOST_STATEMENTS = 500;

/** Statements are kept prepared; a boolean, which SQLite has not, is bound as 0 or 1. */
function keepStatements(database: Preparing): void {
  const prepare = database.prepare.bind(database);
  const kept = new Map<string, Statement>();
  const plain = (parameters: readonly unknown[]) =>
    parameters.map((value) => (typeof value === 'boolean' ? Number(value) : value));
  database.prepare = (sql) => {
    const known = kept.get(sql);
    if (known) return known;
    const statement = prepare(sql);
    const { reader } = statement;
    const wrapped = {
      reader,
      all: (parameters: readonly unknown[]) => statement.all(plain(parameters)),
      run: (parameters: readonly unknown[]) => statement.run(plain(parameters)),
    };
    if (kept.size >= MOST_STATEMENTS) kept.clear();
    kept.set(sql, wrapped);
    return wrapped;
  };
}
