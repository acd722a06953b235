/**
 * The log of the runs that changed a database: a line of JSON for each beginning and each end. A line carries the hash of the
 * one before, and its own, so that a line that was changed, taken out or put in between shows. What was cut off at the end
 * does not. No secrets are in it.
 */
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isIntact, type Sealed, sealed } from '../backup/canonical.js';
import { exactly, list, nullable, number, object, type Shape, ShapeError, text } from '../backup/shape.js';
import { isAlive, ownMark } from '../dialect/scratch-folder.js';
import { MtrackError, messageOf } from '../errors.js';

/** What is known of a run when it begins. */
export interface Run {
  /** As it was called: `db upgrade`. */
  readonly command: string;
  /** The store URI without its password. */
  readonly database: string;
  /** From where a relative path in it leads. */
  readonly folder: string;
  readonly from: string | null;
  readonly to: string | null;
  /** Of the plan that was agreed to. */
  readonly plan: string | null;
  /** The hash of the receipt that it was let through with. */
  readonly receipt: string | null;
  readonly user: string | null;
  readonly host: string;
  /** mtrack and its version. */
  readonly madeBy: string;
}

export interface End {
  readonly outcome: 'done' | 'failed';
  /** Of the failure; null when all went well. */
  readonly code: string | null;
  /** What was done, in words that machines know: revisions that were applied. */
  readonly did: readonly string[];
  readonly seconds: number;
}

export interface Entry {
  /** Of the run: its beginning and its end have the same. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly run: Run | null;
  /** Null at the beginning. */
  readonly end: End | null;
  /** The hash of the line before; null in the first. */
  readonly previous: string | null;
}

const entryShape: Shape<Sealed<Entry>> = object<Sealed<Entry>>({
  id: text,
  at: number,
  run: nullable(
    object<Run>({
      command: text,
      database: text,
      folder: text,
      from: nullable(text),
      to: nullable(text),
      plan: nullable(text),
      receipt: nullable(text),
      user: nullable(text),
      host: text,
      madeBy: text,
    }),
  ),
  end: nullable(
    object<End>({ outcome: exactly('done', 'failed'), code: nullable(text), did: list(text), seconds: number }),
  ),
  previous: nullable(text),
  hash: text,
});

/** Appends the beginning of a run. @returns its id @throws the system's errors; {MtrackError} LOCKED */
export async function appendBeginning(path: string, run: Run): Promise<string> {
  const id = randomUUID();
  await append(path, { id, at: Date.now(), run, end: null });
  return id;
}

export async function appendEnd(path: string, id: string, end: End): Promise<void> {
  await append(path, { id, at: Date.now(), run: null, end });
}

async function append(path: string, entry: Omit<Entry, 'previous'>): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  await locked(`${path}.lock`, () => {
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const last = text.trimEnd().split('\n').at(-1) ?? '';
    const previous = /"hash":"([0-9a-f]{64})"/.exec(last)?.[1] ?? null;
    const line = JSON.stringify(sealed<Entry>({ ...entry, previous }));
    appendFileSync(path, `${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`, { mode: 0o600 });
  });
}

const PATIENCE_MS = 10_000;

/** Two runs that append at once would both follow the same line. */
async function locked(path: string, work: () => void): Promise<void> {
  const until = Date.now() + PATIENCE_MS;
  while (!taken(path)) {
    if (Date.now() > until) {
      throw new MtrackError('LOCKED', {
        found: `${path} is held by another run`,
        fix: [`remove it, if no mtrack is running: rm ${path}`],
      });
    }
    await sleep(20);
  }
  try {
    work();
  } finally {
    rmSync(path, { force: true });
  }
}

function taken(path: string): boolean {
  try {
    writeFileSync(path, ownMark(), { flag: 'wx' });
    return true;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    const owner = readMark(path);
    // Whoever died with it cannot give it back.
    if (owner !== null && owner !== '' && !isAlive(owner)) rmSync(path, { force: true });
    return false;
  }
}

function readMark(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

export interface History {
  readonly entries: readonly Sealed<Entry>[];
  /** The first line at which the chain does not hold, and why; null where it holds. */
  readonly broken: { readonly line: number; readonly why: string } | null;
}

/** Reads and verifies the whole log. A log that is not there is an empty one. */
export function readHistory(path: string): History {
  if (!existsSync(path)) return { entries: [], broken: null };
  const entries: Sealed<Entry>[] = [];
  let previous: string | null = null;
  const lines = readFileSync(path, 'utf8').split('\n');
  for (const [at, line] of lines.entries()) {
    if (line === '' && at === lines.length - 1) break;
    const broken = (why: string): History => ({ entries, broken: { line: at + 1, why } });
    let entry: Sealed<Entry>;
    try {
      entry = entryShape(JSON.parse(line), '');
    } catch (error) {
      if (error instanceof ShapeError || error instanceof SyntaxError) return broken(messageOf(error));
      throw error;
    }
    if (!isIntact(entry)) return broken('it was changed: its hash is another one');
    if (entry.previous !== previous) return broken('it does not follow the line before: one is missing, or was put in');
    previous = entry.hash;
    entries.push(entry);
  }
  return { entries, broken: null };
}
