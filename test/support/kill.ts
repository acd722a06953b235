/** The command line broken at an exact statement: what fault-preload.ts does, from the side of the test. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ALL_CONSENTS, mtrack, type Result, type RunOptions, start, upgradeArgs } from './cli.js';

export interface Fault {
  /** The number of the statement among those that change something, from 1. */
  readonly at?: number;
  /** Or: the first statement, of any kind, that this regular expression matches; case does not matter. */
  readonly like?: string;
  /** `sent`: the system has taken it, and its answer was not read. SQLite, which is asked nothing, has it as `after`. */
  readonly side: 'before' | 'sent' | 'after';
  /** `cut` destroys the socket; `error` is what a driver throws; `hold` waits until the file `mark`.go is there. */
  readonly does: 'kill' | 'cut' | 'error' | 'hold';
  readonly error?: Readonly<Record<string, unknown>>;
  readonly mark?: string;
}

const PRELOAD = pathToFileURL(join(import.meta.dirname, 'fault-preload.ts')).href;

/** Pages that SQLite may keep in memory here: few, so that a journal lies there long before the end. */
const CACHE_PAGES = '10';

/** Options of a run that has these faults, one after the other, each once. */
export function broken(faults: readonly Fault[], env: NodeJS.ProcessEnv = {}): RunOptions {
  return {
    node: ['--import', PRELOAD],
    env: { MTRACK_FAULTS: JSON.stringify(faults), MTRACK_FAULT_CACHE: CACHE_PAGES, ...env },
  };
}

/** Options of a run whose statements that look so wait, for so many milliseconds each, at random from `least` on. */
export const slowly = (like: string, ms: number, least = ms): RunOptions =>
  broken([], { MTRACK_SLOW: JSON.stringify({ like, from: least, to: ms }) });

/** A statement that changes something. */
export interface Counted {
  readonly n: number;
  readonly sql: string;
  readonly values: readonly string[];
  /** The revision in whose turn it is run; null before the first and after the last. */
  readonly revision: string | null;
}

/** Runs an upgrade to its end and tells the statements of it that change something. */
export async function countedUpgrade(
  uri: string,
  to = 'head',
): Promise<{ result: Result; statements: readonly Counted[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'mtrack-count-'));
  try {
    const log = join(folder, 'log');
    const result = await mtrack(upgradeArgs(uri, to), broken([], { MTRACK_FAULT_LOG: log }));
    if (result.code !== 0) throw new Error(`an undisturbed upgrade failed:\n${result.stdout}\n${result.stderr}`);
    return { result, statements: withRevisions(readFileSync(log, 'utf8')) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Each statement belongs to the revision that is stamped next. */
function withRevisions(log: string): Counted[] {
  const lines = log
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Omit<Counted, 'revision'>);
  let revision: string | null = null;
  return lines
    .reverse()
    .map((line): Counted => {
      if (/alembic_version/.test(line.sql) && line.values[0]) revision = line.values[0];
      return { ...line, revision };
    })
    .reverse();
}

/** Waits until it holds. @throws when it does not in time */
export async function until(what: string, holds: () => boolean | Promise<boolean>, ms = 30_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Numbers that look random and are the same for the same seed. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Does the work of all, so many at a time, and keeps the order of the results. */
export async function inParallel<T, R>(all: readonly T[], atOnce: number, work: (each: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = [...all.entries()];
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

export { ALL_CONSENTS, start, upgradeArgs };
