/** The log of runs, from the side of the commands that change a database, and of the one that shows it. */
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { Flags } from '@oclif/core';
import { thisMachine } from '../config.js';
import type { Database } from '../dialect/dialect.js';
import { MtrackError, messageOf } from '../errors.js';
import { appendBeginning, appendEnd, type Entry, type History, type Run, readHistory } from '../history/log.js';
import { duration } from './render/numbers.js';
import type { Terminal } from './terminal.js';

export const historyFlag = {
  'history-file': Flags.string({
    description: 'the log that the run is appended to; in the state directory of the user when left out',
    helpValue: 'PATH',
  }),
};

/** Where the log is when nothing is said (https://specifications.freedesktop.org/basedir-spec/latest/). */
export function historyPath(flag: string | undefined): string {
  if (flag !== undefined) return flag;
  const state = process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state');
  return join(state, 'mtrack', 'history.jsonl');
}

/** A run that neither upgrades nor downgrades. */
export const runOf = (command: string): Recorded['run'] => ({
  command,
  from: null,
  to: null,
  plan: null,
  receipt: null,
});

interface Recorded {
  readonly file: string | undefined;
  /** The store, without its password. */
  readonly database: Pick<Database, 'shown'>;
  readonly run: Omit<Run, 'database' | 'folder' | 'user' | 'host' | 'madeBy'>;
  readonly terminal: Terminal;
}

/**
 * Does work that changes a database, and has it in the log: before, so that a run that is killed is in it, and after.
 * @param did what was done, of the result
 * @throws {MtrackError} USAGE where the log that was asked for cannot be written; and what the work throws
 */
export async function recorded<T>(
  { file, database, run, terminal }: Recorded,
  work: () => Promise<T>,
  did: (result: T) => readonly string[],
): Promise<T> {
  const path = historyPath(file);
  const { user } = thisMachine;
  const folder = process.cwd();
  const about = { ...run, database: database.shown, folder, user, host: hostname(), madeBy: terminal.program };
  const id = await appendBeginning(path, about).catch((error: unknown) => {
    if (file === undefined) return unrecorded(path, error, terminal);
    throw new MtrackError('USAGE', {
      found: `--history-file ${path} cannot be written: ${messageOf(error)}`,
      expected: 'a file that this user can append to; nothing was changed',
    });
  });
  const begun = Date.now();
  const end = async (outcome: 'done' | 'failed', code: string | null, done: readonly string[]) => {
    if (id === null) return;
    const seconds = (Date.now() - begun) / 1000;
    await appendEnd(path, id, { outcome, code, did: done, seconds }).catch((error: unknown) =>
      unrecorded(path, error, terminal),
    );
  };
  try {
    const result = await work();
    await end('done', null, did(result));
    return result;
  } catch (error) {
    await end('failed', error instanceof MtrackError ? error.code : 'FAULT', []);
    throw error;
  }
}

/** A log in a place that nobody chose must not keep a database from being upgraded. */
function unrecorded(path: string, error: unknown, { note }: Terminal): null {
  note(`this run is not in the log, as ${path} cannot be written: ${messageOf(error)}`);
  return null;
}

// ---------------------------------------------------------------- showing it

export function showHistory(path: string, terminal: Terminal): unknown {
  const history = readHistory(path);
  terminal.say(historyText(history, path));
  const { broken, entries } = history;
  if (broken) {
    throw new MtrackError('HISTORY_BROKEN', {
      found: `${path}, line ${broken.line}: ${broken.why}`,
      expected: 'a log as it was written: each line with the hash of the one before',
      fix: ['restore the file from a backup', 'or begin a new one: move it away, and keep it'],
      details: { file: path, ...broken, runs: runsOf(entries) },
    });
  }
  return { file: path, verified: true, runs: runsOf(entries) };
}

/** A run with how it ended; one without an end was killed, or goes on. */
function runsOf(entries: readonly Entry[]) {
  const ends = new Map(entries.flatMap(({ id, end }) => (end ? [[id, end] as const] : [])));
  return entries.flatMap(({ id, at, run }) => (run ? [{ id, at, ...run, end: ends.get(id) ?? null }] : []));
}

function historyText({ entries, broken }: History, path: string): string {
  const runs = runsOf(entries);
  if (runs.length === 0 && !broken) return `no run that changed a database is in ${path}`;
  const lines = runs.flatMap(({ at, command, database, folder, from, to, user, host, receipt, end }) => [
    `${new Date(at).toISOString()}  ${command}  ${database}`,
    `    ${[
      from !== null && to !== null ? `${from} to ${to}` : (end?.did.join(', ') ?? ''),
      end === null ? 'not ended: killed, or still running' : `${end.code ?? 'done'} in ${duration(end.seconds)}`,
      receipt === null ? '' : `receipt ${receipt.slice(0, 12)}`,
      `by ${user ?? 'somebody'} on ${host}, in ${folder}`,
    ]
      .filter((part) => part !== '')
      .join('; ')}`,
  ]);
  return [...lines, ...(broken ? [] : [`${path}: the chain holds`])].join('\n');
}
