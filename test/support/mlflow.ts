/**
 * Real MLflow, the oracle. It is installed once, into a virtual environment that all checkouts and the checks in
 * ../shared share (MTRACK_LAB, default `mtrack-lab` in the home folder).
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);

export const ORACLE = '3.17.2';
export const ORACLE_HEAD = 'dc11669786a5';

const LAB = process.env.MTRACK_LAB ?? join(homedir(), 'mtrack-lab');
const BIN = join(LAB, `mlflow-${ORACLE}`, 'bin');
export const PYTHON = join(BIN, 'python');
export const MLFLOW = join(BIN, 'mlflow');

/**
 * The code of a newer release, whose last three revisions the oracle does not have. It runs on the oracle's libraries:
 * the two cannot be installed side by side in one environment.
 */
export const NEWEST = '3.18.0';
export const NEWEST_CODE = join(LAB, `mlflow-${NEWEST}-code`);

const pip = (...args: readonly string[]) => exec(PYTHON, ['-m', 'pip', 'install', '-q', ...args]);

/** Installs both where they are missing: some minutes. @throws when there is no Python, or the package index is out of reach */
export async function installMlflow(): Promise<void> {
  mkdirSync(LAB, { recursive: true });
  await orNothing(join(LAB, `mlflow-${ORACLE}`), MLFLOW, async (home) => {
    await exec('python3', ['-m', 'venv', home]);
    await pip(`mlflow==${ORACLE}`, 'sqlalchemy<2.1', 'psycopg2-binary', 'pymysql');
  });
  await orNothing(NEWEST_CODE, join(NEWEST_CODE, 'mlflow'), async (folder) => {
    await pip('--no-deps', '--target', folder, `mlflow==${NEWEST}`);
  });
}

/** What older releases need beside themselves: they were made for older libraries (see the README of the fixtures). */
const OLDER: Readonly<Record<string, readonly string[]>> = {
  '1.30.1': ['sqlalchemy<2', 'alembic<1.9', 'pandas<2', 'numpy<2', 'protobuf<4', 'setuptools<80'],
  '2.9.2': ['sqlalchemy<2.1', 'alembic<2', 'pandas<3', 'numpy<2', 'setuptools<80'],
  '2.22.0': ['sqlalchemy<2.1', 'alembic<2', 'pandas<3', 'numpy<3'],
  '3.0.1': [
    'sqlalchemy<2.1',
    'alembic<2',
    'pandas<3',
    'numpy<3',
    'opentelemetry-api==1.34.1',
    'opentelemetry-sdk==1.34.1',
  ],
};

/** The Python of an older release, installed where it is missing. @throws when there is no such release, or no package index */
export async function olderMlflow(release: keyof typeof OLDER & string): Promise<string> {
  const home = join(LAB, `mlflow-${release}`);
  const python = join(home, 'bin', 'python');
  mkdirSync(LAB, { recursive: true });
  await orNothing(home, join(home, 'installed'), async () => {
    await exec('python3', ['-m', 'venv', home]);
    const packages = [`mlflow-skinny==${release}`, ...(OLDER[release] ?? []), 'psycopg2-binary', 'pymysql', 'sqlparse'];
    await exec(python, ['-m', 'pip', 'install', '-q', ...packages]);
    writeFileSync(join(home, 'installed'), '');
  });
  return python;
}

/** Half a folder would pass for a whole one the next time. @param last what is written to it at the end */
async function orNothing(folder: string, last: string, make: (folder: string) => Promise<void>): Promise<void> {
  if (existsSync(last)) return;
  rmSync(folder, { recursive: true, force: true });
  try {
    await make(folder);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}
