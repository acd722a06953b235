/**
 * Files of a store that others may be writing at this moment: one that is not whole, and was written to just now, is looked
 * at again, until it is whole or has been left alone.
 */
import { join } from 'node:path';
import { Damage, disk, type Files, isFresh, type Point, type Report } from '../../store/file/reader.js';

export const steady: Files = {
  read: (path, decode) => settled(() => disk.read(path, decode)),
  tree: (folder, decode) => {
    const found = new Map(disk.tree(folder, decode));
    for (const [name, value] of found) {
      if (!(value instanceof Damage) || !value.passing) continue;
      const again = reread(() => settled(() => disk.read(join(folder, name), decode)));
      if (again === undefined) found.delete(name);
      else found.set(name, again);
    }
    return found;
  },
  folders: disk.folders,
};

function reread<Value>(read: () => Value): Value | Damage {
  try {
    return read();
  } catch (error) {
    if (error instanceof Damage) return error;
    throw error;
  }
}

const PAUSE_MS = 50;
const clock = new Int32Array(new SharedArrayBuffer(4));

/** What is read when nothing of it is passing any more. Blocks: for as long as a file is fresh, two seconds. */
function settled<Result>(read: () => Result): Result {
  for (;;) {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Damage) || !error.passing) throw error;
    }
    Atomics.wait(clock, 0, 0, PAUSE_MS);
  }
}

/** As much of a file of points as is used. */
interface Series {
  readonly points: readonly Point[];
  readonly bad: readonly unknown[];
  readonly whole: boolean;
}

/** The points of a metric. A last line that has no end may have lost one: it is reported, and left out. */
export function pointsAt(
  path: string,
  read: (path: string, report: Report) => Series | undefined,
  report: Report,
): readonly Point[] {
  for (;;) {
    const damages: Damage[] = [];
    let series: Series | undefined;
    try {
      series = settled(() => read(path, (damage) => damages.push(damage)));
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
      report(error);
      return [];
    }
    if (series === undefined) return [];
    const unsettled = (!series.whole || damages.some(({ passing }) => passing)) && isFresh(path);
    if (unsettled) {
      Atomics.wait(clock, 0, 0, PAUSE_MS);
      continue;
    }
    for (const damage of damages) report(damage);
    const { points, bad, whole } = series;
    const lines = points.length + bad.length;
    if (whole || damages.some(({ fault }) => fault.line === lines)) return points;
    report(new Damage({ path, line: lines, reason: 'has no end: something may have been cut off' }));
    return points.slice(0, -1);
  }
}
