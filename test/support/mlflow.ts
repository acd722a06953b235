/**
 * Real MLflow, the oracle. It is installed once, into a virtual environment that all checkouts and the checks in
 * ../shared share (MTRACK_LAB, default `mtrack-lab` in the home folder).
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { MAKE } from './fixtures.js';

const exec = promisify(execFile);

export const ORACLE = '3.17.2';
export const ORACLE_HEAD = 'dc11669786a5';

const LAB = process.env.MTRACK_LAB ?? join(homedir(), 'mtrack-lab');
const BIN = join(LAB, `mlflow-${ORACLE}`, 'bin');
export const PYTHON = join(BIN, 'python');
export const MLFLOW = join(BIN, 'mlflow');

/** Installs it where it is missing: some minutes. @throws when there is no Python, or the package index is out of reach */
export async function installMlflow(): Promise<void> {
  if (existsSync(MLFLOW)) return;
  mkdirSync(LAB, { recursive: true });
  const home = join(LAB, `mlflow-${ORACLE}`);
  try {
    await exec('python3', ['-m', 'venv', home]);
    await exec(PYTHON, [
      '-m',
      'pip',
      'install',
      '-q',
      `mlflow==${ORACLE}`,
      'sqlalchemy<2.1',
      'psycopg2-binary',
      'pymysql',
    ]);
  } catch (error) {
    // Half an environment would pass for a whole one the next time.
    rmSync(home, { recursive: true, force: true });
    throw error;
  }
}

const QUIET = { ...process.env, PYTHONWARNINGS: 'ignore', MLFLOW_ALLOW_FILE_STORE: 'true' };

/** Everything that MLflow's own client reads from a store, in the form of the fixtures' `expected`. */
export async function readWithMlflow(uri: string): Promise<unknown> {
  if (!MAKE) throw new Error('the script that reads a store back is not in this checkout');
  const folder = mkdtempSync(join(tmpdir(), 'mtrack-read-'));
  try {
    const out = join(folder, 'read.json.gz');
    await exec(PYTHON, [join(MAKE, 'read_expected.py'), uri, out], { env: QUIET });
    return JSON.parse(gunzipSync(readFileSync(out)).toString('utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `mlflow …` to its end. @throws with its output when it fails */
export async function mlflow(...args: string[]): Promise<string> {
  const { stdout, stderr } = await exec(MLFLOW, args, { env: QUIET, maxBuffer: 64 * 1024 * 1024 });
  return stdout + stderr;
}
