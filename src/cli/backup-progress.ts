/** The progress of backups: animated on a terminal, plain lines elsewhere. */
import type { BackupProgress } from '../dialect/backups.js';
import { liveTask } from './progress.js';
import { bytes, count } from './render/numbers.js';
import type { Terminal } from './terminal.js';

/** At most one line in this time, where lines are kept. */
const EVERY_MS = 5000;

/** Runs work that tells how far it is. @param title what it is, for people */
export function showing<T>(
  title: string,
  { interactive, json, note }: Terminal,
  work: (onProgress: (progress: BackupProgress) => void) => Promise<T>,
): Promise<T> {
  if (json) return work(() => undefined);
  if (interactive) {
    const words = (progress: BackupProgress) => ({ line: lineOf(progress) });
    return liveTask<BackupProgress>(title, () => words).run(work);
  }
  note(title);
  let last = Date.now();
  return work((progress) => {
    if (Date.now() - last < EVERY_MS) return;
    last = Date.now();
    note(`    ${lineOf(progress)}`);
  });
}

function lineOf({ what, done, total, unit }: BackupProgress): string {
  if (unit === 'percent') return `${what}: ${done}%`;
  if (unit === 'tables') return `${what} (table ${count(done)}${total === null ? '' : ` of ${count(total)}`})`;
  const amount = unit === 'bytes' ? bytes : (n: number) => `${count(n)} rows`;
  if (total === null) return done === 0 ? what : `${what}: ${amount(done)}`;
  return `${what}: ${amount(done)} of ${amount(total)}`;
}
