/** Where a database is, for people, and the exit status that says the same to a script. */
import type { Database } from '../../dialect/dialect.js';
import { type FailureCode, UPDATE_MTRACK } from '../../errors.js';
import { type Difference, describeDifference } from '../../schema/diff.js';
import { BASE, between, HEAD, positionOf } from '../../schema/lineage.js';
import { commandOf } from '../../upgrade/command.js';
import { foreignWords, othersIn, otherTables } from '../../upgrade/foreign.js';
import type { Location } from '../../upgrade/locate.js';
import { plural } from './numbers.js';
import { atText } from './plan.js';

/** What the state of a database is as a failure code; null when it is at the head as it should be. */
export function codeOfLocation(location: Location): FailureCode | null {
  switch (location.state) {
    case 'empty':
      return 'DATABASE_EMPTY';
    case 'newer':
      return 'DATABASE_NEWER';
    case 'foreign':
      return 'DATABASE_FOREIGN';
    case 'unversioned':
      return 'UNVERSIONED';
    case 'at':
      if (location.partWay) return 'PART_WAY';
      if (location.drift.some(({ weight }) => weight !== 'harmless')) return 'DRIFTED';
      return location.revision === HEAD ? null : 'UPGRADE_PENDING';
  }
}

/** What `db status` prints: where the database is, each difference, and the command to run next. */
export function locationText(location: Location, database: Database): string {
  switch (location.state) {
    case 'empty':
      return emptyLines(location, database).join('\n');
    case 'newer':
      return [
        `newer than this build: revision ${location.version} is not known here, and the tables are MLflow's`,
        `this build knows MLflow up to ${atText(HEAD)}`,
        `next: ${UPDATE_MTRACK}`,
      ].join('\n');
    case 'foreign':
      return [`not MLflow's: ${foreignWords(location).found}`, `next: ${foreignWords(location).fix}`].join('\n');
    case 'unversioned':
      return [
        'tables of MLflow, but no version in alembic_version',
        location.fits.length > 0
          ? `the schema is that of ${location.fits.map(atText).join(' or ')}`
          : 'the schema is that of no revision',
        'next: restore the version, or the database, from a backup',
      ].join('\n');
    case 'at':
      return [...atLines(location), ...driftLines(location), ...nextLines(location, database)].join('\n');
  }
}

function emptyLines({ schema }: Extract<Location, { state: 'empty' }>, database: Database): string[] {
  const others = othersIn(schema);
  const upgrade = commandOf('db upgrade', database);
  if (database.absent) {
    return [
      `empty: there is no file ${database.target.database}`,
      'next: check the path in the store URI (sqlite:/// and a relative, sqlite://// and an absolute path)',
      `      or make it: ${upgrade}`,
    ];
  }
  if (others.length === 0) return ['empty: the database has no tables', `next: ${upgrade}   # makes the tables`];
  return [
    `empty: no table of MLflow's, but ${otherTables(others)}`,
    `next: check that this is the right database; then ${upgrade}   # makes the tables beside them`,
  ];
}

function nextLines(location: At, database: Database): string[] {
  if (location.partWay) return ['', `next: ${commandOf('db upgrade', database)}`];
  const next = location.revision === HEAD ? [] : [`next: ${commandOf('db upgrade', database, '--dry-run')}`];
  const drifted = codeOfLocation(location) === 'DRIFTED';
  const parent = between(BASE, location.revision).at(-1)?.parent ?? BASE;
  // Elsewhere a downgrade that is cut off leaves nothing behind.
  if (drifted && database.dialect.transaction === 'none')
    next.unshift(
      `or, where a downgrade was cut off, finish it: ${commandOf('db downgrade', database, '--to', parent)}`,
    );
  if (drifted) next.unshift('next: put these differences right, by hand or from a backup: no upgrade changes them');
  return next.length === 0 ? [] : ['', ...next];
}

type At = Extract<Location, { state: 'at' }>;

function atLines({ revision, partWay }: At): string[] {
  const pending = positionOf(HEAD) - positionOf(revision);
  if (partWay) {
    const MARKS = { done: 'done   ', mixed: 'begun  ', pending: 'pending', unknown: '       ' };
    const isNext = positionOf(partWay.revision.id) <= positionOf(revision) + 1;
    return [
      `part-way: at revision ${atText(revision)}, inside ${isNext ? 'the next one' : 'a later one'}, ${partWay.revision.id}`,
      `  ${partWay.revision.title}`,
      ...partWay.steps.map(({ title, progress }) => `    ${MARKS[progress]}  ${title}`),
      'an upgrade was cut off there; `mtrack db upgrade` finishes it, whichever tool began it',
    ];
  }
  return [
    `at revision ${atText(revision)}`,
    pending === 0
      ? 'this is the head: nothing to upgrade'
      : `${plural(pending, 'revision')} behind the head, ${atText(HEAD)}`,
  ];
}

function driftLines({ drift, revision }: At): string[] {
  const lines = (weight: Difference['weight'], heading: string) => {
    const some = drift.filter((each) => each.weight === weight);
    return some.length === 0 ? [] : ['', heading, ...some.map((each) => `  ${describeDifference(each)}`)];
  };
  return [
    ...lines('breaks', `the schema differs from that of ${revision}, in what MLflow or a later revision needs:`),
    ...lines('weakens', `the schema of ${revision} has this as well; without it MLflow works, slower or less guarded:`),
    ...lines('harmless', 'also there, and harmless:'),
  ];
}
