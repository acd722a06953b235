/** Where an upgrade can start from, and why it cannot start elsewhere. */
import type { Database, Dialect } from '../dialect/dialect.js';
import { MtrackError, UPDATE_MTRACK } from '../errors.js';
import { describeDifference } from '../schema/diff.js';
import { HEAD, positionOf, releasesOf } from '../schema/lineage.js';
import { commandOf } from './command.js';
import { foreignWords } from './foreign.js';
import { copyOf, type Location } from './locate.js';

/** The part of a location that an upgrade can start from. */
export type Start = Extract<Location, { state: 'empty' | 'at' }>;

/**
 * The start of an upgrade to a revision, in a database that was located.
 * @throws {MtrackError} where no upgrade to it can start there: DATABASE_NEWER, DATABASE_FOREIGN, UNVERSIONED, PART_WAY, DRIFTED
 */
export function startFrom(location: Location, target: string, database: Database): Start {
  const look = commandOf('db status', database);
  switch (location.state) {
    case 'empty':
      return location;
    case 'at':
      if (positionOf(location.revision) > positionOf(target)) throw newerThanTarget(location.revision, target);
      if (location.partWay && positionOf(location.partWay.revision.id) > positionOf(target))
        throw begunAfter(location.partWay.revision.id, location.revision, target);
      return usable(location, look);
    case 'newer':
      throw new MtrackError('DATABASE_NEWER', {
        found: `revision ${location.version}, which this build does not know; its tables are MLflow's`,
        expected: `a revision up to ${HEAD} (MLflow ${releasesOf(HEAD)})`,
        fix: [UPDATE_MTRACK, look],
      });
    case 'foreign':
      throw new MtrackError('DATABASE_FOREIGN', {
        found: foreignWords(location).found,
        expected: 'a database of MLflow tracking',
        fix: [foreignWords(location).fix, look],
      });
    case 'unversioned':
      throw new MtrackError('UNVERSIONED', {
        found: `tables of MLflow, but no version; the schema is that of ${location.fits.join(' or ') || 'no revision'}`,
        expected: 'a row in alembic_version, or the five tables of MLflow 0.9',
        fix: ['restore what is missing from a backup', look, ...versionAgain(location, database.dialect)],
      });
  }
}

/** Where several revisions fit, the first of them: what the others do to rows can be done twice, and must not be left out. */
function versionAgain(
  { fits: [first], schema }: Extract<Location, { state: 'unversioned' }>,
  dialect: Dialect,
): string[] {
  if (first === undefined) return [];
  const { id, literal } = dialect.words;
  const create = schema.tables.has('alembic_version') ? '' : `${dialect.createVersionTable};\n`;
  return [
    `or, if it is certain that only the version is missing:\n${create}INSERT INTO ${id('alembic_version')} (${id('version_num')}) VALUES (${literal(first)});`,
  ];
}

function newerThanTarget(revision: string, target: string): MtrackError {
  return new MtrackError('DATABASE_NEWER', {
    found: `revision ${revision}${releasesOf(revision) ? ` (MLflow ${releasesOf(revision)})` : ''}`,
    expected: `at most the target, ${target}${releasesOf(target) ? ` (MLflow ${releasesOf(target)})` : ''}`,
    fix: ['name a later target with --to, or none for the head', `to go back: mtrack db downgrade --to ${target}`],
  });
}

/** What a later revision has changed already is not to be had as it was before. */
function begunAfter(begun: string, revision: string, target: string): MtrackError {
  return new MtrackError('PART_WAY', {
    found: `revision ${revision}, and an upgrade to ${begun} or further that was cut off after it had begun`,
    expected: `nothing that was done of a revision after the target, ${target}`,
    fix: [`name ${begun} or a later target with --to, or none for the head; going back means restoring a backup`],
  });
}

/** Without a table or a column that the lineage counts on, later revisions would fail half-way. */
function usable(location: Extract<Location, { state: 'at' }>, look: string): Start {
  const missing = location.drift.filter(
    ({ kind, weight, element }) =>
      kind === 'missing' && weight === 'breaks' && (element === 'table' || element === 'column'),
  );
  if (missing.length === 0) return location;
  const renamed = missing.map(({ name }) => name).filter((name) => location.schema.tables.has(copyOf(name)));
  throw new MtrackError('DRIFTED', {
    found: missing.map(describeDifference).join('\n'),
    expected: `the schema of revision ${location.revision}`,
    fix: [
      ...renamed.map((name) => `the rows of ${name} may be in ${copyOf(name)}: look there, and rename it if they are`),
      'restore what is missing from a backup',
      look,
    ],
    details: { differences: location.drift },
  });
}
