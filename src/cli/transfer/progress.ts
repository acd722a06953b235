import type { Progress } from '../../transfer/progress.js';
import { type Display, liveTask } from '../progress.js';
import { transferDescriber } from '../render/transfer.js';
import type { Terminal } from '../terminal.js';

/** How the work of a transfer is shown. @param title of the task, on a terminal */
export function transferDisplay(title: string, { json, interactive, note }: Terminal): Display<Progress> {
  if (json) return { run: (work) => work(() => undefined) };
  return interactive ? liveTask(title, transferDescriber) : plainLines(note);
}

/** At most one line of rows in this time, where lines are kept. */
const ROWS_EVERY_MS = 5000;

function plainLines(write: (line: string) => void): Display<Progress> {
  return {
    run: (work) => {
      const describe = transferDescriber();
      let last = Date.now();
      return work((progress) => {
        const { heading, line } = describe(progress);
        if (heading) write(heading);
        if (!line) return;
        if (progress.event === 'rows' && Date.now() - last < ROWS_EVERY_MS) return;
        last = Date.now();
        write(`  ${line}`);
      });
    },
  };
}
