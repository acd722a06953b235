/** From a URI to a store: which implementation, and whether the database behind it may be served. */
import type { Database, OpenOptions } from '../dialect/dialect.js';
import { openDatabase } from '../dialect/index.js';
import { MtrackError } from '../errors.js';
import { refuseUnlessUsable } from '../upgrade/gate.js';
import { makeTables } from '../upgrade/init.js';
import { locate } from '../upgrade/locate.js';
import { formatUri, type StoreUri } from '../uri.js';
import { openDatabaseStore, TABLES } from './database/index.js';
import { type Fault, openFileStore } from './file/index.js';
import type { Store, StoreOptions } from './store.js';

export interface OpenStoreOptions extends StoreOptions {
  readonly connection: OpenOptions;
  /** Makes the tables of a database that is empty, which is refused otherwise. */
  readonly init?: boolean;
  /** Of a file store: told of what listings leave out because it cannot be read, once of each. */
  readonly warn?: (fault: Fault) => void;
}

/** Milliseconds to wait for a writer that keeps readers out. */
const PATIENCE_MS = 10_000;

/**
 * A database that is refused is not written to. A folder that is missing is made, with the default experiment, as MLflow does.
 * @throws {MtrackError} CONNECT_FAILED, and what refuseUnlessUsable says of the database
 */
export async function openStore(uri: StoreUri, options: OpenStoreOptions): Promise<Store> {
  if (uri.kind === 'files') return openFileStore(uri.path, options);
  const database = await openDatabase(uri, options.connection);
  if (database.target.database === ':memory:') {
    throw new MtrackError('URI_INVALID', {
      found: `${formatUri(uri)} is a database in memory, which is empty in each program`,
      expected: 'a database that stays: sqlite:///mlflow.db',
    });
  }
  await prepare(database, options.init ?? false);
  return openDatabaseStore(database, options);
}

/** Nothing but the tables of an empty database is written, and that only where it is asked for. */
async function prepare(database: Database, init: boolean): Promise<void> {
  const session = await database.reader(PATIENCE_MS);
  try {
    const location = await locate(session, database.dialect);
    if (location.state !== 'empty' || !init) return refuseUnlessUsable(location, TABLES, database);
  } finally {
    // Before a writer of the same database is opened: see dialect/sqlite/connect.ts.
    await session.close();
  }
  await makeTables(database);
}
