/** The database that rows go into. */
import type { Database, Dialect } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import { shellWord } from '../dialect/shell.js';
import { MtrackError } from '../errors.js';
import { HEAD, isKnown, schemaAt } from '../schema/lineage.js';
import type { Schema } from '../schema/model.js';
import { commandOf } from '../upgrade/command.js';
import { wholeRevision } from '../upgrade/gate.js';
import { makeTables } from '../upgrade/init.js';
import { locate } from '../upgrade/locate.js';
import { type BringingOptions, broughtTo, isOlder } from './scratch.js';
import type { Source } from './source.js';

export interface Target {
  readonly database: Database;
  readonly revision: string;
  readonly schema: Schema;
  /** It has no tables yet: they are made at that revision. */
  readonly isEmpty: boolean;
}

/**
 * Looks at a database, and changes nothing.
 * @param whenEmpty the revision of the tables that are to be made where there are none
 * @throws {MtrackError} PART_WAY, DRIFTED, DATABASE_NEWER, DATABASE_FOREIGN, UNVERSIONED
 */
export async function lookAtTarget(database: Database, session: Session, whenEmpty = HEAD): Promise<Target> {
  const { dialect } = database;
  const location = await locate(session, dialect);
  const begun = await begunBefore(location.schema, session, dialect);
  const found = begun === null ? wholeRevision(location, database) : null;
  const revision = begun ?? found ?? whenEmpty;
  return { database, revision, schema: schemaAt(revision, dialect.traits), isEmpty: found === null };
}

/**
 * Holds the revision that the tables of an empty target are to come to, while they are made: where this takes more than one
 * transaction, an import that was killed meanwhile goes on with it, and does not take what is there for somebody's choice.
 */
const MAKING = 'mtrack_making_tables';

/** The revision that an import before this one was bringing the tables to; null where there was none, or it came further. */
async function begunBefore(schema: Schema, session: Session, dialect: Dialect): Promise<string | null> {
  if (!schema.tables.has(MAKING)) return null;
  const { firstOf, words } = dialect;
  if (schema.tables.has('experiments')) {
    const [row] = await session.rows(firstOf(`SELECT 1 AS there FROM ${words.id('experiments')}`));
    if (row) return null;
  }
  const [row] = await session.rows<{ revision: string }>(`SELECT revision FROM ${words.id(MAKING)}`);
  return row && isKnown(row.revision) ? row.revision : null;
}

/** Makes the tables of an empty target, or goes on making them. */
export async function makeTargetTables({ database, revision }: Target): Promise<void> {
  const { dialect } = database;
  if (dialect.transaction === 'upgrade') return makeTables(database, revision);
  await withWorker(database, async (session) => {
    const { tables } = await dialect.readCatalog(session);
    if (tables.has(MAKING)) return;
    const { id, literal } = dialect.words;
    await session.run(`CREATE TABLE ${id(MAKING)} (revision VARCHAR(32) NOT NULL PRIMARY KEY)`);
    await session.run(`INSERT INTO ${id(MAKING)} (revision) VALUES (${literal(revision)})`);
  });
  await makeTables(database, revision);
  await withWorker(database, async (session) => {
    const { tables } = await dialect.readCatalog(session);
    if (tables.has(MAKING)) await session.run(`DROP TABLE ${dialect.words.id(MAKING)}`);
  });
}

async function withWorker(database: Database, use: (session: Session) => Promise<void>): Promise<void> {
  const session = await database.worker();
  try {
    await use(session);
  } finally {
    await session.close();
  }
}

/**
 * The source with rows of the target's revision.
 * @throws {MtrackError} UPGRADE_PENDING where the target is older
 */
export async function fitting(
  source: Source,
  { revision, database }: Target,
  options: BringingOptions,
): Promise<Source> {
  if (source.revision === revision) return source;
  if (isOlder(source, revision)) return broughtTo(revision, source, options);
  throw new MtrackError('UPGRADE_PENDING', {
    found: `the source is at revision ${source.revision}, and the target at ${revision}, which is older`,
    expected: 'a target at the same revision, or at a newer one',
    fix: [
      `upgrade the target first: ${commandOf('db upgrade', { named: shellWord(database.shown) }, '--to', source.revision)}`,
    ],
  });
}
