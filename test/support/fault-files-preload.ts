/**
 * Loaded into the process of the command line before it (`node --import`), this kills it at an exact change of the file
 * system: MTRACK_FILE_FAULT is `N:before`, `N:during` or `N:after` for the Nth of the renames and removals. Without a number
 * it counts them into the file MTRACK_FILE_LOG.
 *
 * It imports nothing of the project, as it runs from its source.
 */
import { appendFileSync } from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';

const require = createRequire(import.meta.url);
const [at, side] = (process.env.MTRACK_FILE_FAULT ?? ':').split(':');
const log = process.env.MTRACK_FILE_LOG;
let count = 0;

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
}

/** Whether the call at hand is the one. */
function isReached(name: string): boolean {
  count += 1;
  if (log) appendFileSync(log, `${name}\n`);
  return at === String(count);
}

type Call = (...args: readonly unknown[]) => unknown;

function wrap(module: Record<string, Call>, name: string): void {
  const original = module[name];
  if (!original) throw new Error(`node:fs has no ${name}`);
  module[name] = (...args) => {
    const reached = isReached(name);
    if (reached && side === 'before') die();
    const result = original(...args);
    if (!reached) return result;
    if (!(result instanceof Promise) || side === 'during') {
      // A removal that has begun has taken some of its files by then.
      if (side === 'during') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      die();
    }
    return result.then(die);
  };
}

wrap(require('node:fs'), 'renameSync');
for (const name of ['rm', 'rmdir', 'unlink']) wrap(require('node:fs/promises'), name);
syncBuiltinESMExports();
