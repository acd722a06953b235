/** The built command line, as a process: what a user sees. */
import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { revisions } from '../../src/schema/lineage.js';

export const ROOT = resolve(import.meta.dirname, '../..');
export const RUN = join(ROOT, 'bin', 'run.js');

export interface Result {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Arguments of node itself, such as a module to load first. */
  readonly node?: readonly string[];
  readonly uid?: number;
  /** Another Node than the one that runs the tests. */
  readonly program?: string;
  /** Another mtrack than the one of this checkout. */
  readonly script?: string;
}

/** Compiled code of the command line, which is started a thousand times: a fifth of what a start takes. */
const COMPILED = join(tmpdir(), `mtrack-compiled-${userInfo().uid}`);

/** The log of the runs that tests make, which is not the developer's. */
const STATE = join(tmpdir(), `mtrack-state-${userInfo().uid}`);

/** The environment of tests: no colours, and nothing of MLflow's or PostgreSQL's that the developer has set. */
export function environment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(MLFLOW_|PG|NODE_OPTIONS$|VITEST|CI$)/.test(name),
  );
  return {
    ...Object.fromEntries(inherited),
    NO_COLOR: '1',
    NODE_COMPILE_CACHE: COMPILED,
    XDG_STATE_HOME: STATE,
    ...extra,
  };
}

/** Starts `mtrack …` without a terminal. */
export function start(args: readonly string[], options: RunOptions = {}): ChildProcess {
  const { env, cwd, node = [], uid, program = process.execPath, script = RUN } = options;
  return spawn(program, [...node, script, ...args], {
    env: environment(env),
    cwd: cwd ?? ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid !== undefined && { uid }),
  });
}

export function finished(child: ChildProcess): Promise<Result> {
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((done, failed) => {
    child.on('error', failed);
    child.on('close', (code, signal) => done({ code, signal, stdout, stderr }));
  });
}

/** Runs `mtrack …` to its end. */
export function mtrack(args: readonly string[], options: RunOptions = {}): Promise<Result> {
  return finished(start(args, options));
}

export const ALL_CONSENTS = revisions.flatMap(({ id, irreversible }) => (irreversible ? ['--accept', id] : []));

/** Arguments of an upgrade that agrees to everything. */
export const upgradeArgs = (uri: string, to = 'head', ...more: readonly string[]): string[] => [
  'db',
  'upgrade',
  uri,
  '--to',
  to,
  '--yes',
  ...ALL_CONSENTS,
  ...more,
];

/** Upgrades, agreeing to everything, and fails the test when it does not succeed. */
export async function upgrade(uri: string, to = 'head', options: RunOptions = {}): Promise<Result> {
  const result = await mtrack(upgradeArgs(uri, to), options);
  if (result.code !== 0)
    throw new Error(`db upgrade --to ${to} ended with ${result.code}:\n${result.stdout}\n${result.stderr}`);
  return result;
}
