/** The servers that are compared: how each is started on a store. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { used } from './processes.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const LAB = process.env.MTRACK_LAB ?? join(homedir(), 'mtrack-lab');
const BIN = join(LAB, 'mlflow-3.17.2', 'bin');
const FASTTRACKML = join(LAB, 'fasttrackml-0.6.0');
const GO_BACKEND = join(LAB, 'mlflow-go-backend-0.2.2');
const PATIENCE_MS = 120_000;

/** MLflow's head in 3.17, and the last revision that FastTrackML takes over. */
const ORACLE_HEAD = 'dc11669786a5';
const FASTTRACKML_HEAD = '97727af70f4d';

export interface Peer {
  readonly name: string;
  readonly revision: string;
  /** Which stores it is measured on. */
  readonly stores: readonly string[];
  /** Puts it where it can be started from. @throws where that cannot be done */
  readonly install?: () => void;
  readonly command: (uri: string, port: number, folder: string) => readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

const MLFLOW_ENV = {
  MLFLOW_ALLOW_FILE_STORE: 'true',
  MLFLOW_DISABLE_TELEMETRY: 'true',
  // Without the processes for jobs, which it would start beside itself.
  MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
  PYTHONWARNINGS: 'ignore',
  PATH: `${BIN}:${process.env.PATH}`,
};
const mlflow = (uri: string, port: number, folder: string, ...more: string[]) => [
  join(BIN, 'mlflow'),
  'server',
  '--backend-store-uri',
  uri,
  '--artifacts-destination',
  folder,
  '--port',
  String(port),
  ...more,
];

function pip(...args: readonly string[]): void {
  const { status, stderr } = spawnSync(join(BIN, 'python'), ['-m', 'pip', 'install', '-q', '--no-deps', ...args], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
}

const LAUNCH = `
import json, sys
from mlflow_go_backend.server import launch_server
uri, port, behind, folder, python = sys.argv[1:]
launch_server(address="127.0.0.1:" + port, default_artifact_root="mlflow-artifacts:/", log_level="ERROR",
  python_address="127.0.0.1:" + behind, shutdown_timeout="5s", static_folder=folder, version="3.17.2",
  tracking_store_uri=uri, model_registry_store_uri=uri,
  python_command=[python, "server", "--backend-store-uri", uri, "--port", behind, "--workers", "1"])
`;

const ALL = ['sqlite', 'postgresql', 'mysql', 'files'];

export const PEERS: readonly Peer[] = [
  {
    name: 'mtrack',
    revision: ORACLE_HEAD,
    stores: ALL,
    command: (_, port, folder) => [
      process.execPath,
      join(ROOT, 'bin', 'run.js'),
      'server',
      '--port',
      String(port),
      '--artifacts-destination',
      folder,
    ],
  },
  {
    name: 'mlflow-w1',
    revision: ORACLE_HEAD,
    stores: ALL,
    command: (uri, port, folder) => mlflow(uri, port, folder, '--workers', '1'),
    env: MLFLOW_ENV,
  },
  { name: 'mlflow', revision: ORACLE_HEAD, stores: ALL, command: mlflow, env: MLFLOW_ENV },
  {
    name: 'mlflow-go',
    revision: ORACLE_HEAD,
    stores: ['sqlite', 'postgresql'],
    install: () => {
      const inside = join(GO_BACKEND, 'mlflow_go_backend');
      if (!existsSync(inside)) pip('--target', GO_BACKEND, 'mlflow-go-backend==0.2.2');
      // The wheel for Linux has the library under the name that macOS has for one.
      const library = join(inside, 'libmlflow-go-backend');
      if (!existsSync(`${library}.so`)) symlinkSync(`${library}.dylib`, `${library}.so`);
    },
    command: (uri, port, folder) => [
      join(BIN, 'python'),
      '-c',
      LAUNCH,
      uri.replace('+psycopg2', ''),
      String(port),
      String(port + 1),
      folder,
      join(BIN, 'mlflow'),
    ],
    env: { ...MLFLOW_ENV, PYTHONPATH: GO_BACKEND },
  },
  {
    name: 'fasttrackml',
    revision: FASTTRACKML_HEAD,
    stores: ['sqlite', 'postgresql'],
    install: () => {
      if (!existsSync(join(FASTTRACKML, 'bin', 'fml'))) {
        spawnSync('python3', ['-m', 'venv', FASTTRACKML]);
        spawnSync(join(FASTTRACKML, 'bin', 'pip'), ['install', '-q', '--no-deps', 'fasttrackml==0.6.0']);
      }
      if (!existsSync(join(FASTTRACKML, 'bin', 'fml'))) throw new Error('PyPI has no fasttrackml 0.6.0');
    },
    command: (uri, port, folder) => [
      join(FASTTRACKML, 'bin', 'fml'),
      'server',
      '--log-level',
      'error',
      '--listen-address',
      `127.0.0.1:${port}`,
      '--default-artifact-root',
      folder,
      '--database-uri',
      uri.replace('+psycopg2', '').replace('postgresql:', 'postgres:').replace('sqlite:///', 'sqlite://'),
    ],
  },
];

export interface Started extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** Milliseconds to the first answer. */
  readonly startup: number;
}

/** Starts it, and waits for its first answer. @throws with what it wrote when it does not come to that */
export async function start(
  command: readonly string[],
  { port, folder, env, probe }: { port: number; folder: string; env: NodeJS.ProcessEnv; probe: string },
): Promise<Started> {
  mkdirSync(folder, { recursive: true });
  const [program = '', ...args] = command;
  const log = join(folder, 'log');
  const out = openSync(log, 'w');
  const began = performance.now();
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', out, out],
    detached: true,
  });
  closeSync(out);
  const url = `http://127.0.0.1:${port}`;
  const asked = async () => {
    try {
      return (await fetch(url + probe)).ok;
    } catch {
      return false;
    }
  };
  while (!(await asked())) {
    const late = performance.now() - began > PATIENCE_MS;
    if (child.exitCode === null && !late) {
      await sleep(20);
      continue;
    }
    await stopped(child);
    throw new Error(`${program} does not answer:\n${readFileSync(log, 'utf8').slice(-2000)}`);
  }
  const startup = performance.now() - began;
  await quiet(child.pid ?? 0);
  return { url, pid: child.pid ?? 0, startup, [Symbol.asyncDispose]: () => stopped(child) };
}

/** Workers may still be starting behind the first answer. */
async function quiet(pid: number): Promise<void> {
  for (let at = 0; at < 60; at++) {
    const { cpu } = used(pid);
    await sleep(500);
    if (used(pid).cpu - cpu < 50) return;
  }
}

/** With all that it has started: they are a group. */
async function stopped(child: ChildProcess): Promise<void> {
  const group = -(child.pid ?? 0);
  if (child.exitCode === null) {
    const exit = once(child, 'exit');
    process.kill(group, 'SIGTERM');
    await Promise.race([exit, sleep(5000)]);
  }
  try {
    process.kill(group, 'SIGKILL');
  } catch {
    // They have all ended.
  }
}

/** One that is free, and the next one, too. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
