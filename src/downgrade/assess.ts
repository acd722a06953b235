/** What a downgrade to a target would be, what it would lose, and whether it could go ahead: read-only. */
import { createHash } from 'node:crypto';
import type { Database, Finding, TableStats } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import { MtrackError } from '../errors.js';
import { describeDifference } from '../schema/diff.js';
import { inverseOf } from '../schema/inverse.js';
import { BASE, between, positionOf, releasesOf, schemaAt } from '../schema/lineage.js';
import { probe } from '../schema/probe.js';
import { commandOf } from '../upgrade/command.js';
import { heavyTables, tablesInPlan } from '../upgrade/cost.js';
import { foreignWords } from '../upgrade/foreign.js';
import { type Location, locate } from '../upgrade/locate.js';
import type { Plan } from '../upgrade/plan.js';
import { type Loss, lossesOf, type Obstacle } from './losses.js';
import { type Beginning, planDowngrade, tablesChanged } from './plan.js';

export interface Downgrade {
  readonly start: Beginning;
  readonly plan: Plan;
  readonly stats: ReadonlyMap<string, TableStats>;
  readonly losses: readonly Loss[];
  readonly obstacles: readonly Obstacle[];
  readonly findings: readonly Finding[];
  /** Of the plan and of what it loses: an agreement to one is none to another, nor to more rows. */
  readonly hash: string;
}

/**
 * @param target a revision of the lineage
 * @returns null when the database is at the target
 * @throws {MtrackError} when the database is nothing that a downgrade can start from, or a revision on the way has no way back
 */
export async function assessDowngrade(database: Database, target: string, session: Session): Promise<Downgrade | null> {
  const { dialect } = database;
  const start = beginningOf(await locate(session, dialect), target, database);
  if (start.revision === target) return null;
  refuseCutOff(start, target, database);
  refuseNever(start.revision, target);
  const plan = planDowngrade(start, target, dialect);
  refuseDrift(start, target, database);
  const stats = await dialect.readStats(session, tablesInPlan(plan, start.schema));
  const { losses, obstacles } = await lossesOf(start.revision, target, start.schema, session, dialect);
  const findings = await dialect.preflight(session, {
    schema: start.schema,
    stats,
    heavy: heavyTables(plan),
    createsTrigger: false,
    createsTables: false,
  });
  const hash = createHash('sha256')
    .update(JSON.stringify([plan.hash, losses]))
    .digest('hex')
    .slice(0, 16);
  return { start, plan, stats, losses, obstacles, findings, hash };
}

/** @throws {MtrackError} when the database is nothing that a downgrade can start from */
export function beginningOf(location: Location, target: string, database: Database): Beginning {
  const look = commandOf('db status', database);
  switch (location.state) {
    case 'empty':
      throw new MtrackError('DATABASE_EMPTY', {
        found: 'the database has no tables of MLflow',
        expected: `a database at a revision after ${target}`,
        fix: ['check the store URI', look],
      });
    case 'newer':
      throw new MtrackError('DATABASE_NEWER', {
        found: `revision ${location.version}, which this build does not know`,
        expected: 'a revision that is known, and so what it did',
        fix: ['restore a backup from before the upgrade', look],
      });
    case 'foreign':
      throw new MtrackError('DATABASE_FOREIGN', { ...foreignWords(location), fix: [foreignWords(location).fix, look] });
    case 'unversioned':
      throw new MtrackError('UNVERSIONED', {
        found: 'tables of MLflow, but no version',
        expected: 'a row in alembic_version',
        fix: [look],
      });
    case 'at':
      return atOrAfter(location, target, database);
  }
}

function atOrAfter(location: Beginning, target: string, database: Database): Beginning {
  const { revision, partWay } = location;
  if (positionOf(revision) < positionOf(target)) {
    throw new MtrackError('UPGRADE_PENDING', {
      found: `revision ${revision}, which comes before the target, ${target}`,
      expected: `the target, or a revision after it`,
      fix: [commandOf('db upgrade', database, '--to', target)],
    });
  }
  if (partWay) {
    throw new MtrackError('PART_WAY', {
      found: `revision ${revision}, and an upgrade that was cut off inside ${partWay.revision.id}`,
      expected: 'an upgrade that is finished: what half of one has moved cannot be told',
      fix: [`finish it: ${commandOf('db upgrade', database, '--to', partWay.revision.id)}`, 'then downgrade'],
    });
  }
  return location;
}

/**
 * A downgrade that was cut off inside a revision is finished before it goes further: what goes further is written to a
 * side file, which is of a revision, and half of one is none.
 * @throws {MtrackError} PART_WAY
 */
function refuseCutOff({ revision, schema }: Beginning, target: string, database: Database): void {
  const { dialect } = database;
  const [last] = between(BASE, revision).slice(-1);
  const parent = last?.parent ?? BASE;
  if (dialect.transaction !== 'none' || !last || target === parent) return;
  const whole = schemaAt(revision, dialect.traits);
  const begun = inverseOf(last, dialect)
    .map((operation) => probe(operation, schema, whole, dialect))
    .some((progress) => progress === 'done' || progress === 'mixed');
  if (!begun) return;
  throw new MtrackError('PART_WAY', {
    found: `revision ${revision}, and a downgrade that was cut off inside it`,
    expected: `a downgrade to ${parent} first, which finishes it`,
    fix: [commandOf('db downgrade', database, '--to', parent), `then go on to ${target}`],
    details: { finish: parent },
  });
}

/** @throws {MtrackError} CANNOT_BE_UNDONE */
function refuseNever(from: string, target: string): void {
  const never = between(target, from).filter(({ undo }) => undo?.never !== undefined);
  if (never.length === 0) return;
  const latest = never.at(-1)?.id ?? from;
  throw new MtrackError('CANNOT_BE_UNDONE', {
    found: never.map(({ id, title, undo }) => `${id} (${title}): ${undo?.never}`).join('\n'),
    expected: `a target from ${latest}${releasesOf(latest) ? ` (MLflow ${releasesOf(latest)})` : ''} on`,
    fix: ['name a later target with --to', 'to go back further, restore a backup'],
  });
}

/**
 * What a downgrade that was cut off has changed already is no drift: that can only be where statements commit by
 * themselves. Anything else should be looked at first.
 */
function refuseDrift({ drift, revision }: Beginning, target: string, database: Database): void {
  const changed = tablesChanged(revision, target, database.dialect);
  const between = drift.filter(({ weight, table }) => weight === 'breaks' && !changed.has(table));
  if (between.length === 0) return;
  throw new MtrackError('DRIFTED', {
    found: between.map(describeDifference).join('\n'),
    expected: `the schema of revision ${revision}`,
    fix: ['put these differences right, by hand or from a backup', commandOf('db status', database)],
    details: { differences: drift },
  });
}

/** Why a downgrade cannot be begun; null when it can. */
export function refusalOf({ obstacles, findings, plan }: Downgrade): MtrackError | null {
  const against = findings.filter(({ severity }) => severity === 'refuses');
  if (obstacles.length > 0) {
    return new MtrackError('CANNOT_BE_UNDONE', {
      found: obstacles.map(({ rows, why }) => `${rows} ${rows === 1 ? 'time' : 'times'}: ${why}`).join('\n'),
      expected: `rows that the schema of ${plan.to} can hold; nothing was changed`,
      fix: [...obstacles.map(({ fix }) => fix), 'or name a later target with --to'],
      details: { obstacles },
    });
  }
  if (against.length === 0) return null;
  return new MtrackError('PREFLIGHT_FAILED', {
    found: against.map(({ found }) => found).join('\n'),
    expected: 'nothing that would make the downgrade fail half-way; nothing was changed',
    fix: against.map(({ fix }) => fix),
    details: { findings },
  });
}
