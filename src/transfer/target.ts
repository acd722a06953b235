/** The database that rows go into. */
import type { Database } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import { MtrackError } from '../errors.js';
import { HEAD, schemaAt } from '../schema/lineage.js';
import type { Schema } from '../schema/model.js';
import { commandOf } from '../upgrade/command.js';
import { wholeRevision } from '../upgrade/gate.js';
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
  const found = wholeRevision(await locate(session, database.dialect), database);
  const revision = found ?? whenEmpty;
  return { database, revision, schema: schemaAt(revision, database.dialect.traits), isEmpty: found === null };
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
    fix: [`upgrade the target first: ${commandOf('db upgrade', database, '--to', source.revision)}`],
  });
}
