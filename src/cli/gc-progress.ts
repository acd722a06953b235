/** The progress of a garbage collection: animated on a terminal, a line now and then elsewhere. */
import type { Progress } from '../gc/progress.js';
import { type Display, liveTask } from './progress.js';
import { bytes, count, duration } from './render/numbers.js';
import type { Terminal } from './terminal.js';

const LINE_EVERY_MS = 5000;

export function gcDisplay({ interactive, json, note }: Terminal): Display<Progress> {
  if (json) return { run: (work) => work(() => undefined) };
  if (interactive)
    return liveTask('gc', () => {
      const words = describer();
      return (progress) => ({ line: words(progress) });
    });
  return {
    run: (work) => {
      const words = describer();
      let last = Date.now();
      return work((progress) => {
        const line = words(progress);
        if (Date.now() - last < LINE_EVERY_MS) return;
        last = Date.now();
        note(line);
      });
    },
  };
}

/** Remembers when it began, for the rate and the time that is left. */
function describer(): (progress: Progress) => string {
  const began = Date.now();
  let total: number | null = null;
  return (progress) => {
    if (progress.event === 'begun') {
      total = progress.total;
      return total === null ? 'looking' : `${count(total)} deleted runs are old enough`;
    }
    const { runs, all, bytes: size } = progress;
    const seconds = (Date.now() - began) / 1000;
    const rate = runs / Math.max(seconds, 0.001);
    const of = total === null ? '' : ` of ${count(Math.max(total, runs))}`;
    const others = all > runs ? `, ${count(all - runs)} other things` : '';
    const left = total === null || runs === 0 || total <= runs ? '' : `, ${duration((total - runs) / rate)} left`;
    return `${count(runs)}${of} runs${others}, ${bytes(size)} of artifacts; ${count(Math.round(rate))} runs/s${left}`;
  };
}
