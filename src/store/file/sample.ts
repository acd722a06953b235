/**
 * Points of histories, sampled as MLflow's file store samples them: steps at even distances out of all that any of the runs
 * has, and the first and the last of each run; then points at even distances out of those of a run at these steps.
 */
import type { Metric } from '../records.js';

interface Range {
  readonly start_step?: number | undefined;
  readonly end_step?: number | undefined;
}

/** @param histories of one run each */
export function sampled<Point extends Metric>(
  histories: readonly (readonly Point[])[],
  maxResults: number,
  range: Range,
): Point[] {
  const most = Math.max(1, maxResults);
  const steps = sampledSteps(
    histories.map((points) => points.map(({ step }) => step)),
    most,
    range,
  );
  const mostOfRun = Math.max(most, steps.size);
  return histories.flatMap((history) => {
    const points = history.filter(({ step }) => steps.has(step));
    points.sort((one, other) => one.step - other.step || one.timestamp - other.timestamp);
    return evenly(points.length, mostOfRun).flatMap((at) => points[at] ?? []);
  });
}

function sampledSteps(ofRuns: readonly (readonly number[])[], most: number, range: Range): ReadonlySet<number> {
  const all = [...new Set(ofRuns.flat())].sort((one, other) => one - other);
  const from = range.start_step ?? 0;
  const to = range.end_step ?? all.at(-1) ?? 0;
  const within = all.filter((step) => step >= from && step <= to);
  const ends = ofRuns.flatMap(endsOf).filter((step) => step >= from && step <= to);
  if (within.length <= most) return new Set([...within, ...ends]);
  const distance = within.length / most;
  const chosen = Array.from({ length: most }, (_, at) => within[Math.trunc(at * distance)]);
  return new Set([...chosen, within.at(-1), ...ends].filter((step) => step !== undefined));
}

function endsOf(steps: readonly number[]): number[] {
  if (steps.length === 0) return [];
  const sorted = steps.toSorted((one, other) => one - other);
  return [sorted[0] ?? 0, sorted.at(-1) ?? 0];
}

/** At most so many places out of a number of them, the first and the last with them. */
function evenly(total: number, most: number): number[] {
  if (total <= most) return Array.from({ length: total }, (_, at) => at);
  if (most === 1) return [total - 1];
  const distance = (total - 1) / (most - 1);
  const places = Array.from({ length: most }, (_, at) => halfToEven(at * distance));
  return [...new Set(places)].sort((one, other) => one - other);
}

/** As Python rounds. */
function halfToEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
