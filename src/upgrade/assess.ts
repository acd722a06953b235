/** What an upgrade to a target would be, and whether it could go ahead: read-only, all findings at once. */
import { isDeepStrictEqual } from 'node:util';
import type { Database, Finding, TableStats } from '../dialect/dialect.js';
import { alteredMeanwhile } from '../dialect/patience.js';
import type { Session } from '../dialect/session.js';
import { MtrackError } from '../errors.js';
import { describeDifference } from '../schema/diff.js';
import { BASE, HEAD, schemaAt } from '../schema/lineage.js';
import type { Require } from '../schema/operations.js';
import { type Consent, consentsNeeded } from './consent.js';
import { heavyTables, type Measured, stepsOf, tablesInPlan } from './cost.js';
import { othersIn, otherTables } from './foreign.js';
import { BASE_REVISION, copiedBy, type Location, locate } from './locate.js';
import { leftovers, type Plan, planUpgrade } from './plan.js';
import { type Start, startFrom } from './start.js';
import { brokenBy } from './steps.js';
import type { Watchings } from './watch.js';

export interface Assessment {
  readonly start: Start;
  readonly plan: Plan;
  readonly stats: ReadonlyMap<string, TableStats>;
  readonly consents: readonly Consent[];
  readonly findings: readonly Finding[];
  /** What this server was seen to do in each step, on tables without rows. */
  readonly watched?: Watchings;
  /** Of a rehearsal of this very plan, or of a sample of the rows. */
  readonly measured?: Measured;
}

/** Looks, while another upgrade alters what is looked at. */
const ATTEMPTS = 10;

/**
 * @param target a revision of the lineage
 * @returns null when the database is at the target already, which for the head takes one query
 * @throws {MtrackError} when the database is nothing that an upgrade can start from; LOCKED where others go on altering it
 */
export async function assess(database: Database, target: string, session: Session): Promise<Assessment | null> {
  const { dialect } = database;
  if (target === HEAD && (await isAtHead(session, database))) return null;
  for (let attempt = 1; ; attempt++) {
    const location = await locate(session, dialect);
    try {
      return await assessFrom(location, target, session, database);
    } catch (error) {
      // A table that was there may be gone by the time its rows are counted.
      if (error instanceof MtrackError || dialect.faultOf(error) !== 'other') throw error;
      if (isDeepStrictEqual(await locate(session, dialect), location)) throw error;
      if (attempt === ATTEMPTS) throw alteredMeanwhile(error);
    }
  }
}

async function assessFrom(
  location: Location,
  target: string,
  session: Session,
  database: Database,
): Promise<Assessment | null> {
  const { dialect } = database;
  const start = startFrom(location, target, database);
  if (start.state === 'at' && start.revision === target) return null;
  const plan = planUpgrade(start, target, dialect);
  const stats = await dialect.readStats(session, tablesInPlan(plan, start.schema));
  const operations = stepsOf(plan).map(({ operation }) => operation);
  const findings = await dialect.preflight(session, {
    schema: start.schema,
    stats,
    heavy: heavyTables(plan),
    createsTrigger: operations.some(({ op }) => op === 'createTrigger'),
    createsTables: operations.some(({ op }) => op === 'createTable'),
  });
  return {
    start,
    plan,
    stats,
    consents: await consentsNeeded(plan, start.schema, session, dialect),
    findings: [
      ...findings,
      ...(await leftoverFindings(start, session, database)),
      ...(await lostTables(start, session, database)),
      ...(await brokenConditions(plan, start, session, database)),
      ...(await longTransactions(session, database)),
      ...driftFindings(start),
      ...neighbourFindings(start),
    ],
  };
}

/** Seconds after which an open transaction is no request under way, but something that a lock will wait for. */
const LONG_SECONDS = 5;

/** Others that hold locks on tables here, since when: what a change of a table would wait for. */
async function longTransactions(session: Session, { dialect }: Database): Promise<Finding[]> {
  const all = await dialect.blockers(session).catch((error: unknown) => {
    // Who may not see the sessions of others is not told of them; who may not upgrade is told by the preflight.
    if (dialect.faultOf(error) === 'permission') return [];
    throw error;
  });
  const long = all.filter(({ sinceSeconds }) => (sinceSeconds ?? 0) >= LONG_SECONDS);
  return long.map(({ who, sinceSeconds, what }) => ({
    severity: 'warns',
    found: `${who} has had a transaction open for ${sinceSeconds} s: ${what}`,
    fix: 'end it, or wait for it: changes of the tables that it has used wait behind it, and everybody else behind them',
  }));
}

/** Why the upgrade cannot go ahead: all findings at once, each with its fix. Null when it can. */
export function refusalOf({ findings }: Assessment): MtrackError | null {
  const against = findings.filter(({ severity }) => severity === 'refuses');
  if (against.length === 0) return null;
  return new MtrackError('PREFLIGHT_FAILED', {
    found: against.map(({ found }) => found).join('\n'),
    expected: 'nothing that would make the upgrade fail half-way; nothing was changed',
    fix: against.map(({ fix }) => fix),
    details: { findings },
  });
}

/** Nothing can be begun after the head, so its version says it all. */
async function isAtHead(session: Session, { dialect }: Database): Promise<boolean> {
  const { id } = dialect.words;
  try {
    const rows = await session.rows<{ version_num: string }>(
      `SELECT ${id('version_num')} FROM ${id('alembic_version')}`,
    );
    return rows.length === 1 && rows[0]?.version_num === HEAD;
  } catch (error) {
    if (error instanceof MtrackError) throw error;
    // No such table, most likely: the full look that follows finds out, and reports what is wrong.
    return false;
  }
}

/** A copy with rows in it is not what a killed Alembic leaves: somebody should look before it is dropped. */
async function leftoverFindings(start: Start, session: Session, { dialect }: Database): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const table of leftovers(start.schema)) {
    const [row] = await session.rows<{ n: number | string }>(
      `SELECT ${dialect.words.count()} AS n FROM ${dialect.words.id(table)}`,
    );
    const n = Number(row?.n ?? 0);
    findings.push(
      n === 0
        ? {
            severity: 'warns',
            found: `${table} is an empty copy, left by an upgrade by MLflow that was killed`,
            fix: 'nothing to do: it is dropped at the start of the upgrade',
          }
        : {
            severity: 'refuses',
            found: `${table} is left over from another program and holds ${n} ${n === 1 ? 'row' : 'rows'}`,
            fix: `compare it with ${copiedBy(table)}, and drop it: DROP TABLE ${dialect.words.id(table)}`,
          },
    );
  }
  return findings;
}

/** Tables that are still to be made are missing only from a database that nobody has used yet. */
async function lostTables(start: Start, session: Session, { dialect }: Database): Promise<Finding[]> {
  if (start.state !== 'at' || start.partWay?.revision !== BASE_REVISION) return [];
  const [five, here] = [schemaAt(BASE, dialect.traits).tables, start.schema.tables];
  const used: string[] = [];
  for (const table of [...five.keys()].filter((name) => here.has(name))) {
    if ((await session.rows(dialect.firstOf(`SELECT 1 AS one FROM ${dialect.words.id(table)}`))).length > 0)
      used.push(table);
  }
  if (used.length === 0) return [];
  const missing = [...five.keys()].filter((name) => !here.has(name));
  return [
    {
      severity: 'refuses',
      found: `there is no table ${missing.join(', ')}, and there are rows in ${used.join(', ')}`,
      fix: `restore ${missing.join(', ')} from a backup`,
    },
  ];
}

/** Conditions on rows that can be checked now already: those on tables that no earlier step of the plan changes. */
async function brokenConditions(plan: Plan, start: Start, session: Session, { dialect }: Database): Promise<Finding[]> {
  const findings: Finding[] = [];
  const changed = new Set<string>();
  for (const { steps } of plan.revisions) {
    for (const { operation, tables } of steps) {
      if (operation.op !== 'require') {
        for (const table of tables) changed.add(table);
      } else if (checkableNow(operation, start, changed)) {
        const broken = await brokenBy(operation, session, dialect);
        if (broken) findings.push({ severity: 'refuses', found: broken.message, fix: operation.fix });
      }
    }
  }
  return findings;
}

function checkableNow(condition: Require, start: Start, changed: ReadonlySet<string>): boolean {
  return condition.reads.every((table) => start.schema.tables.has(table) && !changed.has(table));
}

function driftFindings(start: Start): Finding[] {
  if (start.state === 'empty') return [];
  return start.drift
    .filter(({ weight }) => weight !== 'harmless')
    .map((difference) => ({
      severity: 'warns',
      found: `${describeDifference(difference)}, before the upgrade already`,
      fix: 'nothing to do for the upgrade, which leaves it as it is; `mtrack db status` lists all differences',
    }));
}

/** A database with the tables of others, and none of MLflow's, may be the wrong one. */
function neighbourFindings(start: Start): Finding[] {
  const others = start.state === 'empty' ? othersIn(start.schema) : [];
  if (others.length === 0) return [];
  return [
    {
      severity: 'warns',
      found: `the database has no table of MLflow's, but ${otherTables(others)}`,
      fix: "check that it is the right one: MLflow's tables are made beside them",
    },
  ];
}
