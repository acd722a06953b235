import { sql } from 'kysely';
import type { Range } from '../../schema/operations.js';
import { type DatabaseUri, formatUri } from '../../uri.js';
import type { Database, Dialect, OpenOptions, ServerProgress, TableStats } from '../dialect.js';
import { DAMAGED_SERVER, UNREACHABLE_SERVER } from '../explain.js';
import { ATTEMPT_MS, patient } from '../patience.js';
import { inSnapshot, prepared, type Query, type Session } from '../session.js';
import { readCatalog } from './catalog.js';
import { compile } from './compile.js';
import { openSession } from './connect.js';
import { faultOf } from './faults.js';
import { type Server, serverOf } from './flavour.js';
import { blockers, lockOf } from './lock.js';
import { namingOf } from './naming.js';
import { mysqlOptions } from './options.js';
import { preflight } from './preflight.js';
import { queryWords } from './query-words.js';
import { rowWordsOf } from './row-words.js';
import { backupCommand, scriptOf } from './script.js';
import { quote, spellColumn } from './spell.js';
import { TRAITS } from './traits.js';
import { watchOf } from './watch.js';
import { words } from './words.js';

const upgrading = lockOf('upgrade');

/** @param defaultCollation of tables that name none; null when there is no database to ask */
export function mysqlDialect(server: Server, defaultCollation: string | null): Dialect {
  return {
    name: 'mysql',
    traits: TRAITS,
    naming: namingOf(server),
    words,
    queries: queryWords,
    rowWords: rowWordsOf(defaultCollation),
    transaction: 'none',
    rebuildsTables: false,
    keysLast: false,
    checksFirst: true,
    chunkRows: 20_000,
    mostChunks: Number.POSITIVE_INFINITY,
    watch: watchOf(server),
    samples: true,
    memory,
    spell: spellColumn,
    compile: (operation, schema) => compile(operation, schema, { server, defaultCollation }),
    nthKey,
    firstOf: (query) => `SELECT * FROM (${query}) q LIMIT 1`,
    readCatalog: (session) => readCatalog(session, server),
    readVersions,
    readStats,
    // The server does so when it is given a number.
    advanceNumbers: async () => undefined,
    createVersionTable:
      'CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))',
    prepare: async (session, { lockTimeout }) => {
      const seconds = Math.max(1, Math.round(lockTimeout / 1000));
      await session.run(`SET SESSION lock_wait_timeout = ${seconds}, innodb_lock_wait_timeout = ${seconds}`);
      // A session that waits for hours inside one ALTER must not be dropped as idle.
      await session.run('SET SESSION wait_timeout = 31536000, net_read_timeout = 3600, net_write_timeout = 3600');
      // A sort over the names of metrics takes a kilobyte a row, and with the defaults goes to disk at every batch of a
      // backfill: it is then half as fast. A server that lets not everybody set these works with its own.
      await session.run(ROOM_TO_SORT).catch((error: unknown) => {
        if (faultOf(error) !== 'permission') throw error;
      });
    },
    lock: upgrading.take,
    holdsLock: upgrading.holds,
    unlock: upgrading.release,
    collecting: lockOf('gc'),
    // Rebuilds the table while others read and write it (https://dev.mysql.com/doc/refman/8.4/en/optimize-table.html).
    giveBack: (tables) => tables.map((table) => `OPTIMIZE TABLE ${quote(table)}`),
    blockers,
    ...(server.flavour === 'mariadb' && { progressOf }),
    preflight: (session, scope) => preflight(session, server, scope),
    // The server makes an index for a foreign key that has none, and names it after the key or its first column. It
    // stays when the key goes, and in a database that was loaded from a dump also beside the index that replaces it.
    isBenign: ({ table, index }) => {
      const found = table.indexes.find(({ name }) => name === index);
      const isNamedSo = found?.columns[0]?.name === index || /^fk_|_fkey$|_ibfk_\d+$/.test(index);
      return found !== undefined && !found.unique && isNamedSo;
    },
    brokenReferences: async () => [],
    faultOf,
    whenUnreachable: UNREACHABLE_SERVER,
    whenDamaged: DAMAGED_SERVER,
    backupCommand: (target) => backupCommand(target, server),
    script: scriptOf(server),
  };
}

const ROOM_TO_SORT = `SET SESSION ${[
  ['tmp_table_size', 64],
  ['max_heap_table_size', 64],
  ['sort_buffer_size', 32],
]
  .map(([name, megabytes]) => `${name} = GREATEST(@@${name}, ${Number(megabytes) * 2 ** 20})`)
  .join(', ')}`;

/**
 * Asks the server for its version and the database's collation once.
 * @throws what the driver throws where it cannot be reached
 */
export async function openMysql(uri: DatabaseUri, options: OpenOptions): Promise<Omit<Database, 'named'>> {
  const connection = mysqlOptions(uri, { pool: options.pool, tls: options.mysqlTls });
  const session = await openSession(connection);
  const [row] = await session
    .rows<{ version: string; collation: string | null }>(
      'SELECT VERSION() AS version, (SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = DATABASE()) AS collation',
    )
    .finally(() => session.close());
  const [{ host = null, port = null, user = null }] = connection.attempts;
  const reader: Database['reader'] = async (patience, onWait = () => undefined) => {
    const seconds = Math.max(1, Math.round(Math.min(patience, ATTEMPT_MS) / 1000));
    const reader = await prepared(
      await openSession(connection),
      'SET SESSION TRANSACTION READ ONLY',
      `SET SESSION lock_wait_timeout = ${seconds}`,
    );
    return patient(reader, { faultOf, blockers }, { patience, onWait });
  };
  const server = serverOf(row?.version ?? '');
  return {
    dialect: mysqlDialect(server, row?.collation ?? null),
    target: { host, port, user, database: uri.database ?? '' },
    shown: formatUri(uri),
    absent: false,
    reader,
    snapshot: async (patience, onWait) => inSnapshot(await reader(patience, onWait)),
    worker: () => openSession(connection),
    backups: async () => {
      const { backupsOf } = await import('./backups.js');
      const openOther = async (other: DatabaseUri) => ({ ...(await openMysql(other, options)), named: '' });
      return backupsOf({ uri, connection, options, server, openOther });
    },
    loader: async () => (await import('./loader.js')).openLoader(connection),
    pool: async (entities) => (await import('./pool.js')).openPool(connection, entities),
  };
}

function nthKey({ table, key }: Range, after: unknown, n: number): Query {
  const name = sql.raw(quote(key));
  const above = after === null ? sql`` : sql`WHERE ${name} > ${after}`;
  return sql`SELECT ${name} AS k FROM ${sql.raw(quote(table))} ${above} ORDER BY ${name} LIMIT 1 OFFSET ${sql.lit(n)}`;
}

async function memory(session: Session): Promise<number> {
  const [row] = await session.rows<{ bytes: number | string }>('SELECT @@innodb_buffer_pool_size AS bytes');
  return Number(row?.bytes ?? 0);
}

async function readVersions(session: Session): Promise<string[] | null> {
  const tables = await session.rows(
    sql`SELECT 1 AS there FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'alembic_version'`,
  );
  if (tables.length === 0) return null;
  const rows = await session.rows<{ version_num: string }>('SELECT version_num FROM alembic_version');
  return rows.map(({ version_num }) => version_num);
}

/** InnoDB's own numbers: of rows an estimate that can be off by half; small tables are counted. */
async function readStats(session: Session, tables: readonly string[]): Promise<ReadonlyMap<string, TableStats>> {
  if (tables.length === 0) return new Map();
  const rows = await session.rows<{
    name: string;
    estimate: number | string | null;
    bytes: number | string | null;
  }>(sql`
    SELECT TABLE_NAME AS name, TABLE_ROWS AS estimate, DATA_LENGTH + INDEX_LENGTH AS bytes
    FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN (${sql.join(tables)})`);
  const stats = new Map<string, TableStats>();
  for (const { name, estimate, bytes } of rows) {
    const small = Number(bytes ?? 0) < 32_000_000;
    const counted = small ? await count(session, name) : null;
    stats.set(name, { rows: counted ?? Number(estimate ?? 0), exact: counted !== null, bytes: Number(bytes ?? 0) });
  }
  return stats;
}

async function count(session: Session, table: string): Promise<number> {
  const [row] = await session.rows<{ n: number | string }>(`SELECT COUNT(*) AS n FROM ${quote(table)}`);
  return Number(row?.n ?? 0);
}

/** MariaDB tells how far an ALTER is, in stages (https://mariadb.com/kb/en/progress-reporting/). */
async function progressOf(observer: Session): Promise<ServerProgress | null> {
  const [row] = await observer.rows<{
    state: string | null;
    stage: number | string;
    stages: number | string;
    percent: number | string;
  }>(`
    SELECT STATE AS state, STAGE AS stage, MAX_STAGE AS stages, PROGRESS AS percent
    FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID() AND PROGRESS > 0 AND INFO LIKE 'ALTER TABLE%'`);
  if (!row) return null;
  return {
    phase: `${row.state ?? 'working'} (stage ${row.stage} of ${row.stages})`,
    done: Number(row.percent),
    total: 100,
  };
}
