/** The points in a metric file. */
import { Unreadable } from './damage.js';
import { isLater, type Point } from './metric-lines.js';

/** Lines that are wrong are left out, and told of. */
export interface Series {
  /** In the order of the file. */
  readonly points: readonly Point[];
  readonly bad: readonly Unreadable[];
  /** False where the last line has no end: it may still be written. */
  readonly whole: boolean;
}

/** @throws {Unreadable} for an empty file */
export function readSeries(text: string, parseLine: (line: string) => Point): Series {
  if (text === '') throw new Unreadable('is empty, where points of a metric should be');
  const points: Point[] = [];
  const bad: Unreadable[] = [];
  let number = 0;
  for (const line of linesOf(text)) {
    number += 1;
    try {
      points.push(parseLine(line));
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      bad.push(new Unreadable(error.message, number));
    }
  }
  return { points, bad, whole: text.endsWith('\n') };
}

function* linesOf(text: string): Generator<string> {
  let start = 0;
  while (start < text.length) {
    const end = text.indexOf('\n', start);
    yield text.slice(start, end === -1 ? undefined : end);
    start = end === -1 ? text.length : end + 1;
  }
}

/** The point of the largest step, then time, then value. */
export function latestOf(points: readonly Point[]): Point | undefined {
  let latest: Point | undefined;
  for (const point of points) {
    if (latest === undefined || isLater(point, latest)) latest = point;
  }
  return latest;
}

/** The latest for each dataset, in the order in which these come first. */
export function latestByDataset(points: readonly Point[]): Point[] {
  const latest = new Map<string, Point>();
  for (const point of points) {
    const dataset = JSON.stringify([point.dataset_name, point.dataset_digest]);
    const found = latest.get(dataset);
    if (found === undefined || isLater(point, found)) latest.set(dataset, point);
  }
  return [...latest.values()];
}
