/** The progress of an upgrade: animated on a terminal, plain lines elsewhere. */
import { Listr } from 'listr2';
import type { Blocker } from '../dialect/dialect.js';
import type { Progress } from '../upgrade/progress.js';
import { count, duration } from './render/numbers.js';

/** Runs the work and shows what it tells. */
export interface Display<Event = Progress> {
  run<T>(work: (onProgress: (event: Event) => void) => Promise<T>): Promise<T>;
}

/** What is to be shown of an event: a heading stays until there is another one. */
interface Words {
  readonly heading?: string;
  readonly line?: string;
}

/** For a terminal: one task that says where the upgrade is, and what it does now. */
export const liveDisplay = (title: string): Display => liveTask(title, describer);

/** For a terminal: one task, with what it does now. @param describer made once for each run */
export function liveTask<Event>(title: string, describer: () => (event: Event) => Words): Display<Event> {
  return {
    run: async (work) => {
      let result: { value: Awaited<ReturnType<typeof work>> } | undefined;
      const list = new Listr<object, 'default', 'simple'>(
        [
          {
            title,
            rendererOptions: { outputBar: 1, persistentOutput: false },
            task: async (_, task) => {
              const describe = describer();
              const value = await work((progress) => {
                const { heading, line } = describe(progress);
                if (heading) task.title = `${title}: ${heading}`;
                if (line) task.output = line;
              });
              task.title = title;
              result = { value };
            },
          },
        ],
        // Signals are the upgrade's own: it stops at a safe point.
        { registerSignalListeners: false },
      );
      await list.run();
      if (!result) throw new Error('the work ended without a result');
      return result.value as never;
    },
  };
}

/** At most one line of rows in this time, where lines are kept. */
const ROWS_EVERY_MS = 5000;

/** Lines for a log: each revision when it is begun, rows now and then, and everything out of the ordinary. */
export function plainDisplay(write: (line: string) => void): Display {
  return {
    run: (work) => {
      const describe = describer();
      let lastRows = Date.now();
      return work((progress) => {
        const { heading, line } = describe(progress);
        switch (progress.event) {
          case 'revision':
            if (heading) write(heading);
            break;
          case 'rows':
          case 'server':
            if (Date.now() - lastRows < ROWS_EVERY_MS) break;
            lastRows = Date.now();
            if (line) write(`    ${line}`);
            break;
          case 'step':
            break;
          default:
            if (line) write(line);
        }
      });
    },
  };
}

/** For `--json`: nothing is shown. */
export const silentDisplay: Display = { run: (work) => work(() => undefined) };

/** Turns events into words; it remembers when a step's rows began, for the rate and the time that is left. */
function describer(): (progress: Progress) => Words {
  let began = { what: '', at: 0, done: 0 };
  let waiting: string | null = null;
  return (progress) => {
    switch (progress.event) {
      case 'waiting': {
        const line = waitingLine(progress.blockers);
        if (line === waiting) return {};
        waiting = line;
        return { heading: 'waiting', line };
      }
      case 'locked':
        return { line: 'locked: no other upgrade runs' };
      case 'revision': {
        const { revision } = progress.planned;
        const heading = `[${progress.index + 1}/${progress.of}] ${revision.id} ${revision.title}`;
        // The line of the revision before would be taken for one of this.
        return progress.planned.steps.length > 0 ? { heading } : { heading, line: 'nothing left to do for it here' };
      }
      case 'step':
        began = { what: '', at: 0, done: 0 };
        return { line: progress.step.title };
      case 'rows': {
        if (began.what !== progress.what) began = { what: progress.what, at: Date.now(), done: 0 };
        return { line: rowsLine(progress, (Date.now() - began.at) / 1000) };
      }
      case 'server': {
        const percent = progress.total > 0 ? Math.floor((100 * progress.done) / progress.total) : 0;
        return { line: `${progress.phase}: ${percent}%` };
      }
      case 'reconnecting':
        return { line: `the connection broke (${progress.because}); connecting again, attempt ${progress.attempt}` };
      case 'verifying':
        return { heading: 'verifying', line: 'verifying schema and rows' };
      default:
        return {};
    }
  };
}

function waitingLine([blocker]: readonly Blocker[]): string {
  return blocker ? `waiting for ${blocker.who}: ${blocker.what}` : 'waiting a moment, to try again';
}

/** For waiting before an upgrade has begun: a line each time that somebody else is waited for. */
export function waitingNotes(write: (line: string) => void): (blockers: readonly Blocker[]) => void {
  let last = '';
  return (blockers) => {
    const line = waitingLine(blockers);
    if (line !== last) write(line);
    last = line;
  };
}

function rowsLine({ done, total, what }: Extract<Progress, { event: 'rows' }>, seconds: number): string {
  const of = total === null ? '' : ` of ${count(total)}`;
  if (seconds < 0.5) return `${what}: ${count(done)}${of} rows`;
  const rate = done / seconds;
  const left = total === null || rate === 0 ? '' : `, ${duration((total - done) / rate)} left`;
  return `${what}: ${count(done)}${of} rows, ${count(Math.round(rate))} rows/s${left}`;
}
