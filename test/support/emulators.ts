/**
 * Object stores on this machine, for real SDK calls: moto's server (S3), Azurite (Azure) and gcp-storage-emulator (Google).
 * Each is installed once, beside real MLflow, and started for the tests of one file.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { environment } from './cli.js';
import { until } from './kill.js';

const exec = promisify(execFile);

const LAB = process.env.MTRACK_LAB ?? join(homedir(), 'mtrack-lab');
export const PYTHON_HOME = join(LAB, 'emulators');
const AZURITE_HOME = join(LAB, 'azurite');
const AZURITE = '3.37.0';

export interface Emulator {
  readonly url: string;
  stop(): Promise<void>;
}

/** Of Azurite, known to everybody: https://learn.microsoft.com/en-us/azure/storage/common/storage-use-azurite */
export const AZURITE_ACCOUNT = 'devstoreaccount1';
const AZURITE_KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
export const azuriteConnection = (url: string) =>
  `DefaultEndpointsProtocol=http;AccountName=${AZURITE_ACCOUNT};AccountKey=${AZURITE_KEY};BlobEndpoint=${url}/${AZURITE_ACCOUNT};`;

export async function startS3(): Promise<Emulator> {
  await python();
  return start((port) => [join(PYTHON_HOME, 'bin', 'moto_server'), ['-H', '127.0.0.1', '-p', port]]);
}

export async function startGcs(): Promise<Emulator> {
  await python();
  return start((port) => [
    join(PYTHON_HOME, 'bin', 'gcp-storage-emulator'),
    ['start', '--host', '127.0.0.1', '--port', port, '--in-memory'],
  ]);
}

export async function startAzure(): Promise<Emulator> {
  const script = join(AZURITE_HOME, 'node_modules', 'azurite', 'dist', 'src', 'blob', 'main.js');
  await orNothing(AZURITE_HOME, script, async () => {
    mkdirSync(AZURITE_HOME, { recursive: true });
    await exec('npm', ['install', '--prefix', AZURITE_HOME, '--no-audit', '--no-fund', `azurite@${AZURITE}`]);
  });
  const options = ['--silent', '--skipApiVersionCheck', '--disableTelemetry', '--inMemoryPersistence'];
  return start((port) => [process.execPath, [script, '--blobHost', '127.0.0.1', '--blobPort', port, ...options]]);
}

async function python(): Promise<void> {
  await orNothing(PYTHON_HOME, join(PYTHON_HOME, 'bin', 'gcp-storage-emulator'), async () => {
    await exec('python3', ['-m', 'venv', PYTHON_HOME]);
    const packages = ['moto[s3,server]==5.2.1', 'gcp-storage-emulator==2026.7.19'];
    await exec(join(PYTHON_HOME, 'bin', 'pip'), ['install', '-q', ...packages]);
  });
}

/** Half a folder would pass for a whole one the next time. @param last what is written to it at the end */
async function orNothing(folder: string, last: string, make: () => Promise<void>): Promise<void> {
  if (existsSync(last)) return;
  rmSync(folder, { recursive: true, force: true });
  try {
    await make();
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

async function start(command: (port: string) => [program: string, args: string[]]): Promise<Emulator> {
  const port = await freePort();
  const [program, args] = command(String(port));
  const child = spawn(program, args, { env: environment(), stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  await until(`${program} answers`, () => answers(url, child), 60_000);
  return {
    url,
    stop: () =>
      new Promise((stopped) => {
        if (child.exitCode !== null) return stopped();
        child.once('exit', () => stopped());
        child.kill('SIGKILL');
      }),
  };
}

async function answers(url: string, child: ChildProcess): Promise<boolean> {
  if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
  return fetch(url).then(
    () => true,
    () => false,
  );
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}
