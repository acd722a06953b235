/** Where a database is, for people, and the exit status that says the same to a script. */
import type { Database } from '../../dialect/dialect.js';
import type { FailureCode } from '../../errors.js';
import { describeDifference } from '../../schema/diff.js';
import { HEAD, positionOf } from '../../schema/lineage.js';
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

export function locationText(
  location: Location,
  { shown, absent, target }: Pick<Database, 'shown' | 'absent' | 'target'>,
): string {
  const upgrade = `next: mtrack db upgrade ${shown} --dry-run`;
  switch (location.state) {
    case 'empty':
      return [
        absent ? `empty: there is nothing at ${target.database}` : "empty: no table of MLflow's",
        `next: mtrack db upgrade ${shown}   (makes the tables)`,
      ].join('\n');
    case 'newer':
      return [
        `newer than this build: revision ${location.version} is not known here, and the tables are MLflow's`,
        `this build knows MLflow up to ${atText(HEAD)}`,
        'next: npm install -g mtrack@latest',
      ].join('\n');
    case 'foreign':
      return [
        `not MLflow's: alembic_version says ${location.versions.join(', ')}, which is of ${location.owner}`,
        'next: check the store URI',
      ].join('\n');
    case 'unversioned':
      return [
        'tables of MLflow, but no version in alembic_version',
        location.fits.length > 0
          ? `the schema is that of ${location.fits.map(atText).join(' or ')}`
          : 'the schema is that of no revision',
        'next: restore the version, or the database, from a backup',
      ].join('\n');
    case 'at':
      return [
        ...atLines(location),
        ...driftLines(location),
        ...(codeOfLocation(location) === null ? [] : ['', upgrade]),
      ].join('\n');
  }
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
  const worse = drift.filter(({ weight }) => weight !== 'harmless');
  const harmless = drift.filter(({ weight }) => weight === 'harmless');
  return [
    ...(worse.length === 0
      ? []
      : ['', `the schema differs from that of ${revision}:`, ...worse.map((each) => `  ${describeDifference(each)}`)]),
    ...(harmless.length === 0
      ? []
      : ['', 'also there, and harmless:', ...harmless.map((each) => `  ${describeDifference(each)}`)]),
  ];
}
