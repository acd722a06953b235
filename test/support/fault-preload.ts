/**
 * Loaded into the process of the command line before it (`node --import`), this lets a test break it at an exact
 * statement: it wraps the drivers, counts the statements that change something, and at the one that is asked for kills
 * the process, destroys the socket, gives an error of the server, or holds still until it is told to go on.
 *
 * It imports nothing of the project, as it runs from its source.
 */
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';

/** One thing that is to go wrong. What is said of the environment variables is in kill.ts. */
interface Fault {
  /** The number of the statement among those that change something, from 1; or what it looks like, whatever it does. */
  readonly at?: number;
  readonly like?: string;
  /** Before it is sent, when the system has it but no answer was read, or when the server has answered. */
  readonly side: 'before' | 'sent' | 'after';
  readonly does: 'kill' | 'cut' | 'error' | 'hold';
  readonly error?: Readonly<Record<string, unknown>>;
  /** A file that is written when the statement is reached, beside which a file `.go` ends a `hold`. */
  readonly mark?: string;
}

/** In the order in which they are to happen: each waits for those before it. */
const faults = JSON.parse(process.env.MTRACK_FAULTS ?? '[]') as Fault[];
const log = process.env.MTRACK_FAULT_LOG;
/** A file for every statement, also those that change nothing, one line of JSON each. */
const everything = process.env.MTRACK_STATEMENT_LOG;
/** Pages that SQLite keeps in memory: with few, it writes to the file long before the transaction ends. */
const cachePages = process.env.MTRACK_FAULT_CACHE;

/** Statements that wait before they run, all those that look like it, for milliseconds between the two. */
const slow = JSON.parse(process.env.MTRACK_SLOW ?? 'null') as { like: string; from: number; to: number } | null;

const CHANGES_NOTHING = /^\s*(?:SELECT|SHOW|SET|PRAGMA|EXPLAIN|WITH|VALUES)\b/i;
const LOCKS = /\b(?:GET_LOCK|RELEASE_LOCK|pg_try_advisory_lock|pg_advisory_unlock)\s*\(/i;

let count = 0;

/** The fault of a statement, if it is to have one. */
function faultAt(sql: string, values: readonly unknown[]): Fault | undefined {
  if (everything) appendFileSync(everything, `${JSON.stringify(sql)}\n`);
  const changes = !CHANGES_NOTHING.test(sql) || LOCKS.test(sql);
  if (changes) {
    count++;
    if (log) appendFileSync(log, `${JSON.stringify({ n: count, sql, values: values.map(String) })}\n`);
  }
  const [next] = faults;
  if (!next || !(next.at === undefined ? new RegExp(next.like ?? '$^', 'i').test(sql) : changes && next.at === count))
    return undefined;
  return faults.shift();
}

/** Milliseconds that a statement is to wait. */
function delayOf(sql: unknown): number {
  if (slow === null || typeof sql !== 'string' || !new RegExp(slow.like, 'i').test(sql)) return 0;
  return slow.from + Math.random() * (slow.to - slow.from);
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const sleepHere = (ms: number) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  // The signal ends the process before this returns; on the way there nothing else must happen.
  for (;;) sleepHere(1000);
}

function injected({ error = {} }: Fault): Error {
  return Object.assign(new Error(String(error.message ?? 'injected')), error);
}

function reached({ mark }: Fault): string {
  if (mark === undefined) throw new Error('a hold needs a mark');
  writeFileSync(mark, '');
  return `${mark}.go`;
}

async function held(fault: Fault): Promise<void> {
  const go = reached(fault);
  while (!existsSync(go)) await sleep(20);
}

function heldHere(fault: Fault): void {
  const go = reached(fault);
  while (!existsSync(go)) sleepHere(20);
}

// ---------------------------------------------------------------- drivers that have a socket

/** Resolves when the system has taken all that was written. Answers are not read any more. */
async function flushed(socket: Socket): Promise<void> {
  socket.pause();
  do await new Promise((resolve) => setImmediate(resolve));
  while (!socket.destroyed && socket.writableLength > 0);
}

/** Runs a statement with its fault. @param send sends it, and resolves with the answer */
async function overSocket<T>(fault: Fault, socket: Socket, send: () => Promise<T>): Promise<T> {
  if (fault.side === 'before') await strike(fault, socket);
  const answer = send();
  if (fault.side === 'sent') {
    answer.catch(() => undefined);
    await flushed(socket);
    await strike(fault, socket);
    socket.resume();
  }
  const result = await answer;
  if (fault.side === 'after') await strike(fault, socket);
  return result;
}

async function strike(fault: Fault, socket: Socket): Promise<void> {
  switch (fault.does) {
    case 'kill':
      return die();
    case 'cut':
      socket.destroy();
      return;
    case 'error':
      throw injected(fault);
    case 'hold':
      return held(fault);
  }
}

interface PgClient {
  query(sql: unknown, values?: unknown, ...rest: unknown[]): Promise<unknown>;
  readonly connection: { readonly stream: Socket };
}

function wrapPostgresql(prototype: PgClient): void {
  const { query } = prototype;
  prototype.query = function (this: PgClient, sql, values, ...rest) {
    const delay = delayOf(sql);
    const send = () => query.call(this, sql, values, ...rest);
    if (delay > 0) return sleep(delay).then(send);
    const fault = typeof sql === 'string' ? faultAt(sql, Array.isArray(values) ? values : []) : undefined;
    return fault ? overSocket(fault, this.connection.stream, send) : send();
  };
}

type Callback = (error: unknown, ...results: unknown[]) => void;
interface MysqlConnection {
  query(sql: unknown, values: unknown, callback?: Callback): unknown;
  execute(sql: unknown, values: unknown, callback?: Callback): unknown;
  readonly stream: Socket;
}

function wrapMysql(prototype: MysqlConnection): void {
  for (const method of ['query', 'execute'] as const) {
    const original = prototype[method];
    prototype[method] = function (this: MysqlConnection, sql, values, callback) {
      const delay = callback ? delayOf(sql) : 0;
      if (delay > 0) {
        setTimeout(() => original.call(this, sql, values, callback), delay);
        return undefined;
      }
      const fault = typeof sql === 'string' && callback ? faultAt(sql, Array.isArray(values) ? values : []) : undefined;
      if (!fault || !callback) return original.call(this, sql, values, callback);
      const send = () =>
        new Promise<unknown[]>((resolve, reject) => {
          original.call(this, sql, values, (error, ...results) => {
            if (error) reject(error);
            else resolve(results);
          });
        });
      overSocket(fault, this.stream, send).then(
        (results) => callback(null, ...results),
        (error: unknown) => callback(error),
      );
      return undefined;
    };
  }
}

// ---------------------------------------------------------------- SQLite

interface SqliteStatement {
  run(...values: unknown[]): unknown;
  all(...values: unknown[]): unknown;
}
interface SqliteDatabase {
  prepare(sql: string): SqliteStatement;
  exec(sql: string): unknown;
}

/** `sent` is not known here: a statement runs in the process itself. */
function inProcess<T>(fault: Fault, run: () => T): T {
  if (fault.side === 'before') strikeHere(fault);
  const result = run();
  if (fault.side !== 'before') strikeHere(fault);
  return result;
}

function strikeHere(fault: Fault): void {
  if (fault.does === 'kill') die();
  if (fault.does === 'hold') heldHere(fault);
  else throw injected(fault);
}

function wrapSqlite(prototype: SqliteDatabase): void {
  const { prepare, exec } = prototype;
  const known = new WeakSet<SqliteDatabase>();
  prototype.prepare = function (this: SqliteDatabase, sql) {
    if (cachePages !== undefined && !known.has(this)) {
      known.add(this);
      exec.call(this, `PRAGMA cache_size = ${cachePages}`);
    }
    const statement = prepare.call(this, sql);
    for (const method of ['run', 'all'] as const) {
      const original = statement[method].bind(statement);
      statement[method] = (...values) => {
        sleepHere(delayOf(sql));
        const fault = faultAt(sql, values.flat());
        return fault ? inProcess(fault, () => original(...values)) : original(...values);
      };
    }
    return statement;
  };
  prototype.exec = function (this: SqliteDatabase, sql) {
    const fault = faultAt(sql, []);
    return fault ? inProcess(fault, () => exec.call(this, sql)) : exec.call(this, sql);
  };
}

// ---------------------------------------------------------------- the driver that this run uses

/** Of several databases the last one that is named: the one that is written to. */
const scheme = process.argv.findLast((each) => /^\w+(\+\w+)?:\/\//.test(each))?.match(/^\w+/)?.[0];
const require = createRequire(import.meta.url);
if (scheme === 'sqlite') wrapSqlite(require('better-sqlite3').prototype);
if (scheme === 'postgresql') wrapPostgresql(require('pg').Client.prototype);
if (scheme === 'mysql') wrapMysql(Object.getPrototypeOf(require('mysql2').Connection.prototype));
