/** What the steps of a plan may cost, by rule, and on what each number rests. */
import type { Dialect, Effect, TableStats } from '../dialect/dialect.js';
import { applies } from '../schema/fold.js';
import { schemaAt } from '../schema/lineage.js';
import { isComputed, type Operation } from '../schema/operations.js';
import { isBrief, transactionsOf } from './blocked.js';
import type { Consent } from './consent.js';
import { type Costs, costsOf, type Measured } from './cost.js';
import type { Plan, Step } from './plan.js';
import { RULES, type RuleId, type Severity } from './rules.js';
import { breaksServers } from './servers.js';
import { longest, sumOf, type Time } from './time.js';
import type { Watchings } from './watch.js';

/**
 * What a fact rests on: `counted` in this database, said by its statistics, `documented` by its vendor, `probed` on this
 * server, on tables without rows or, for seconds, on a sample of the rows; `rehearsed` on a restored backup. `unknown` is of
 * seconds, which are null then.
 */
export type Basis = 'counted' | 'statistics' | 'documented' | 'probed' | 'rehearsed' | 'unknown';

export interface Fact {
  readonly what: 'lock' | 'blocks' | 'rows' | 'bytes' | 'seconds' | 'rewrite';
  readonly value: string | number | boolean | null;
  readonly basis: Basis;
  /** Of seconds that are not known: what they do not go beyond, where that can be said. */
  readonly atMost?: number;
}

export interface Hazard {
  readonly rule: RuleId;
  readonly severity: Severity;
  /** The revision in whose turn it comes; null for the plan as a whole. */
  readonly revision: string | null;
  readonly step: string | null;
  readonly table: string | null;
  /** On this database, in a sentence. */
  readonly says: string;
  readonly facts: readonly Fact[];
}

export interface HazardContext {
  readonly plan: Plan;
  /** Empty where there is no database to ask: then all tables are taken to have rows. */
  readonly stats: ReadonlyMap<string, TableStats>;
  readonly dialect: Dialect;
  readonly consents: readonly Consent[];
  /** Whether `stats` tells of a database; false for a range of revisions alone. */
  readonly live: boolean;
  /** What the server was seen to do, where it was asked. */
  readonly watched?: Watchings | undefined;
  readonly measured?: Measured | undefined;
}

/** Whether a table may have rows when the plan begins: nobody waits for, or loses, what the plan itself makes. */
function mayHaveRows(table: string, { plan, stats, dialect, live }: HazardContext): boolean {
  return live ? (stats.get(table)?.rows ?? 0) > 0 : schemaAt(plan.from, dialect.traits).tables.has(table);
}

/** In the order of the plan; none of a database that is only being made. */
export function hazardsOf(context: HazardContext): Hazard[] {
  const { plan, dialect } = context;
  if (plan.initial || plan.revisions.length === 0) return [];
  const costs = costsOf(context);
  return [
    ...wholePlan(context),
    ...transactionsOf(plan, dialect).flatMap((transaction) =>
      transaction.flatMap(({ revision, step }, at) => {
        const rest = transaction.slice(at + 1).map((turn) => turn.step);
        return stepHazards(revision, step, rest, { ...context, costs });
      }),
    ),
    ...irreversible(context),
  ];
}

// ---------------------------------------------------------------- the plan as a whole

function wholePlan({ plan, dialect }: HazardContext): Hazard[] {
  const whole = (rule: RuleId, says: string): Hazard => ({
    rule,
    severity: RULES[rule].severity,
    revision: null,
    step: null,
    table: null,
    says,
    facts: [],
  });
  return [
    ...(dialect.transaction === 'upgrade'
      ? [whole('MTK006', 'the upgrade is one transaction on the whole database')]
      : []),
    ...(dialect.transaction === 'none' ? [whole('MTK007', 'each change of the schema commits by itself here')] : []),
    whole('MTK015', `servers whose own head is not ${plan.to} do not start on the database afterwards`),
  ];
}

/** With a database: what is to be agreed to there. Without: whatever can lose something somewhere. */
function irreversible({ plan, consents, live }: HazardContext): Hazard[] {
  const hazard = (revision: string, says: string, rows: readonly Consent['facts'][number][]): Hazard => ({
    rule: 'MTK010',
    severity: 'error',
    revision,
    step: null,
    table: null,
    says,
    facts: rows.map(({ n }) => ({ what: 'rows', value: n, basis: 'counted' })),
  });
  if (live) {
    return consents.map(({ revision, because, facts }) =>
      hazard(revision, [because, ...facts.map(({ label, n }) => `${n} ${label}`)].join('; '), facts),
    );
  }
  return plan.revisions.flatMap(({ revision }) =>
    revision.irreversible ? [hazard(revision.id, revision.irreversible.because, [])] : [],
  );
}

// ---------------------------------------------------------------- steps

interface StepContext extends HazardContext {
  readonly costs: Costs;
}

function stepHazards(revision: string, step: Step, rest: readonly Step[], context: StepContext): Hazard[] {
  return [
    ...step.effects.flatMap((effect) => effectHazards(revision, step, effect, rest, context)),
    ...operationHazards(revision, step, context),
  ];
}

function effectHazards(
  revision: string,
  step: Step,
  effect: Effect,
  rest: readonly Step[],
  context: StepContext,
): Hazard[] {
  const { stats, live, dialect, costs } = context;
  const { table, lock, blocks, work } = effect;
  const found = stats.get(table);
  // A lock on a table that is new or empty is over at once.
  if (!mayHaveRows(table, context)) return [];
  const { time } = costs.of(step);
  const seen = context.watched?.get(step)?.find((each) => each.table === table);
  const basis = seen?.lock === lock ? 'probed' : 'documented';
  const facts: Fact[] = [
    { what: 'lock', value: lock, basis },
    { what: 'blocks', value: blocks, basis },
    ...(found ? [{ what: 'rows', value: found.rows, basis: found.exact ? 'counted' : 'statistics' } as const] : []),
    ...(live ? [secondsOf(time)] : []),
  ];
  const on = (rule: RuleId, severity: Severity, says: string, more: readonly Fact[] = []): Hazard => ({
    rule,
    severity,
    revision,
    step: step.title,
    table,
    says,
    facts: [...facts, ...more],
  });
  const hazards: Hazard[] = [];
  const whole = dialect.transaction === 'upgrade';
  // Where the whole database is locked anyway, the lock of a single step says nothing more.
  if (!whole && work !== 'none' && blocks !== 'nothing') {
    const rule = blocks === 'reads and writes' ? 'MTK001' : 'MTK002';
    hazards.push(
      on(rule, graded(RULES[rule].severity, time, live), `${blocks} of ${table} wait while ${WORK[work](table)}`),
    );
  }
  if (!whole && isBrief(effect)) {
    const after = sumOf(rest.map((each) => costs.of(each).time));
    const works = rest.some(worksOnRows);
    hazards.push(
      works
        ? on('MTK005', graded('warning', after, live), `${blocks} of ${table} wait until ${revision} is committed`)
        : on('MTK003', 'note', `${blocks} of ${table} wait for a moment`),
    );
  }
  if (work === 'rewrite') {
    const bytes = found ? [{ what: 'bytes', value: found.bytes, basis: 'statistics' } as const] : [];
    hazards.push(
      on('MTK004', graded('warning', time, live), `${table} is written again whole`, [
        { what: 'rewrite', value: true, basis: seen?.rewritten ? 'probed' : 'documented' },
        ...bytes,
      ]),
    );
  }
  return hazards;
}

const WORK: Readonly<Record<Exclude<Effect['work'], 'none'>, (table: string) => string>> = {
  scan: (table) => `${table} is read`,
  index: () => 'an index is built over it',
  rewrite: () => 'it is written again',
};

const worksOnRows = ({ operation, effects }: Step) =>
  operation.op === 'backfill' || isComputed(operation) || effects.some(({ work }) => work !== 'none');

/** What is over in less than this is not felt. */
const FELT_SECONDS = 1;

/** Seconds that nobody would notice make a note of whatever it is; without a database it may be any number of rows. */
const graded = (severity: Severity, time: Time, live: boolean): Severity =>
  live && longest(time) < FELT_SECONDS ? 'note' : severity;

const secondsOf = ({ seconds, atMost, basis }: Time): Fact => ({
  what: 'seconds',
  value: seconds === null ? null : round(seconds),
  basis,
  ...(seconds === null && atMost !== null && { atMost: round(atMost) }),
});

function operationHazards(revision: string, step: Step, context: StepContext): Hazard[] {
  const { dialect, stats } = context;
  const { operation } = step;
  const cost = context.costs.of(step);
  const isCounted = step.tables.every((table) => stats.get(table)?.exact ?? true);
  const of = (rule: RuleId, severity: Severity, table: string | null, says: string): Hazard => ({
    rule,
    severity,
    revision,
    step: step.title,
    table,
    says,
    facts: cost.rows === null ? [] : [{ what: 'rows', value: cost.rows, basis: isCounted ? 'counted' : 'statistics' }],
  });
  const hasRows = (table: string) => mayHaveRows(table, context);
  // Servers that are older than a table do not use it.
  const known = step.tables.some((table) => schemaAt(context.plan.from, dialect.traits).tables.has(table));
  const broken = (known ? breaksServers(operation, dialect.traits) : []).map((why) =>
    of('MTK014', 'error', step.tables[0] ?? null, `servers of an older release fail: ${why}`),
  );
  return [...broken, ...changeHazards(operation, of, hasRows, dialect)];
}

function changeHazards(
  operation: Operation,
  of: (rule: RuleId, severity: Severity, table: string | null, says: string) => Hazard,
  hasRows: (table: string) => boolean,
  { traits }: Dialect,
): Hazard[] {
  switch (operation.op) {
    case 'alterTable': {
      const { table } = operation;
      const changes = operation.changes.filter((change) => applies(change, traits));
      return changes.flatMap((change) => {
        if (change.change === 'dropColumn')
          return hasRows(table) ? [of('MTK011', 'warning', table, `${table}.${change.name} goes`)] : [];
        const refuses =
          change.change === 'addUnique' ||
          change.change === 'addForeignKey' ||
          change.change === 'addCheck' ||
          (change.change === 'alterColumn' && change.to.nullable === false);
        return refuses && hasRows(table)
          ? [of('MTK013', 'note', table, `a condition is new for the rows of ${table}`)]
          : [];
      });
    }
    case 'require':
      return operation.reads.some(hasRows)
        ? [of('MTK013', 'warning', operation.reads[0] ?? null, operation.title)]
        : [];
    case 'backfill':
    case 'deriveRows':
    case 'deriveValues':
      return hasRows(operation.over.table) ? [of('MTK012', 'note', operation.over.table, operation.title)] : [];
    case 'createTrigger':
      return [of('MTK016', 'note', operation.trigger.table, `a trigger on ${operation.trigger.table} is made`)];
    case 'createTable':
    case 'dropTable':
    case 'dropTrigger':
    case 'insertRow':
      return [];
  }
}

const round = (seconds: number) => Number(seconds.toFixed(3));
