/** Moved artifacts and their URIs, in words. */
import type { Copied } from '../../transfer/relocate/copy.js';
import { count, plural } from './numbers.js';

/** Failures that are shown; a report has all of them. */
const SHOWN = 20;

export function countsText(counts: ReadonlyMap<string, number>, words: 'change' | 'changed'): string {
  const total = [...counts.values()].reduce((sum, n) => sum + n, 0);
  return [
    `${plural(total, 'URI')} ${words === 'change' ? 'to change' : 'changed'}`,
    ...[...counts].map(([name, n]) => `  ${name}: ${count(n)}`),
  ].join('\n');
}

export const copiedLine = ({ files, bytes, there, failed }: Copied): string =>
  [
    `${plural(files, 'file')} copied, ${megabytes(bytes)}`,
    ...(there > 0 ? [`${count(there)} there already`] : []),
    ...(failed.length > 0 ? [`${count(failed.length)} not copied`] : []),
  ].join(', ');

export function notCopiedText(copied: Copied): string {
  const { failed } = copied;
  return [
    `artifacts: ${copiedLine(copied)}`,
    ...failed.slice(0, SHOWN).map(({ from, to, reason }) => `${from} to ${to}: ${reason}`),
    ...(failed.length > SHOWN ? [`and ${count(failed.length - SHOWN)} more`] : []),
  ].join('\n');
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
