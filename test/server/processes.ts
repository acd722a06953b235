/** Servers as processes with ports: this one, as a user starts it, and MLflow's. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { environment, RUN } from '../support/cli.js';
import { PYTHON } from '../support/mlflow.js';

export interface RunningServer extends AsyncDisposable {
  readonly url: string;
  readonly process: ChildProcess;
  /** What it has written to stderr so far. */
  readonly log: () => string;
}

/** `mtrack server --json …`, when it listens. @throws with what it said when it does not come to that */
export async function startServer(
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
): Promise<RunningServer> {
  const child = spawn(process.execPath, [RUN, 'server', '--json', '--port', '0', ...args], {
    env: environment(options.env),
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-100_000);
  });
  let stdout = '';
  const lines = createInterface(child.stdout);
  for await (const line of lines) {
    stdout += `${line}\n`;
    const event = parsed(line);
    if (event?.event !== 'listening' || typeof event.url !== 'string') continue;
    lines.close();
    child.stdout.resume();
    return { url: event.url, process: child, log: () => stderr, [Symbol.asyncDispose]: () => stopped(child) };
  }
  throw new Error(`mtrack server did not start:\n${stdout}${stderr}`);
}

function parsed(line: string): Record<string, unknown> | null {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
}

/** Told to stop, and gone. */
export async function stopped(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

export interface MlflowTarget {
  readonly uri: string;
  readonly destination: string;
}

/** MLflow's own server for each of these, all of one process that has imported MLflow once. */
export async function startMlflow(
  targets: readonly MlflowTarget[],
): Promise<AsyncDisposable & { urls: readonly string[] }> {
  const ports = await freePorts(targets.length);
  const words = targets.map(({ uri, destination }, i) => `${ports[i]}=${uri}=${destination}`);
  const child = spawn(PYTHON, [join(import.meta.dirname, 'client', 'servers.py'), ...words], {
    env: { ...process.env, PYTHONWARNINGS: 'ignore', PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-10_000);
  });
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  for (const url of urls) {
    while (!(await answers(url))) {
      if (child.exitCode !== null) throw new Error(`MLflow's server ended:\n${stderr}`);
      await sleep(200);
    }
  }
  return { urls, [Symbol.asyncDispose]: () => stopped(child) };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`)).ok;
  } catch {
    return false;
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  for (const server of servers) server.close();
  return ports;
}
