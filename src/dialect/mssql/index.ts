import { sql } from 'kysely';
import type { Range } from '../../schema/operations.js';
import { type DatabaseUri, formatUri } from '../../uri.js';
import type { Database, Dialect, OpenOptions, TableStats } from '../dialect.js';
import { DAMAGED_SERVER, UNREACHABLE_SERVER } from '../explain.js';
import { ATTEMPT_MS, patient } from '../patience.js';
import { inSnapshot, prepared, type Query, type Session } from '../session.js';
import { readCatalog } from './catalog.js';
import { compile } from './compile.js';
import { openSession } from './connect.js';
import { faultOf } from './faults.js';
import { blockers, lockOf } from './lock.js';
import { naming } from './naming.js';
import { mssqlOptions } from './options.js';
import { preflight } from './preflight.js';
import { queryWords } from './query-words.js';
import { rowWordsOf } from './row-words.js';
import { backupCommand, script } from './script.js';
import { quote, spellColumn } from './spell.js';
import { TRAITS } from './traits.js';
import { words } from './words.js';

const PROGRAM = 'mtrack';

const upgrading = lockOf('upgrade');

/** @param collation the database's own; null when there is no database to ask */
export function mssqlDialect(collation: string | null): Dialect {
  return {
    name: 'mssql',
    traits: TRAITS,
    naming,
    words,
    queries: queryWords,
    rowWords: rowWordsOf(collation),
    // All DDL can be rolled back, and is, with the version.
    transaction: 'revision',
    rebuildsTables: false,
    keysLast: false,
    checksFirst: false,
    chunkRows: 20_000,
    mostChunks: Number.POSITIVE_INFINITY,
    watch: null,
    samples: false,
    memory: async () => 0,
    spell: (column) => spellColumn(column, collation),
    compile: (operation, schema) => compile(operation, schema, collation),
    nthKey,
    firstOf: (query) => `SELECT TOP (1) * FROM (${query}) q`,
    readCatalog,
    readVersions,
    readStats,
    // The server does so when it is given a number (IDENTITY_INSERT).
    advanceNumbers: async () => undefined,
    createVersionTable:
      'CREATE TABLE [alembic_version] ([version_num] varchar(32) NOT NULL, CONSTRAINT [alembic_version_pkc] PRIMARY KEY ([version_num]))',
    prepare: async (session, { lockTimeout }) => {
      // Without XACT_ABORT an error would end its statement only, and the transaction could be committed without it.
      await session.run(`SET XACT_ABORT ON;\n${setLockTimeout(lockTimeout)}`);
    },
    lock: upgrading.take,
    holdsLock: upgrading.holds,
    unlock: upgrading.release,
    collecting: lockOf('gc'),
    // Others go on meanwhile (https://learn.microsoft.com/en-us/sql/relational-databases/indexes/reorganize-and-rebuild-indexes).
    giveBack: (tables) => tables.map((table) => `ALTER INDEX ALL ON ${quote(table)} REORGANIZE`),
    blockers,
    preflight,
    isBenign: () => false,
    // Constraints are checked by the server when they are made, and always after.
    brokenReferences: async () => [],
    faultOf,
    whenUnreachable: UNREACHABLE_SERVER,
    whenDamaged: DAMAGED_SERVER,
    backupCommand,
    script,
  };
}

/**
 * Asks the server for the database's name and collation once.
 * @throws what the driver throws where it cannot be reached
 */
export async function openMssql(uri: DatabaseUri, options: OpenOptions): Promise<Omit<Database, 'named'>> {
  const connection = mssqlOptions(uri, { pool: options.pool });
  const session = await openSession(connection, `${PROGRAM} (reading)`);
  const [row] = await session
    .rows<{ name: string; collation: string | null }>(QUERIES.database)
    .finally(() => session.close());
  const { server, options: given, authentication } = connection.connection;
  const reader: Database['reader'] = async (patience, onWait = () => undefined) => {
    const attempt = setLockTimeout(Math.min(patience, ATTEMPT_MS));
    const reader = await prepared(await openSession(connection, `${PROGRAM} (reading)`), attempt);
    // No session can be forbidden to write: what this one wrote would be rolled back with its end.
    await reader.begin();
    return patient(reader, { faultOf, blockers }, { patience, onWait });
  };
  return {
    dialect: mssqlDialect(row?.collation ?? null),
    target: {
      host: given.instanceName === undefined ? server : `${server}\\${given.instanceName}`,
      port: given.port ?? null,
      user: authentication?.options.userName ?? null,
      database: row?.name ?? given.database ?? '',
    },
    shown: formatUri(uri),
    absent: false,
    reader,
    snapshot: async (patience, onWait) => inSnapshot(await reader(patience, onWait)),
    worker: () => openSession(connection, PROGRAM),
    backups: async () => {
      const { backupsOf } = await import('./backups.js');
      return backupsOf({ database: row?.name ?? '', open: () => openSession(connection, PROGRAM) });
    },
    loader: async () => (await import('./loader.js')).openLoader(connection, PROGRAM),
    pool: async (entities) => (await import('./pool.js')).openPool(connection, PROGRAM, entities),
  };
}

const setLockTimeout = (milliseconds: number) => `SET LOCK_TIMEOUT ${Math.min(2 ** 31 - 1, Math.round(milliseconds))}`;

/** Read-only questions of the dialect; the tests have them parsed by the server's own grammar. */
export const QUERIES = {
  database:
    "SELECT DB_NAME() AS [name], CAST(DATABASEPROPERTYEX(DB_NAME(), 'Collation') AS nvarchar(128)) AS [collation]",
  versionTable: "SELECT 1 AS [there] FROM sys.tables t WHERE t.schema_id = SCHEMA_ID() AND t.name = N'alembic_version'",
  versions: 'SELECT [version_num] FROM [alembic_version]',
} as const;

function nthKey({ table, key }: Range, after: unknown, n: number): Query {
  const name = sql.raw(quote(key));
  const above = after === null ? sql`` : sql`WHERE ${name} > ${after}`;
  return sql`SELECT ${name} AS k FROM ${sql.raw(quote(table))} ${above} ORDER BY ${name} OFFSET ${sql.lit(n)} ROWS FETCH NEXT 1 ROWS ONLY`;
}

/** In two steps, as a statement that fails would end the transaction it is in. */
async function readVersions(session: Session): Promise<string[] | null> {
  const [table] = await session.rows<{ there: number }>(QUERIES.versionTable);
  if (!table) return null;
  const rows = await session.rows<{ version_num: string }>(QUERIES.versions);
  return rows.map(({ version_num }) => version_num);
}

const PAGE = 8192;
const SMALL = 32_000_000;

/**
 * Rows and pages as the server keeps count of them. sys.dm_db_partition_stats says the same, but fails for whoever may not
 * VIEW DATABASE STATE, and a failure would end the transaction this is asked in. Small tables are counted.
 */
async function readStats(session: Session, tables: readonly string[]): Promise<ReadonlyMap<string, TableStats>> {
  if (tables.length === 0) return new Map();
  const rows = await session.rows<{ name: string; estimate: string | null; pages: string | null }>(statsQuery(tables));
  const stats = new Map<string, TableStats>();
  for (const { name, estimate, pages } of rows) {
    const bytes = Number(pages ?? 0) * PAGE;
    const counted = bytes < SMALL ? await count(session, name) : null;
    stats.set(name, { rows: counted ?? Number(estimate ?? 0), exact: counted !== null, bytes });
  }
  return stats;
}

/** Rows and bytes of tables, as the server keeps count of them. */
export function statsQuery(tables: readonly string[]): Query {
  return sql`SELECT t.name AS [name],
  (SELECT SUM(p.rows) FROM sys.partitions p WHERE p.object_id = t.object_id AND p.index_id IN (0, 1)) AS [estimate],
  (SELECT SUM(a.total_pages) FROM sys.partitions p JOIN sys.allocation_units a ON a.container_id IN (p.partition_id, p.hobt_id) WHERE p.object_id = t.object_id) AS [pages]
FROM sys.tables t WHERE t.schema_id = SCHEMA_ID() AND t.name IN (${sql.join(tables)})`;
}

async function count(session: Session, table: string): Promise<number> {
  const [row] = await session.rows<{ n: string }>(`SELECT COUNT_BIG(*) AS [n] FROM ${quote(table)}`);
  return Number(row?.n ?? 0);
}
