/** A database opened for garbage collection: looked at, or with the lock that lets one collection run at a time. */
import type { Database, Dialect, LockWait } from '../../dialect/dialect.js';
import type { Session } from '../../dialect/session.js';
import { MtrackError } from '../../errors.js';
import { HEAD, isKnown } from '../../schema/lineage.js';
import type { Schema } from '../../schema/model.js';
import { locateIn } from '../../upgrade/locate.js';
import { startFrom } from '../../upgrade/start.js';
import type { OpenTrash } from '../source.js';
import { type Connection, readingConnection, WorkingConnection } from './connection.js';
import { DatabaseTrash } from './source.js';

/** The longest that one statement waits for another session's lock. */
const LOCK_ATTEMPT_MS = 3000;

export function databaseTrash(database: Database): OpenTrash {
  const { dialect } = database;
  return {
    look: async (wait, use) => {
      const session = await database.reader(wait.patience, wait.onWait);
      try {
        return await use(await trashOf(session, readingConnection(session), database));
      } finally {
        await session.close();
      }
    },
    work: async (wait, use) => {
      if (database.absent) throw noTables(database);
      const connection = await WorkingConnection.open({
        open: () => ready(database, wait),
        faultOf: dialect.faultOf,
        wait,
      });
      try {
        const source = await trashOf(connection.session, connection, database);
        return await use(source, source.restorer);
      } finally {
        await dialect.collecting.release(connection.session).catch(() => undefined);
        await connection.session.close();
      }
    },
  };
}

/** A session with its settings and the lock. @throws {MtrackError} LOCKED */
async function ready(database: Database, wait: LockWait): Promise<Session> {
  const { dialect } = database;
  const session = await database.worker();
  try {
    await dialect.prepare(session, { lockTimeout: LOCK_ATTEMPT_MS, rowsOnly: true });
    await dialect.collecting.take(session, wait);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** @throws {MtrackError} where the tables are not those of an MLflow that is known here */
async function trashOf(session: Session, connection: Connection, database: Database): Promise<DatabaseTrash> {
  const { dialect } = database;
  const versions = await dialect.readVersions(session);
  const schema = await dialect.readCatalog(session);
  const [version = null, ...more] = versions ?? [];
  // Half-way between two revisions is as good as at one: the tables and columns that there are decide.
  if (version === null || more.length > 0 || !isKnown(version)) refuseOthers(versions, schema, database, dialect);
  return new DatabaseTrash(connection, dialect, schema, version);
}

function refuseOthers(versions: readonly string[] | null, schema: Schema, database: Database, dialect: Dialect): void {
  const location = locateIn(versions, schema, dialect);
  if (location.state === 'empty') throw noTables(database);
  // Its tables are MLflow's, and those there are decide.
  if (location.state === 'unversioned' && schema.tables.has('runs') && schema.tables.has('experiments')) return;
  if (location.state !== 'at') startFrom(location, HEAD, database);
}

const noTables = (database: Database) =>
  new MtrackError('DATABASE_EMPTY', {
    found: `${database.shown} has no tables of MLflow`,
    expected: 'the database of an MLflow server',
    fix: ['check the store URI'],
  });
