/**
 * Whether a program may work on tables of a database: at the head, or at a revision since which none of these tables has
 * changed. Everything else is refused, with what to do about it.
 */
import type { Database } from '../dialect/dialect.js';
import { MtrackError } from '../errors.js';
import { tablesOf } from '../schema/describe.js';
import { describeDifference } from '../schema/diff.js';
import { between, HEAD, positionOf, releasesOf } from '../schema/lineage.js';

import { commandOf } from './command.js';
import type { Location } from './locate.js';
import { type Start, startFrom } from './start.js';

/**
 * @param tables that the program works on
 * @throws {MtrackError} DATABASE_EMPTY, UPGRADE_PENDING, PART_WAY, DRIFTED, DATABASE_NEWER, DATABASE_FOREIGN, UNVERSIONED
 */
export function refuseUnlessUsable(location: Location, tables: readonly string[], database: Database): void {
  const start = finished(location, database);
  const upgrade = commandOf('db upgrade', database);
  const backup = `take a backup first: ${commandOf('db backup', database)}`;
  if (start.state === 'empty') {
    throw new MtrackError('DATABASE_EMPTY', {
      found: database.absent
        ? `there is no ${database.target.database}`
        : `${database.target.database} has no tables of MLflow`,
      expected: `a database of MLflow at revision ${HEAD} (MLflow ${releasesOf(HEAD)})`,
      fix: ['check the store URI', `make the tables: ${upgrade}`],
    });
  }
  const { revision } = start;
  const pending = positionOf(HEAD) - positionOf(revision);
  if (
    between(revision, HEAD).some(({ operations }) => operations.flatMap(tablesOf).some((each) => tables.includes(each)))
  ) {
    throw new MtrackError('UPGRADE_PENDING', {
      found: `revision ${withReleases(revision)}, ${pending} ${pending === 1 ? 'revision' : 'revisions'} behind`,
      expected: `revision ${withReleases(HEAD)}`,
      fix: [backup, upgrade],
      details: { revision, expected: HEAD, pending },
    });
  }
  refuseDrift(start, database);
}

/**
 * The revision of a database that is whole; null where it has no tables of MLflow's.
 * @throws {MtrackError} PART_WAY, DRIFTED, DATABASE_NEWER, DATABASE_FOREIGN, UNVERSIONED
 */
export function wholeRevision(location: Location, database: Database): string | null {
  const start = finished(location, database);
  if (start.state === 'empty') return null;
  refuseDrift(start, database);
  return start.revision;
}

/** Where the database is, when nothing is half-done there. @throws {MtrackError} PART_WAY, DATABASE_NEWER, DATABASE_FOREIGN, UNVERSIONED */
function finished(location: Location, database: Database): Start {
  const start = startFrom(location, HEAD, database);
  if (start.state === 'empty' || !start.partWay) return start;
  throw new MtrackError('PART_WAY', {
    found: `revision ${start.revision}, and an upgrade that was cut off inside ${start.partWay.revision.id}`,
    expected: 'an upgrade that is finished',
    fix: [`finish it: ${commandOf('db upgrade', database)}`, commandOf('db status', database)],
  });
}

/** @throws {MtrackError} DRIFTED */
function refuseDrift(start: Extract<Start, { readonly state: 'at' }>, database: Database): void {
  const broken = start.drift.filter(({ weight }) => weight === 'breaks');
  if (broken.length === 0) return;
  throw new MtrackError('DRIFTED', {
    found: broken.map(describeDifference).join('\n'),
    expected: `the schema of revision ${start.revision}`,
    fix: ['put these differences right, by hand or from a backup', commandOf('db status', database)],
    details: { differences: start.drift },
  });
}

function withReleases(revision: string): string {
  const releases = releasesOf(revision);
  return releases === null ? revision : `${revision} (MLflow ${releases})`;
}
