/** Which dialect a store URI means. The only place that chooses one; a dialect is loaded only when it is named. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EntityName } from '@mikro-orm/core';
import { MtrackError } from '../errors.js';
import { type DatabaseUri, formatUri } from '../uri.js';
import { type BackupFile, NEW_BACKUP, openBackupFile } from './backup-file.js';
import type { BackupReader } from './backups.js';
import type { Database, Dialect, OpenOptions } from './dialect.js';
import { notOpened } from './explain.js';
import { echoing } from './session.js';
import { shellWord } from './shell.js';

interface Entry {
  /** The scheme of a store URI, without driver; a flavour of a dialect can have a scheme of its own. */
  readonly schemes: readonly string[];
  open(uri: DatabaseUri, options: OpenOptions): Promise<Omit<Database, 'named'>>;
  /** For scripts that are written without a database. */
  offline(scheme: string): Promise<Dialect>;
  backups(): Promise<BackupReader>;
}

const DIALECTS: readonly Entry[] = [
  {
    schemes: ['sqlite'],
    open: async (uri) => (await import('./sqlite/index.js')).openSqlite(uri),
    offline: async () => (await import('./sqlite/index.js')).sqliteDialect(null),
    backups: async () => (await import('./sqlite/archive.js')).reader,
  },
  {
    // `postgres` is what MLflow and many services wrote before SQLAlchemy 1.4 refused it.
    schemes: ['postgresql', 'postgres'],
    open: async (uri, options) => (await import('./postgresql/index.js')).openPostgresql(uri, options),
    offline: async () => (await import('./postgresql/index.js')).postgresql,
    backups: async () => (await import('./postgresql/archive.js')).reader,
  },
  {
    schemes: ['mysql', 'mariadb'],
    open: async (uri, options) => (await import('./mysql/index.js')).openMysql(uri, options),
    offline: async (scheme) => {
      const { mysqlDialect } = await import('./mysql/index.js');
      const { serverOf } = await import('./mysql/flavour.js');
      return mysqlDialect(serverOf(scheme === 'mariadb' ? '10.11.0-MariaDB' : '8.4.0'), null);
    },
    backups: async () => (await import('./mysql/backups.js')).reader,
  },
  {
    schemes: ['mssql'],
    open: async (uri, options) => (await import('./mssql/index.js')).openMssql(uri, options),
    offline: async () => (await import('./mssql/index.js')).mssqlDialect(null),
    backups: async () => (await import('./mssql/archive.js')).reader,
  },
];

/** Every scheme of a store URI that names a database here, without its driver. */
export const SCHEMES = DIALECTS.flatMap(({ schemes }) => schemes);

/** @throws {MtrackError} URI_INVALID for a scheme that is none of a database that MLflow can use */
function entryOf(scheme: string): Entry {
  const entry = DIALECTS.find(({ schemes }) => schemes.includes(scheme));
  if (entry) return entry;
  throw new MtrackError('URI_INVALID', {
    found: `a store URI that begins with ${scheme}`,
    expected: SCHEMES.map((each) => `${each}://`).join(', '),
    fix: ['write the URI as for `mlflow server --backend-store-uri`'],
  });
}

/** @throws {MtrackError} CONNECT_FAILED and the like, where the database has to be asked what it is */
export async function openDatabase(uri: DatabaseUri, options: OpenOptions): Promise<Database> {
  const entry = entryOf(uri.scheme);
  const shown = formatUri(uri);
  const database = await entry.open(uri, options).catch(async (error: unknown) => {
    throw notOpened(error, await entry.offline(uri.scheme), shown);
  });
  const { echo = () => undefined, named = shellWord(shown) } = options;
  const reader: Database['reader'] = (patience, onWait) =>
    database.reader(patience, onWait).catch((error: unknown) => {
      throw notOpened(error, database.dialect, shown);
    });
  const snapshot: Database['snapshot'] = (patience, onWait) =>
    database.snapshot(patience, onWait).catch((error: unknown) => {
      throw notOpened(error, database.dialect, shown);
    });
  return {
    ...database,
    named,
    snapshot: async (patience, onWait) => echoing(await snapshot(patience, onWait), echo),
    reader: async (patience, onWait) => echoing(await reader(patience, onWait), echo),
    worker: async () => echoing(await database.worker(), echo),
    loader: async () => {
      const loader = await database.loader();
      return { ...echoing(loader, echo), load: loader.load };
    },
    pool: <Tables>(entities: readonly EntityName[]) =>
      database.pool<Tables>(entities).catch((error: unknown) => {
        throw notOpened(error, database.dialect, shown);
      }),
  };
}

/** The dialect of a scheme, for scripts that are written without a database. @throws {MtrackError} URI_INVALID */
export async function offlineDialect(scheme: string): Promise<Dialect> {
  return entryOf(scheme).offline(scheme);
}

/** A database of its own, empty, in the folder for temporary files: for work that must not be done in the one it is about. */
export async function scratchDatabase(): Promise<{ readonly database: Database; readonly remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'mtrack-scratch-'));
  const path = join(folder, 'scratch.db');
  const { openSqliteFile } = await import('./sqlite/index.js');
  return {
    database: { ...openSqliteFile(path), named: shellWord(path) },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A backup of a kind that can be read. */
export interface RecognisedBackup {
  readonly file: BackupFile;
  /** Name of the dialect whose database it is of. */
  readonly dialect: string;
  readonly format: string;
  readonly reader: BackupReader;
}

/** Fewer bytes are in no backup, of whichever kind. */
const LEAST = 1024;

/** @throws {MtrackError} BACKUP_UNKNOWN, and those of `openBackupFile` */
export async function openBackup(path: string): Promise<RecognisedBackup> {
  const file = await openBackupFile(path);
  for (const entry of DIALECTS) {
    const reader = await entry.backups();
    const format = reader.recognise(file);
    if (format !== null) return { file, dialect: entry.schemes[0] ?? '', format, reader };
  }
  await file.close();
  if (!file.isFolder && file.head.length < LEAST) {
    throw new MtrackError('BACKUP_TRUNCATED', {
      found: `${path} has ${file.head.length} bytes, too few for any backup`,
      fix: NEW_BACKUP,
    });
  }
  throw new MtrackError('BACKUP_UNKNOWN', {
    found: `${path} is no backup of a kind that is known here`,
    expected:
      'a SQLite file or its .dump, a dump by pg_dump in any format, by mysqldump or mariadb-dump, or a .bak of SQL Server; each also packed by gzip or zstd',
    fix: ['check the path', 'take a backup: mtrack db backup'],
  });
}
