/** A report that an operator can file. */
import { writeFileSync } from 'node:fs';

/** @param path ends in .txt for what is said on the terminal, and in anything else for what --json gives */
export function writeReport(path: string | undefined, result: unknown, text: string): void {
  if (path === undefined) return;
  writeFileSync(path, path.endsWith('.txt') ? `${text}\n` : `${JSON.stringify(result, null, 2)}\n`);
}
