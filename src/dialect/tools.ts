/**
 * A database's own programs. Arguments can be read by every user of the machine: no password is ever among them. It is
 * given in the environment of the one process, which only its own user and the system's administrator can read
 * (https://man7.org/linux/man-pages/man5/proc_pid_environ.5.html), and is never written to a file.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { MtrackError, messageOf } from '../errors.js';
import { codeOf } from './faults.js';

/** Variables that programs are started with: of this process, but for those that say how to reach a database. */
export type ToolEnvironment = Readonly<Record<string, string>>;

/** Where programs are looked for when nothing is said. */
export const PLAIN_ENVIRONMENT: ToolEnvironment = { PATH: '/usr/local/bin:/usr/bin:/bin' };

export interface Tool {
  readonly path: string;
  /** What it says of its version. */
  readonly version: string;
}

/**
 * The first of the programs that is there and good enough.
 * @param folders to look into after those of PATH
 * @param about.needed in words
 * @throws {MtrackError} BACKUP_FAILED
 */
export async function findTool(
  names: readonly string[],
  environment: ToolEnvironment,
  about: {
    readonly folders?: readonly string[];
    readonly isGood?: (version: string) => boolean;
    readonly needed: string;
  },
): Promise<Tool> {
  const { folders = [], isGood = () => true, needed } = about;
  const found: string[] = [];
  for (const folder of [...(environment.PATH ?? '').split(delimiter), ...folders]) {
    for (const path of names.map((name) => join(folder, name)).filter((each) => folder !== '' && existsSync(each))) {
      const version = await versionOf(path, environment);
      if (version !== null && isGood(version)) return { path, version };
      if (version !== null) found.push(`${path}: ${version}`);
    }
  }
  throw new MtrackError('BACKUP_FAILED', {
    found: found.length > 0 ? found.join('\n') : `${names.join(' or ')} is not in PATH`,
    expected: needed,
    fix: [`install ${needed}, or put the folder it is in into PATH`],
  });
}

const execute = promisify(execFile);

async function versionOf(path: string, environment: ToolEnvironment): Promise<string | null> {
  try {
    const { stdout } = await execute(path, ['--version'], { env: { ...environment, LC_ALL: 'C' } });
    return stdout.trim();
  } catch {
    return null;
  }
}

export interface ToolRun {
  readonly tool: Tool;
  readonly args: readonly string[];
  readonly env: ToolEnvironment;
  readonly signal: AbortSignal;
  /** Told of each line that it writes to stderr. */
  readonly onLine?: (line: string) => void;
}

/** A program that failed: what it said, without what `onLine` was told only to show how far it is. */
export class ToolFailed extends Error {
  readonly lines: readonly string[];

  constructor(tool: Tool, how: string, lines: readonly string[]) {
    super([`${tool.path} ${how}`, ...lines].join('\n'));
    this.name = 'ToolFailed';
    this.lines = lines;
  }
}

/** Lines of an error that are kept: the last ones say what it was. */
const KEPT = 20;

/**
 * Runs a program to its end.
 * @param input writes what it reads from stdin, and ends it
 * @param output reads its stdout to the end
 * @throws {ToolFailed} when it ends with another status than 0
 * @throws {MtrackError} INTERRUPTED
 * @throws whatever `input` and `output` throw: the program is then ended
 */
export async function runTool(
  { tool, args, env, signal, onLine = () => undefined }: ToolRun,
  { input, output }: { input?: (stdin: Writable) => Promise<void>; output?: (stdout: Readable) => Promise<void> } = {},
): Promise<void> {
  if (signal.aborted) throw interrupted(signal);
  const child = spawn(tool.path, args, {
    // Messages are read here: they have to be in one language.
    env: { ...env, LC_ALL: 'C', LANGUAGE: 'C' },
    stdio: [input ? 'pipe' : 'ignore', output ? 'pipe' : 'ignore', 'pipe'],
  });
  const lines: string[] = [];
  const ended = endOf(child, (line) => {
    lines.push(line);
    if (lines.length > KEPT) lines.shift();
    onLine(line);
  });
  const stop = () => child.kill('SIGTERM');
  signal.addEventListener('abort', stop);
  let failure: { error: unknown } | undefined;
  const guard = async (work: Promise<void> | undefined) => {
    try {
      await work;
    } catch (error) {
      // Where a program ends early, the pipe to it breaks: why it did is what counts.
      if (!['EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED'].includes(codeOf(error) ?? '')) {
        failure ??= { error };
        child.kill('SIGTERM');
      }
    }
  };
  try {
    const { stdin, stdout } = child;
    stdin?.on('error', () => undefined);
    const [how] = await Promise.all([
      ended,
      guard(stdin && input ? input(stdin) : undefined),
      guard(stdout && output ? output(stdout) : undefined),
    ]);
    if (signal.aborted) throw interrupted(signal);
    // What a program says when it fails by itself is the cause, and not that its output came to an early end.
    const byItself = how !== null && /status/.test(how) && !lines.some((line) => /broken pipe/i.test(line));
    if (failure && !byItself) throw failure.error;
    if (how !== null) throw new ToolFailed(tool, how, lines);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** How it ended, in words; null when all went well. */
function endOf(child: ChildProcess, onLine: (line: string) => void): Promise<string | null> {
  let rest = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) onLine(line);
  });
  return new Promise((done) => {
    child.on('error', (error) => done(`could not be started: ${messageOf(error)}`));
    child.on('close', (code, signal) => {
      if (rest !== '') onLine(rest);
      done(code === 0 ? null : signal ? `was ended by ${signal}` : `ended with status ${code}`);
    });
  });
}

export function interrupted({ reason }: AbortSignal): MtrackError {
  if (reason instanceof MtrackError) return reason;
  return new MtrackError('INTERRUPTED', { found: `stopped by ${String(reason ?? 'a signal')}` });
}

/** The failure of a tool that takes a backup. @param fix by what it said, the usual causes */
export function notTaken(error: unknown, fix: readonly string[]): unknown {
  if (!(error instanceof ToolFailed)) return error;
  return new MtrackError('BACKUP_FAILED', {
    found: error.message,
    expected: 'a backup that is whole',
    fix,
    cause: error,
  });
}

/** Until more can be written, or nothing more will be read: why not is said by the one who reads. */
export function drained(stdin: Writable): Promise<void> {
  const events = ['drain', 'close', 'error'] as const;
  return new Promise((done) => {
    const settle = () => {
      for (const event of events) stdin.off(event, settle);
      done();
    };
    for (const event of events) stdin.on(event, settle);
  });
}
