/** A database as a source: one snapshot of it, however long the reading takes and whoever goes on writing. */
import type { Database, Dialect, LockWait } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import { MtrackError } from '../errors.js';
import { inForeignKeyOrder } from '../rows/order.js';
import { readRows } from '../rows/read.js';
import { schemaAt } from '../schema/lineage.js';
import { wholeRevision } from '../upgrade/gate.js';
import { locate } from '../upgrade/locate.js';
import { findOrphans } from './orphans.js';
import type { Batch, Source } from './source.js';

/** A source that is a database, which can be asked more. */
export interface DatabaseSource extends Source {
  readonly session: Session;
  readonly dialect: Dialect;
}

/** @throws {MtrackError} DATABASE_EMPTY, PART_WAY, DRIFTED, DATABASE_NEWER, DATABASE_FOREIGN, UNVERSIONED */
export async function openDatabaseSource(database: Database, { patience, onWait }: LockWait): Promise<DatabaseSource> {
  const session = await database.snapshot(patience, onWait);
  try {
    return await sourceOf(database, session);
  } catch (error) {
    await session.close();
    throw error;
  }
}

async function sourceOf(database: Database, session: Session) {
  const { dialect } = database;
  const location = await locate(session, dialect);
  const revision = wholeRevision(location, database);
  if (revision === null) throw nothingThere(database);
  const schema = schemaAt(revision, dialect.traits);
  const tables = inForeignKeyOrder(schema);
  const stats = await dialect.readStats(
    session,
    tables.map(({ name }) => name),
  );
  const orphans = await findOrphans(session, dialect, schema);
  const others = [...location.schema.tables.keys()].filter((name) => !schema.tables.has(name) && name !== VERSIONS);
  return {
    shown: database.shown,
    revision,
    counts: new Map([...stats].map(([name, { rows }]) => [name, rows])),
    others,
    isSteady: true,
    session,
    dialect,
    async *batches(signal, problems): AsyncGenerator<Batch> {
      for (const problem of orphans.problems) problems.add(problem);
      for (const table of tables) {
        const where = orphans.condition(table);
        for await (const rows of readRows(session, dialect, table, { where, signal })) yield { table, rows };
      }
    },
    async *experiments(signal): AsyncGenerator<Batch> {
      const table = schema.tables.get('experiments');
      if (!table) return;
      for await (const rows of readRows(session, dialect, table, { signal })) yield { table, rows };
    },
    close: () => session.close(),
  } satisfies DatabaseSource;
}

const VERSIONS = 'alembic_version';

function nothingThere({ absent, target }: Database): MtrackError {
  return new MtrackError('DATABASE_EMPTY', {
    found: absent ? `there is no ${target.database}` : `${target.database} has no tables of MLflow`,
    expected: 'a database of MLflow, as the source',
    fix: ['check the store URI that is given with --from'],
  });
}
