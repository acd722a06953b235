/** The database that rows go into. */
import type { Database } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import { HEAD, schemaAt } from '../schema/lineage.js';
import type { Schema } from '../schema/model.js';
import { wholeRevision } from '../upgrade/gate.js';
import { locate } from '../upgrade/locate.js';

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
  const found = wholeRevision(await locate(session, database.dialect), database);
  const revision = found ?? whenEmpty;
  return { database, revision, schema: schemaAt(revision, database.dialect.traits), isEmpty: found === null };
}
