/**
 * What the steps of a plan take. Nothing is guessed: it is what was measured, or nothing where only the catalog changes,
 * or not known. Of small tables a bound is known that no server goes beyond.
 */
import type { TableStats } from '../dialect/dialect.js';
import { writtenBy } from '../schema/describe.js';
import type { Schema } from '../schema/model.js';
import { type Backfill, type DeriveRows, type DeriveValues, isComputed, type Operation } from '../schema/operations.js';
import type { Plan, Step } from './plan.js';
import { INSTANT, measuredTime, type Time, unknownTime } from './time.js';

export interface StepCost {
  /** Rows of the largest table concerned; null where none is there yet. */
  readonly rows: number | null;
  readonly time: Time;
}

/** What steps took when they were run, on the rows of a backup or, worked out from there, on a sample of the rows. */
export interface Measured {
  readonly basis: 'probed' | 'rehearsed';
  /** Seconds; a step that is not among them is not known. */
  readonly steps: ReadonlyMap<Step, number>;
  /** Seconds that the whole took beside its steps: before the first, between them and after the last. Null where not known. */
  readonly rest: number | null;
  /** Why a step is not among them; null where none is missing. */
  readonly lacks: string | null;
  /** Of a sample: how many rows of the largest table it had. */
  readonly sample?: { readonly table: string; readonly rows: number; readonly of: number };
}

/** A plan on a database. */
export interface Costed {
  readonly plan: Plan;
  readonly stats: ReadonlyMap<string, TableStats>;
  readonly measured?: Measured | undefined;
}

export interface Costs {
  of(step: Step): StepCost;
  /** What is done beside the steps, in a transaction that spans all of them. */
  readonly rest: Time;
}

export function costsOf({ plan, stats, measured }: Costed): Costs {
  const bounds = boundsOf(plan, stats);
  const timeOf = (step: Step): Time => {
    const seconds = measured?.steps.get(step);
    if (measured && seconds !== undefined) return measuredTime(seconds, measured.basis);
    const bound = bounds.steps.get(step);
    return bound === undefined ? INSTANT : unknownTime(bound);
  };
  const rest = () => {
    if (bounds.rest === 0) return INSTANT;
    return measured?.rest == null ? unknownTime(bounds.rest) : measuredTime(measured.rest, measured.basis);
  };
  return {
    of: (step) => ({ rows: largestOf(step, stats), time: timeOf(step) }),
    rest: rest(),
  };
}

function largestOf({ operation, tables }: Step, stats: Costed['stats']): number | null {
  const over = movesRows(operation) ? [operation.over.table] : tables;
  const known = over.flatMap((table) => stats.get(table)?.rows ?? []);
  return known.length === 0 ? null : Math.max(...known);
}

function movesRows(operation: Operation): operation is Backfill | DeriveRows | DeriveValues {
  return operation.op === 'backfill' || isComputed(operation);
}

// ---------------------------------------------------------------- bounds

/**
 * What any server is quicker than, where all of a table fits into its memory: ten times and more below what a single slow
 * core does. Each pass begins and ends with what one write to a slow disk takes.
 */
const SLOWEST = { rowsPerSecond: 10_000, bytesPerSecond: 10_000_000, perPass: 0.02 } as const;
/** Half of the 128 MB that MariaDB and PostgreSQL have where nothing was set. */
const IN_MEMORY = 64_000_000;
/** Rows that SQL makes of one; and no row is derived in TypeScript from fewer bytes. */
const MOST_MADE = 4;
const LEAST_BYTES = 16;

type Size = Pick<TableStats, 'rows' | 'bytes'>;

interface Bounds {
  /** Of each step that works through rows, in seconds; null where there is none. */
  readonly steps: ReadonlyMap<Step, number | null>;
  readonly rest: number | null;
}

function boundsOf(plan: Plan, stats: Costed['stats']): Bounds {
  const sizes = new Map<string, Size>([...stats].map(([table, { rows, bytes }]) => [table, { rows, bytes }]));
  const steps = new Map<Step, number | null>();
  for (const step of stepsOf(plan)) {
    const worked = workedThrough(step).flatMap((table) => sizes.get(table) ?? []);
    if (worked.some(({ rows }) => rows > 0)) steps.set(step, boundOf(worked));
    grow(sizes, step.operation);
  }
  const all = [...sizes.values()].filter(({ rows }) => rows > 0);
  return { steps, rest: all.length === 0 ? 0 : boundOf(all) };
}

function boundOf(passes: readonly Size[]): number | null {
  if (passes.some(({ bytes }) => bytes > IN_MEMORY)) return null;
  return passes.reduce(
    (sum, { rows, bytes }) => sum + SLOWEST.perPass + rows / SLOWEST.rowsPerSecond + bytes / SLOWEST.bytesPerSecond,
    0,
  );
}

/** A table for each time that a step reads or writes its rows. */
export function workedThrough({ operation, effects }: Step): readonly string[] {
  switch (operation.op) {
    case 'backfill':
      return [operation.over.table, ...(operation.reads ?? []), ...operation.writes];
    case 'deriveRows':
      return [operation.over.table, operation.into];
    case 'deriveValues':
      return [operation.over.table, ...operation.reads];
    case 'require':
      return operation.reads;
    default:
      return effects.filter(({ work }) => work !== 'none').map(({ table }) => table);
  }
}

/** Tables that the plan fills itself have rows for the steps that follow, at most as many as can be made of their source. */
function grow(sizes: Map<string, Size>, operation: Operation): void {
  if (!movesRows(operation)) return;
  const source = sizes.get(operation.over.table);
  if (!source || source.rows === 0) return;
  const made = isComputed(operation) ? source.bytes / LEAST_BYTES : source.rows * MOST_MADE;
  for (const table of writtenBy(operation)) {
    if (table === operation.over.table) continue;
    const before = sizes.get(table) ?? { rows: 0, bytes: 0 };
    sizes.set(table, { rows: before.rows + made, bytes: before.bytes + source.bytes });
  }
}

// ---------------------------------------------------------------- what a plan is of

/** The steps of a plan, in order. */
export function stepsOf(plan: Plan): Step[] {
  return plan.revisions.flatMap(({ steps }) => steps);
}

/** Tables of the live schema whose rows the plan reads, writes or copies. */
export function tablesInPlan(plan: Plan, live: Schema): string[] {
  return [...new Set(stepsOf(plan).flatMap(({ tables }) => tables))].filter((name) => live.tables.has(name));
}

/** Tables that are copied, or that indexes are built over. */
export function heavyTables(plan: Plan): string[] {
  const effects = stepsOf(plan).flatMap((step) => step.effects);
  return [...new Set(effects.filter(({ work }) => work === 'rewrite' || work === 'index').map(({ table }) => table))];
}

/** Tables whose rows the plan itself writes or deletes. */
export function tablesWritten(plan: Plan): Set<string> {
  return new Set(stepsOf(plan).flatMap(({ operation }) => writtenBy(operation)));
}

/** Tables that have fewer rows afterwards, as they should. */
export function tablesThinned(plan: Plan): Set<string> {
  return new Set(
    stepsOf(plan).flatMap(({ operation }) => (operation.op === 'backfill' ? (operation.removes ?? []) : [])),
  );
}
