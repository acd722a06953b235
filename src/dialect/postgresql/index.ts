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
import { blockers, lockOf } from './lock.js';
import { naming } from './naming.js';
import { postgresqlOptions } from './options.js';
import { preflight } from './preflight.js';
import { queryWords } from './query-words.js';
import { rowWords } from './row-words.js';
import { backupCommand, script } from './script.js';
import { quote, spellColumn } from './spell.js';
import { TRAITS } from './traits.js';
import { watch } from './watch.js';
import { FUNCTIONS, words } from './words.js';

const PROGRAM = 'mtrack';

const upgrading = lockOf('upgrade');

/** The one of PostgreSQL needs to know nothing of the server beforehand. */
export const postgresql: Dialect = {
  name: 'postgresql',
  traits: TRAITS,
  naming,
  words,
  queries: queryWords,
  rowWords,
  transaction: 'revision',
  rebuildsTables: false,
  keysLast: true,
  checksFirst: false,
  // A revision is one transaction, in chunks or not, and rows lie in no order: a range of a key is all over the table.
  chunkRows: 5_000_000,
  mostChunks: 8,
  watch,
  samples: true,
  memory,
  spell: spellColumn,
  compile,
  nthKey,
  firstOf: (query) => `SELECT * FROM (${query}) q LIMIT 1`,
  readCatalog,
  readVersions,
  readStats,
  advanceNumbers,
  createVersionTable:
    'CREATE TABLE alembic_version (version_num character varying(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))',
  prepare: async (session, { lockTimeout, rowsOnly = false }) => {
    await session.run(`SET lock_timeout = ${Math.round(lockTimeout)}`);
    if (rowsOnly) return;
    for (const statement of FUNCTIONS) await session.run(statement);
  },
  lock: upgrading.take,
  holdsLock: upgrading.holds,
  unlock: upgrading.release,
  collecting: lockOf('gc'),
  // FULL would lock the tables. Room inside them is used again, and what is free at their ends is given back.
  giveBack: (tables) => tables.map((table) => `VACUUM (ANALYZE) ${quote(table)}`),
  blockers,
  progressOf,
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

/** Connects when a session is asked for, not before. */
export async function openPostgresql(uri: DatabaseUri, options: OpenOptions): Promise<Omit<Database, 'named'>> {
  const connection = postgresqlOptions(uri, { pool: options.pool, environment: options.postgresql });
  const { host, port, user, database } = connection.attempts[0];
  const reader: Database['reader'] = async (patience, onWait = () => undefined) => {
    const session = await prepared(
      await openSession(connection, `${PROGRAM} (reading)`),
      `SET default_transaction_read_only = on; SET lock_timeout = ${Math.round(Math.min(patience, ATTEMPT_MS))}`,
    );
    return patient(session, postgresql, { patience, onWait });
  };
  return {
    dialect: postgresql,
    target: { host, port, user, database },
    shown: formatUri(uri),
    absent: false,
    reader,
    snapshot: async (patience, onWait) => inSnapshot(await reader(patience, onWait)),
    worker: () => openSession(connection, PROGRAM),
    backups: async () => {
      const { backupsOf } = await import('./backups.js');
      const openOther = async (other: DatabaseUri) => ({ ...(await openPostgresql(other, options)), named: '' });
      return backupsOf({ uri, connection, options, openOther });
    },
    loader: async () => (await import('./loader.js')).openLoader(connection, PROGRAM),
    pool: async (entities) => (await import('./pool.js')).openPool(connection, PROGRAM, entities),
  };
}

function nthKey({ table, key }: Range, after: unknown, n: number): Query {
  const name = sql.raw(quote(key));
  const above = after === null ? sql`` : sql`WHERE ${name} > ${after}`;
  return sql`SELECT ${name} AS k FROM ${sql.raw(quote(table))} ${above} ORDER BY ${name} LIMIT 1 OFFSET ${sql.lit(n)}`;
}

/** What whoever set the server up takes its own memory and the system's for. */
async function memory(session: Session): Promise<number> {
  const [row] = await session.rows<{ bytes: string }>(
    "SELECT pg_size_bytes(current_setting('effective_cache_size')) AS bytes",
  );
  return Number(row?.bytes ?? 0);
}

/** In two steps, as a statement that fails would end the transaction it is in. */
async function readVersions(session: Session): Promise<string[] | null> {
  const [table] = await session.rows<{ there: boolean }>(
    sql`SELECT 1 AS there FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relname = 'alembic_version'`,
  );
  if (!table) return null;
  const rows = await session.rows<{ version_num: string }>('SELECT version_num FROM alembic_version');
  return rows.map(({ version_num }) => version_num);
}

/** From the statistics; a table that was never analysed (reltuples -1, or 0 before 14) and is small is counted. */
async function readStats(session: Session, tables: readonly string[]): Promise<ReadonlyMap<string, TableStats>> {
  if (tables.length === 0) return new Map();
  const rows = await session.rows<{ name: string; estimate: number; bytes: string; pages: number }>(sql`
    SELECT c.relname AS name, c.reltuples::float8 AS estimate, pg_total_relation_size(c.oid) AS bytes,
           (pg_relation_size(c.oid) / current_setting('block_size')::int)::int AS pages
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relname IN (${sql.join(tables)})`);
  const stats = new Map<string, TableStats>();
  for (const { name, estimate, bytes, pages } of rows) {
    const small = pages < 2000;
    const counted = small || estimate <= 0 ? await count(session, name) : null;
    stats.set(name, { rows: counted ?? Math.round(estimate), exact: counted !== null, bytes: Number(bytes) });
  }
  return stats;
}

async function count(session: Session, table: string): Promise<number> {
  const [row] = await session.rows<{ n: string }>(`SELECT COUNT(*) AS n FROM ${quote(table)}`);
  return Number(row?.n ?? 0);
}

/** Of an index that is being built (https://www.postgresql.org/docs/current/progress-reporting.html): the longest of our statements. */
async function progressOf(observer: Session): Promise<ServerProgress | null> {
  const [row] = await observer.rows<{ phase: string; done: string; total: string }>(sql`
    SELECT p.phase, GREATEST(p.blocks_done, p.tuples_done) AS done, GREATEST(p.blocks_total, p.tuples_total) AS total
    FROM pg_stat_progress_create_index p JOIN pg_stat_activity a ON a.pid = p.pid
    WHERE a.application_name = ${PROGRAM} AND p.datname = current_database()`);
  return row ? { phase: row.phase, done: Number(row.done), total: Number(row.total) } : null;
}

/** `pg_get_serial_sequence` is null where a column has no sequence of its own, as in tables that were made by hand. */
async function advanceNumbers(session: Session, table: string, column: string): Promise<void> {
  await session.rows(sql`
    SELECT setval(s, GREATEST(largest, COALESCE(pg_sequence_last_value(s), 1)))
    FROM (SELECT pg_get_serial_sequence(${quote(table)}, ${column})::regclass AS s, MAX(${sql.raw(quote(column))})::bigint AS largest
          FROM ${sql.raw(quote(table))}) t WHERE largest >= 1`);
}
