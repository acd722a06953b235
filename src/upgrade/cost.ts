/** What the steps of a plan take: orders of magnitude, labelled as estimates wherever they show. */
import type { TableStats } from '../dialect/dialect.js';
import { writtenBy } from '../schema/describe.js';
import type { Schema } from '../schema/model.js';
import { isComputed } from '../schema/operations.js';
import type { Plan, Step } from './plan.js';

/** Rows per second on one core and a plain disk. */
const ROWS_PER_SECOND = { none: Number.POSITIVE_INFINITY, scan: 4_000_000, index: 800_000, rewrite: 300_000 } as const;
const BACKFILL_ROWS_PER_SECOND = 300_000;

export interface StepCost {
  /** Rows of the largest table concerned; null where none is there yet. */
  readonly rows: number | null;
  readonly estimatedSeconds: number;
}

/** Seconds that steps took when they were rehearsed. */
export type Measured = ReadonlyMap<Step, number>;

/** @param measured where the plan was rehearsed: then its times are no estimates */
export function costOf(step: Step, stats: ReadonlyMap<string, TableStats>, measured?: Measured): StepCost {
  const cost = estimateOf(step, stats);
  return { ...cost, estimatedSeconds: measured?.get(step) ?? cost.estimatedSeconds };
}

function estimateOf(step: Step, stats: ReadonlyMap<string, TableStats>): StepCost {
  const rowsOf = (table: string) => stats.get(table)?.rows ?? null;
  if (step.operation.op === 'backfill' || isComputed(step.operation)) {
    const rows = rowsOf(step.operation.over.table);
    return { rows, estimatedSeconds: (rows ?? 0) / BACKFILL_ROWS_PER_SECOND };
  }
  const known = step.tables.map(rowsOf).filter((rows) => rows !== null);
  const seconds = step.effects.reduce((sum, { table, work }) => sum + (rowsOf(table) ?? 0) / ROWS_PER_SECOND[work], 0);
  return { rows: known.length === 0 ? null : Math.max(...known), estimatedSeconds: seconds };
}

/** Seconds of work in the database, over all steps. */
export function estimatedSeconds(plan: Plan, stats: ReadonlyMap<string, TableStats>, measured?: Measured): number {
  return stepsOf(plan).reduce((sum, step) => sum + costOf(step, stats, measured).estimatedSeconds, 0);
}

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
