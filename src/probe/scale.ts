/** From what the steps of a plan took on samples to what they take on all rows. */
import { writtenBy } from '../schema/describe.js';
import { isComputed } from '../schema/operations.js';
import { type Measured, stepsOf, workedThrough } from '../upgrade/cost.js';
import type { Plan, Step } from '../upgrade/plan.js';
import { named } from '../upgrade/watch.js';
import type { RowCounts } from './sample.js';

/** A sample, and what the plan took on it. */
export interface Trial {
  readonly rows: RowCounts;
  /** Seconds by the name of the step. */
  readonly steps: ReadonlyMap<string, number>;
  /** Seconds beside the steps. */
  readonly rest: number;
}

/** The tables of the database that a sample is of. */
export interface Whole {
  readonly rows: RowCounts;
  readonly bytes: ReadonlyMap<string, number>;
  /** Bytes of tables that are kept in memory. */
  readonly memory: number;
}

/** What was timed on a smaller part of a table says nothing of the whole. */
const MOST_TIMES = 25;

/**
 * The share of a table that is as large as the memory; 0 of one that fits into it with its copy, and is as quickly read and
 * written as its sample is.
 */
export function shareBeyondMemory(table: string, { bytes, memory }: Whole): number {
  const size = bytes.get(table) ?? 0;
  return 2 * size <= memory ? 0 : Math.min(1, memory / size);
}

/** @param trials on samples, the smaller one first */
export function scaled(plan: Plan, whole: Whole, trials: readonly Trial[]): Measured {
  const { rows } = whole;
  const drivers = driversOf(plan, rows);
  const steps = new Map<Step, number>();
  const lacks = new Set<string>();
  for (const [step, name] of named(stepsOf(plan))) {
    const table = drivers.get(step);
    if (table === undefined) continue;
    const why = whyNot(table, whole, trials);
    const seconds = scaledTo(table, rows, trials, growthOf(step), ({ steps }) => steps.get(name));
    if (why !== null) lacks.add(why);
    else if (seconds !== null) steps.set(step, seconds);
  }
  const largest = [...rows].reduce((most, each) => (each[1] > most[1] ? each : most), ['', 0] as const)[0];
  const isShort = whyNot(largest, whole, trials) !== null;
  return {
    basis: 'probed',
    steps,
    rest: isShort ? null : scaledTo(largest, rows, trials, linear, ({ rest }) => rest),
    lacks: lacks.size === 0 ? null : [...lacks].join(', and '),
    sample: { table: largest, rows: sampled(largest, trials), of: rows.get(largest) ?? 0 },
  };
}

const sampled = (table: string, trials: readonly Trial[]) =>
  Math.max(0, ...trials.map(({ rows }) => rows.get(table) ?? 0));

/** Why a sample says nothing of a table; null where it does. */
function whyNot(table: string, whole: Whole, trials: readonly Trial[]): string | null {
  const share = sampled(table, trials) / Math.max(1, whole.rows.get(table) ?? 0);
  if (share * MOST_TIMES < 1) return `the sample is too small a part of ${table}`;
  // Nearly is enough: how many bytes a table has is known about.
  if (share < 0.8 * shareBeyondMemory(table, whole))
    return `${table} is larger than the memory of the server, and the sample is not`;
  return null;
}

function scaledTo(
  table: string,
  rows: RowCounts,
  trials: readonly Trial[],
  growth: Growth,
  secondsOf: (trial: Trial) => number | undefined,
): number | null {
  const points = trials.flatMap((trial): Point[] => {
    const [n, seconds] = [trial.rows.get(table) ?? 0, secondsOf(trial)];
    return n === 0 || seconds === undefined ? [] : [{ work: growth(n), seconds }];
  });
  return extrapolated(points, growth(rows.get(table) ?? 0));
}

/** How work grows with rows. */
type Growth = (rows: number) => number;
const linear: Growth = (rows) => rows;
/** Rows are sorted, or find their places in an index one by one. */
const sorting: Growth = (rows) => rows * Math.log2(rows + 1);

/** Reading alone is linear; whatever writes rows keeps the indexes over them, and what moves rows groups them, or looks others up. */
function growthOf({ operation, effects }: Step): Growth {
  if (operation.op === 'require') return linear;
  if (operation.op !== 'alterTable') return sorting;
  return effects.some(({ work }) => work === 'index' || work === 'rewrite') ? sorting : linear;
}

interface Point {
  readonly work: number;
  readonly seconds: number;
}

/** What does not grow, and what does, from a small sample and a large one; without the small one, all of it grows. */
function extrapolated(points: readonly Point[], work: number): number | null {
  const most = Math.max(0, ...points.map((point) => point.work));
  // Of the same sample timed twice the shorter time: the other one is of whatever else ran then.
  const [large] = points.filter((point) => 2 * point.work > most).sort((a, b) => a.seconds - b.seconds);
  if (!large) return null;
  const small = points.find((point) => 2 * point.work <= most) ?? { work: 0, seconds: 0 };
  const slope = Math.max(0, (large.seconds - small.seconds) / (large.work - small.work));
  const fixed = Math.max(0, large.seconds - slope * large.work);
  return fixed + slope * work;
}

/** The table that the time of a step grows with: of those that it works through, the one with the most rows in the database. */
export function driversOf(plan: Plan, rows: RowCounts): Map<Step, string> {
  /** Tables that the plan itself fills grow with their source. */
  const sources = new Map<string, string>();
  const drivers = new Map<Step, string>();
  const sourceOf = (table: string) => sources.get(table) ?? table;
  for (const step of stepsOf(plan)) {
    const worked = workedThrough(step)
      .map(sourceOf)
      .filter((table) => (rows.get(table) ?? 0) > 0);
    const [first, ...others] = worked;
    if (first === undefined) continue;
    drivers.set(
      step,
      others.reduce((most, each) => ((rows.get(each) ?? 0) > (rows.get(most) ?? 0) ? each : most), first),
    );
    const { operation } = step;
    if (operation.op !== 'backfill' && !isComputed(operation)) continue;
    for (const table of writtenBy(operation)) {
      if ((rows.get(table) ?? 0) === 0) sources.set(table, sourceOf(operation.over.table));
    }
  }
  return drivers;
}
