/**
 * Real databases for tests: one entry for each dialect, so that a loop over them shows which is missing. Every database
 * is made for one test and dropped after it.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DEFAULT_POOL } from '../../src/config.js';
import type { Database } from '../../src/dialect/dialect.js';
import { openDatabase } from '../../src/dialect/index.js';
import { parseStoreUri } from '../../src/uri.js';
import { type FixtureKind, fixturePath } from './fixtures.js';

const exec = promisify(execFile);

export interface TestDatabase {
  readonly name: string;
  readonly uri: string;
  /** Gone, with all that it holds. */
  drop(): Promise<void>;
}

export interface Server {
  readonly dialect: FixtureKind;
  /** Folder of its golden schemas. */
  readonly goldens: string;
  /** Why it cannot be used here; null when it can. */
  unavailable(): Promise<string | null>;
  empty(): Promise<TestDatabase>;
  /** A database that an MLflow release wrote. */
  load(release: string): Promise<TestDatabase>;
  /** Another database with the same content. */
  copy(of: TestDatabase): Promise<TestDatabase>;
  /** Runs a script with the database's own client, which stops at the first error. */
  runScript(database: TestDatabase, script: string): Promise<void>;
}

const fresh = () => `mtrack_test_${randomBytes(6).toString('hex')}`;
const MAX = 256 * 1024 * 1024;

/** Runs a program with text for its input. @throws with what it wrote to stderr */
async function feed(program: string, args: readonly string[], input: string): Promise<string> {
  const running = exec(program, args, { maxBuffer: MAX });
  running.child.stdin?.on('error', () => undefined);
  running.child.stdin?.end(input);
  return (await running).stdout;
}

async function answers(program: string, args: readonly string[]): Promise<string | null> {
  try {
    await exec(program, args);
    return null;
  } catch (error) {
    return `${program}: ${error instanceof Error ? error.message.split('\n')[0] : error}`;
  }
}

// ---------------------------------------------------------------- SQLite

function sqliteFile(): TestDatabase & { path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'mtrack-test-'));
  const path = join(folder, 'mlflow.db');
  return {
    name: path,
    path,
    uri: `sqlite:///${path}`,
    drop: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

const sqlite: Server = {
  dialect: 'sqlite',
  goldens: 'sqlite',
  unavailable: async () => null,
  empty: async () => sqliteFile(),
  load: async (release) => {
    const file = sqliteFile();
    copyFileSync(fixturePath('sqlite', release), file.path);
    return file;
  },
  copy: async (of) => {
    const file = sqliteFile();
    // With what a killed writer left beside it.
    for (const suffix of ['', '-journal', '-wal'].filter((each) => existsSync(of.name + each)))
      copyFileSync(of.name + suffix, file.path + suffix);
    return file;
  },
  runScript: async (database, script) => {
    await feed('sqlite3', ['-bail', database.name], script);
  },
};

// ---------------------------------------------------------------- PostgreSQL

const PG = ['-h', '127.0.0.1', '-U', 'postgres', '-qAt', '-v', 'ON_ERROR_STOP=1'];
const psql = (database: string, ...args: string[]) =>
  exec('psql', [...PG, '-d', database, ...args], { maxBuffer: MAX });

function pgDatabase(name: string): TestDatabase {
  return {
    name,
    uri: `postgresql+psycopg2://postgres@127.0.0.1:5432/${name}`,
    drop: async () => void (await psql('postgres', '-c', `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  };
}

const postgresql: Server = {
  dialect: 'postgresql',
  goldens: 'postgresql',
  unavailable: () => answers('psql', [...PG, '-d', 'postgres', '-c', 'SELECT 1']),
  empty: async () => {
    const database = pgDatabase(fresh());
    await psql('postgres', '-c', `CREATE DATABASE ${database.name} TEMPLATE template0 ENCODING 'UTF8'`);
    return database;
  },
  load: async (release) => {
    const database = await postgresql.empty();
    const dump = await exec('zcat', [fixturePath('postgresql', release)], { maxBuffer: MAX });
    await feed('psql', [...PG, '-d', database.name], dump.stdout);
    return database;
  },
  copy: async (of) => {
    const database = pgDatabase(fresh());
    await psql('postgres', '-c', `CREATE DATABASE ${database.name} TEMPLATE ${of.name}`);
    return database;
  },
  runScript: async (database, script) => {
    await feed('psql', [...PG, '-d', database.name], script);
  },
};

// ---------------------------------------------------------------- MySQL and MariaDB

const MY = ['-h', '127.0.0.1', '-u', 'root'];
const mariadb = (...args: string[]) => exec('mariadb', [...MY, ...args], { maxBuffer: MAX });

function myDatabase(name: string): TestDatabase {
  return {
    name,
    uri: `mysql+pymysql://root@127.0.0.1:3306/${name}`,
    drop: async () => void (await mariadb('-e', `DROP DATABASE IF EXISTS ${name}`)),
  };
}

const mysql: Server = {
  dialect: 'mysql',
  goldens: 'mariadb',
  unavailable: () => answers('mariadb', [...MY, '-e', 'SELECT 1']),
  empty: async () => {
    const database = myDatabase(fresh());
    await mariadb('-e', `CREATE DATABASE ${database.name} CHARACTER SET utf8mb4`);
    return database;
  },
  load: async (release) => {
    const database = await mysql.empty();
    const dump = await exec('zcat', [fixturePath('mysql', release)], { maxBuffer: MAX });
    await feed('mariadb', [...MY, database.name], dump.stdout);
    return database;
  },
  copy: async (of) => {
    const database = await mysql.empty();
    const dump = await exec('mariadb-dump', [...MY, '--hex-blob', of.name], { maxBuffer: MAX });
    await feed('mariadb', [...MY, database.name], dump.stdout);
    return database;
  },
  runScript: async (database, script) => {
    await feed('mariadb', [...MY, database.name], script);
  },
};

/** SQL Server cannot be had where this project is tested: see test/dialect/mssql and docs/sql-server.md. */
export const SERVERS: Readonly<Record<FixtureKind, Server>> = { sqlite, postgresql, mysql };

/** The database as mtrack's own code opens it. */
export async function opened(database: TestDatabase): Promise<Database> {
  const uri = parseStoreUri(database.uri);
  if (uri.kind !== 'database') throw new Error(`not a database: ${database.uri}`);
  return openDatabase(uri, { pool: DEFAULT_POOL, mysqlTls: { ca: null, cert: null, key: null }, postgresql: {} });
}

/** Runs a test on a database and drops it, whatever happens. */
export async function withDatabase<T>(
  make: () => Promise<TestDatabase>,
  use: (database: TestDatabase) => Promise<T>,
): Promise<T> {
  const database = await make();
  try {
    return await use(database);
  } finally {
    await database.drop();
  }
}
