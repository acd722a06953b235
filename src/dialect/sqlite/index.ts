import { statSync } from 'node:fs';
import { totalmem } from 'node:os';
import { type RawBuilder, sql } from 'kysely';
import type { Range } from '../../schema/operations.js';
import type { DatabaseUri } from '../../uri.js';
import { formatUri } from '../../uri.js';
import type { Database, Dialect, TableStats } from '../dialect.js';
import type { Query, Session } from '../session.js';
import { readCatalog } from './catalog.js';
import { compile } from './compile.js';
import { openToRead, openToWrite } from './connect.js';
import { faultOf } from './faults.js';
import { holdersOf } from './holders.js';
import { whenDamaged } from './integrity.js';
import { collectingLock, lock } from './lock.js';
import { sqlitePath } from './options.js';
import { preflight } from './preflight.js';
import { queryWords } from './query-words.js';
import { rowWords } from './row-words.js';
import { isRowidName } from './rowid.js';
import { backupCommand, script } from './script.js';
import { openSnapshot } from './snapshot.js';
import { spellColumn } from './spell.js';
import { quoteName } from './table-sql.js';
import { TRAITS } from './traits.js';
import { words } from './words.js';

/** @param path null for a database in memory */
export function sqliteDialect(path: string | null): Dialect {
  return {
    name: 'sqlite',
    traits: TRAITS,
    naming: { foreignKey: () => null, unique: () => null, check: () => null },
    words,
    queries: queryWords,
    rowWords,
    transaction: 'upgrade',
    rebuildsTables: true,
    keysLast: false,
    checksFirst: false,
    chunkRows: 50_000,
    mostChunks: Number.POSITIVE_INFINITY,
    watch: null,
    samples: true,
    memory: async () => totalmem(),
    spell: spellColumn,
    compile,
    nthKey,
    firstOf: (query) => `SELECT * FROM (${query}) LIMIT 1`,
    readCatalog,
    readVersions,
    readStats: (session, tables) => readStats(path, session, tables),
    // A number is one more than the largest there is.
    advanceNumbers: async () => undefined,
    createVersionTable:
      'CREATE TABLE alembic_version (\n\tversion_num VARCHAR(32) NOT NULL, \n\tCONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)\n)',
    prepare: async () => undefined,
    lock: (session, wait) => lock(path, session, wait),
    // The lock is the open transaction: it cannot be lost while the session lives.
    holdsLock: async () => true,
    unlock: async (session) => {
      await session.run('PRAGMA legacy_alter_table = OFF');
      await session.run('PRAGMA foreign_keys = ON');
      // After a full disk SQLite leaves its journal to be played back by whoever reads next: without it the file is broken.
      // Who has the file locked by now has done so.
      await session.rows('PRAGMA schema_version').catch((error: unknown) => {
        if (faultOf(error) !== 'lock-timeout') throw error;
      });
    },
    collecting: collectingLock(path),
    giveBack: () => ['VACUUM'],
    blockers: async () => holdersOf(path),
    preflight: (session, scope) => preflight(path, session, scope),
    isBenign: () => false,
    brokenReferences,
    faultOf,
    whenUnreachable: [
      'check the path in the store URI (sqlite:/// and a relative, sqlite://// and an absolute path): it must be a SQLite file that this user can read',
    ],
    whenDamaged: whenDamaged(path),
    backupCommand,
    script,
  };
}

export const openSqlite = async (uri: DatabaseUri): Promise<Omit<Database, 'named'>> => ({
  ...openSqliteFile(sqlitePath(uri)),
  shown: formatUri(uri),
});

/** @param path null is a database in memory */
export function openSqliteFile(path: string | null): Omit<Database, 'named'> {
  return {
    dialect: sqliteDialect(path),
    target: { host: null, port: null, user: null, database: path ?? ':memory:' },
    shown: path ?? ':memory:',
    absent: path !== null && !statSync(path, { throwIfNoEntry: false }),
    reader: (patience, onWait) => openToRead(path, { patience, onWait: onWait ?? (() => undefined) }),
    snapshot: (patience, onWait) => openSnapshot(path, { patience, onWait: onWait ?? (() => undefined) }),
    worker: () => openToWrite(path),
    backups: async () => {
      const { backupsOf } = await import('./backups.js');
      return backupsOf(path, async (other) => ({ ...(await openSqlite(other)), named: '' }));
    },
    loader: async () => (await import('./loader.js')).openLoader(path),
    pool: async (entities) => (await import('./pool.js')).openPool(path, entities),
  };
}

function nthKey({ table, key }: Range, after: unknown, n: number): Query {
  const from = sql.raw(quoteName(table));
  if (isRowidName(key)) {
    // Rowids are numbers: n above the last one is near enough, and costs no walk over the rows between.
    const rowid = sql.raw(key);
    const start = after === null ? sql`(SELECT MIN(${rowid}) FROM ${from})` : sql`${after}`;
    return sql`SELECT ${rowid} - 1 AS k FROM ${from} WHERE ${rowid} > ${start} + ${n} ORDER BY ${rowid} LIMIT 1`;
  }
  const name = sql.raw(quoteName(key));
  const above = after === null ? sql`` : sql`WHERE ${name} > ${after}`;
  return sql`SELECT ${name} AS k FROM ${from} ${above} ORDER BY ${name} LIMIT 1 OFFSET ${n}`;
}

async function readVersions(session: Session): Promise<string[] | null> {
  const [table] = await session.rows(
    sql`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'`,
  );
  if (!table) return null;
  const rows = await session.rows<{ version_num: string }>('SELECT version_num FROM alembic_version');
  return rows.map(({ version_num }) => version_num);
}

/** Rows are counted; bytes are each table's share of the file by its rows, as the true sizes take a read of every page. */
async function readStats(
  path: string | null,
  session: Session,
  tables: readonly string[],
): Promise<ReadonlyMap<string, TableStats>> {
  const counts = new Map<string, number>();
  for (const table of tables) {
    const [row] = await session.rows<{ n: number }>(`SELECT COUNT(*) AS n FROM ${quoteName(table)}`);
    counts.set(table, row?.n ?? 0);
  }
  const all = [...counts.values()].reduce((sum, n) => sum + n, 0);
  const size = (path === null ? undefined : statSync(path, { throwIfNoEntry: false })?.size) ?? 0;
  return new Map(
    [...counts].map(([table, rows]) => [
      table,
      { rows, exact: true, bytes: Math.round((size * rows) / Math.max(all, 1)) },
    ]),
  );
}

async function brokenReferences(session: Session, tables: readonly string[]): Promise<string[]> {
  const sentences: string[] = [];
  for (const table of tables) {
    const rows = await session.rows<{ parent: string; n: number }>(checkOf(table));
    sentences.push(...rows.map(({ parent, n }) => `${n} rows of ${table} refer to rows that ${parent} does not have`));
  }
  return sentences;
}

const checkOf = (table: string): RawBuilder<unknown> =>
  sql`SELECT parent, COUNT(*) AS n FROM pragma_foreign_key_check(${table}) GROUP BY parent`;
