import type { Restored, TrashList } from '../../gc/trash.js';
import { count, plural } from './numbers.js';

const SHOWN = 200;

/** What is in the trash, for people: experiments, runs and logged models, each with the day on which gc would take it. */
export function trashText({ now, trash }: TrashList, age: string): string {
  if (trash.length === 0) return 'nothing is in the trash';
  const more = trash.length - SHOWN;
  return [
    `${plural(trash.length, 'thing')} in the trash; gone with \`mtrack gc --older-than ${age}\`:`,
    ...trash.slice(0, SHOWN).map(({ kind, id, name, deletedAt, goesAt, because }) => {
      const when = goesAt === null ? (because ?? '') : goesAt <= now ? 'now' : `from ${day(goesAt)} on`;
      const deleted = deletedAt === null ? '' : `, deleted ${day(deletedAt)}`;
      return `  ${kind} ${id}${name ? ` "${name}"` : ''}${deleted}: ${when}`;
    }),
    ...(more > 0 ? [`  and ${count(more)} more: --json lists them all`] : []),
  ].join('\n');
}

/** In universal time, as the store has it. */
const day = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');

export function restoredText({ restored, failed }: Restored): string {
  return [
    `restored: ${plural(restored.experiments.length, 'experiment')} with all runs, ${plural(restored.runs.length, 'run')}`,
    ...failed.map(({ cause }) => `not restored: ${cause}`),
  ].join('\n');
}
