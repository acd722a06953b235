/** Backups as operators make them, with the databases' own tools, and what is said of them. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { type Checked, type CheckOptions, checkBackup } from '../../src/backup/check.js';
import { takeBackup } from '../../src/backup/take.js';
import { openBackup } from '../../src/dialect/index.js';
import { MtrackError } from '../../src/errors.js';
import { opened, type TestDatabase } from './databases.js';

const exec = promisify(execFile);
const MAX = { maxBuffer: 512 * 1024 * 1024 };

/** What every tool of this machine can be found with. */
export const ENVIRONMENT = { PATH: process.env.PATH ?? '' };
const signal = new AbortController().signal;
const quiet = { signal, onProgress: () => undefined, environment: ENVIRONMENT };

const PG = ['-h', '127.0.0.1', '-U', 'postgres'];
const MY = ['-h', '127.0.0.1', '-u', 'root'];

export const pgDump = (database: TestDatabase, path: string, ...args: string[]) =>
  exec('pg_dump', [...PG, ...args, `--file=${path}`, database.name], MAX);

export async function mysqlDump(database: TestDatabase, path: string, ...args: string[]): Promise<void> {
  const { stdout } = await exec('mariadb-dump', [...MY, ...args, database.name], { ...MAX, encoding: 'buffer' });
  writeFileSync(path, stdout);
}

export async function sqliteDump(database: TestDatabase, path: string): Promise<void> {
  const { stdout } = await exec('sqlite3', [database.name, '.dump'], { ...MAX, encoding: 'buffer' });
  writeFileSync(path, stdout);
}

export const sqliteShell = (database: TestDatabase, ...commands: string[]) =>
  exec('sqlite3', [database.name, ...commands], MAX);

export function gzipped(path: string): string {
  writeFileSync(`${path}.gz`, gzipSync(readFileSync(path)));
  return `${path}.gz`;
}

export function zstandard(path: string): string {
  // With a checksum, as the tool `zstd` writes it when nobody tells it not to.
  const params = { [constants.ZSTD_c_checksumFlag]: 1 };
  writeFileSync(`${path}.zst`, zstdCompressSync(readFileSync(path), { params }));
  return `${path}.zst`;
}

/** A file with other content, beside the one that it is of. @param change gets and gives bytes, or text of one character each */
export function changed(path: string, name: string, change: (content: Buffer) => Buffer): string {
  const target = `${path}.${name}`;
  writeFileSync(target, change(readFileSync(path)));
  return target;
}

export const cut = (bytes: number) => (content: Buffer) => content.subarray(0, bytes);

export const flipped =
  (at: number, mask = 0x55) =>
  (content: Buffer) => {
    const copy = Buffer.from(content);
    copy[at] = (copy[at] ?? 0) ^ mask;
    return copy;
  };

export const edited = (from: string | RegExp, to: string) => (content: Buffer) => {
  const text = content.toString('latin1');
  const after = text.replace(from, to);
  if (after === text) throw new Error(`there is nothing like ${from} to be changed`);
  return Buffer.from(after, 'latin1');
};

export type Asked = Partial<
  Pick<CheckOptions, 'listArtifacts' | 'restore' | 'exact' | 'maxAge' | 'rehearseTo' | 'moved' | 'receiptPath'>
>;

/** Checks a backup as the command does. @throws {MtrackError} */
export async function check(path: string, database: TestDatabase, asked: Asked = {}): Promise<Checked> {
  const backup = await openBackup(path);
  try {
    return await checkBackup(backup, await opened(database), {
      ...quiet,
      maxAge: null,
      moved: false,
      restore: false,
      scratchHost: null,
      exact: false,
      listArtifacts: null,
      rehearseTo: null,
      receiptPath: `${path}.receipt.json`,
      patience: 10_000,
      lockTimeout: 10_000,
      madeBy: 'a test',
      ...asked,
    });
  } finally {
    await backup.file.close();
  }
}

/** The code with which a backup is refused, and why; `trusted` when it is not. */
export async function verdict(path: string, database: TestDatabase, asked: Asked = {}): Promise<string> {
  try {
    await check(path, database, asked);
    return 'trusted';
  } catch (error) {
    if (error instanceof MtrackError) return `${error.code}: ${error.failure.found}`;
    throw error;
  }
}

/** A backup by mtrack itself. */
export async function takenBackup(
  database: TestDatabase,
  output: string,
  format: string | null = null,
): Promise<string> {
  const { path } = await takeBackup(await opened(database), {
    ...quiet,
    output,
    format,
    jobs: 1,
    madeBy: 'a test',
    patience: 10_000,
  });
  return path;
}
