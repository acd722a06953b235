/** Everything that speaks for looking before an upgrade, as findings by rule: of a database, or of a range of revisions. */
import type { Database, Dialect } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import { describeDifference } from '../schema/diff.js';
import { HEAD, positionOf } from '../schema/lineage.js';
import { type Assessment, assess } from './assess.js';
import { foreignWords } from './foreign.js';
import { type Hazard, hazardsOf } from './hazards.js';
import { type Location, locate } from './locate.js';
import { RULES, type RuleId, type Severity } from './rules.js';
import { planOffline } from './script.js';

export interface CheckFinding extends Hazard {
  /** What to do: of the finding where it has its own, else the rule's. */
  readonly todo: string;
}

export interface Checked {
  /** Null for a range of revisions. */
  readonly location: Location | null;
  readonly from: string | null;
  readonly to: string;
  /** How many revisions are between the two. */
  readonly pending: number;
  /** Null where no upgrade is to be planned. */
  readonly assessment: Assessment | null;
  readonly findings: readonly CheckFinding[];
}

/** Reads only. @param target a revision of the lineage */
export async function checkDatabase(database: Database, target: string, session: Session): Promise<Checked> {
  const location = await locate(session, database.dialect);
  const revision = location.state === 'at' ? location.revision : null;
  const isBeyond = revision !== null && positionOf(revision) > positionOf(target);
  const isPending = location.state === 'at' && !isBeyond && (revision !== target || location.partWay !== null);
  const lacks =
    location.state === 'at' && location.drift.some(({ kind, weight }) => kind === 'missing' && weight === 'breaks');
  // A schema that lacks what later revisions count on has no plan; its differences say why.
  const assessment = isPending && !lacks ? await assess(database, target, session) : null;
  return {
    location,
    from: revision,
    to: target,
    pending: revision === null ? 0 : Math.max(0, positionOf(target) - positionOf(revision)),
    assessment,
    findings: [
      ...stateFindings(location, target, isBeyond),
      ...(assessment ? assessedFindings(assessment, database.dialect) : []),
    ],
  };
}

/** Judged without a database: on any that is at `from`. @param from @param to revisions of the lineage */
export function checkRange(from: string, to: string, dialect: Dialect): Checked {
  const plan = planOffline(from, to, dialect);
  const hazards = hazardsOf({ plan, stats: new Map(), dialect, consents: [], live: false });
  return {
    location: null,
    from,
    to,
    pending: plan.revisions.length,
    assessment: null,
    findings: hazards.map(withTodo),
  };
}

/** Of an upgrade that was assessed: its hazards, and what the preflight found. */
export function assessedFindings(assessment: Assessment, dialect: Dialect): CheckFinding[] {
  const { plan, stats, consents, findings, watched, measured } = assessment;
  return [
    ...findings.map(({ severity, found, fix }) =>
      severity === 'refuses' ? finding('MTK109', found, { todo: fix }) : finding('MTK110', found, { todo: fix }),
    ),
    ...hazardsOf({ plan, stats, dialect, consents, live: true, watched, measured }).map(withTodo),
  ];
}

function withTodo(hazard: Hazard): CheckFinding {
  return { ...hazard, todo: RULES[hazard.rule].todo };
}

function finding(
  rule: RuleId,
  says: string,
  more: { readonly todo?: string; readonly severity?: Severity; readonly table?: string } = {},
): CheckFinding {
  return {
    rule,
    severity: more.severity ?? RULES[rule].severity,
    revision: null,
    step: null,
    table: more.table ?? null,
    says,
    facts: [],
    todo: more.todo ?? RULES[rule].todo,
  };
}

function stateFindings(location: Location, target: string, isBeyond: boolean): CheckFinding[] {
  switch (location.state) {
    case 'empty':
      return [finding('MTK103', 'the database has no tables of MLflow')];
    case 'newer':
      return [finding('MTK104', `revision ${location.version} is not known here; the newest that is known is ${HEAD}`)];
    case 'foreign':
      return [finding('MTK105', foreignWords(location).found, { todo: foreignWords(location).fix })];
    case 'unversioned':
      return [
        finding(
          'MTK106',
          `tables of MLflow without a version; the schema is that of ${location.fits.join(' or ') || 'no revision'}`,
        ),
      ];
    case 'at':
      return atFindings(location, target, isBeyond);
  }
}

function atFindings(location: Extract<Location, { state: 'at' }>, target: string, isBeyond: boolean): CheckFinding[] {
  const { revision, partWay, drift } = location;
  const pending = positionOf(target) - positionOf(revision);
  return [
    ...(partWay ? [finding('MTK102', `at revision ${revision}, inside ${partWay.revision.id}`)] : []),
    ...(isBeyond ? [finding('MTK104', `revision ${revision} is beyond the target, ${target}`)] : []),
    ...(pending > 0 ? [finding('MTK101', `revision ${revision} is ${pending} behind ${target}`)] : []),
    ...drift
      .filter(({ weight }) => weight !== 'harmless')
      .map((each) =>
        finding(each.weight === 'breaks' ? 'MTK107' : 'MTK108', describeDifference(each), { table: each.table }),
      ),
  ];
}
