/** What an import is, would be and was, in words. */
import type { Manifest } from '../../transfer/archive/manifest.js';
import type { Outcome, TableOutcome } from '../../transfer/import.js';
import { type Problem, problemText } from '../../transfer/problems.js';
import type { Phase, Progress } from '../../transfer/progress.js';
import type { Survey } from '../../transfer/survey.js';
import { isVerified, type Verification, type VerifiedTable } from '../../transfer/verify.js';
import { count, duration, plural } from './numbers.js';

/** Problems that are shown; a report has all of them. */
const SHOWN = 20;
/** How many of them. */
type Shown = 'some' | 'all';

export function surveyText({ rows, there, problems, renumbered, target }: Survey): string {
  const lines = [...rows].map(([table, n]) => {
    const known = there.get(table) ?? 0;
    return `  ${table}: ${plural(n, 'row')}${known > 0 ? `, ${count(known)} of them there already` : ''}`;
  });
  return [
    `into ${target.database.shown}, revision ${target.revision}${target.isEmpty ? ', whose tables are made' : ''}`,
    ...(lines.length > 0 ? lines : ['  nothing']),
    ...(renumbered.length > 0 ? [`${plural(renumbered.length, 'experiment')} with another number or name there:`] : []),
    ...renumbered
      .slice(0, SHOWN)
      .map(({ from, to, name, renamed }) => `  ${from} becomes ${to} (${renamed ? `${renamed}, now ` : ''}${name})`),
    ...(renumbered.length > SHOWN ? [`  and ${count(renumbered.length - SHOWN)} more`] : []),
    ...problemsText(problems),
  ].join('\n');
}

export function outcomeText({ tables, problems, unproven, seconds, revision }: Outcome, shown: Shown = 'some'): string {
  const rows = tables.reduce((sum, { added, updated }) => sum + added + updated, 0);
  const rate = seconds > 0 ? `, ${count(Math.round(rows / seconds))} rows/s` : '';
  const left = new Set(problems.filter(isWholeTable).map(({ where }) => where));
  return [
    `${plural(rows, 'row')} in ${duration(seconds)}${rate}, at revision ${revision}`,
    ...tables.filter(({ source, table }) => source.rows > 0 || !left.has(table)).map(tableText),
    ...problemsText(problems, shown),
    unproven.length === 0
      ? `read back from the target: every row${problems.length > 0 ? ' that was moved' : ''} is as in the source`
      : `NOT as in the source, when read back: ${unproven.join(', ')}`,
  ].join('\n');
}

export function exportText(manifest: Manifest, problems: readonly Problem[], path: string): string {
  const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0);
  return [
    `${plural(rows, 'row')} of ${plural(manifest.tables.length, 'table')} in ${path}, at revision ${manifest.revision}`,
    ...manifest.tables.map((table) => `  ${table.name}: ${plural(table.rows, 'row')}; checksum ${table.checksum}`),
    ...problemsText(problems),
  ].join('\n');
}

export function verificationText(found: Verification, from: string, to: string, shown: Shown = 'some'): string {
  const { tables, problems, revision } = found;
  const line = ({ table, source, equal, different, missing, others }: VerifiedTable) => {
    const parts = [
      `${count(equal)} of ${plural(source.rows, 'row')} there`,
      ...(different > 0 ? [`${count(different)} different`] : []),
      ...(missing > 0 ? [`${count(missing)} missing`] : []),
      ...(others > 0 ? [`${count(others)} others in the target`] : []),
    ];
    return `  ${table}: ${parts.join(', ')}; checksum ${source.checksum}`;
  };
  return [
    `${from} in ${to}, at revision ${revision}`,
    ...tables.map(line),
    ...problemsText(problems, shown),
    isVerified(found)
      ? `everything${problems.some(({ kind }) => kind === 'not-held') ? ' that files hold' : ''} is there, as it is`
      : 'NOT everything is there as it is',
  ].join('\n');
}

function tableText({ table, added, equal, updated, kept, leftBehind, target }: TableOutcome): string {
  const parts = [
    `${count(added)} added`,
    ...(equal > 0 ? [`${count(equal)} there already`] : []),
    ...(updated > 0 ? [`${count(updated)} updated`] : []),
    ...(kept > 0 ? [`${count(kept)} kept as the target has them`] : []),
    ...(leftBehind > 0 ? [`${count(leftBehind)} left behind`] : []),
  ];
  return `  ${table}: ${parts.join(', ')}; checksum ${target.checksum}`;
}

function problemsText(all: readonly Problem[], shown: Shown = 'some'): string[] {
  const tables = all.filter(isWholeTable);
  const problems = all.filter((problem) => !isWholeTable(problem));
  return [
    ...(tables.length > 0 ? ['files have no place for, and leave in the source:'] : []),
    ...tables.map(({ where, rows }) => `  ${where}: ${plural(rows[where] ?? 0, 'row')}`),
    ...otherProblemsText(problems, shown),
  ];
}

const isWholeTable = ({ kind, where, rows }: Problem) => kind === 'not-held' && Object.hasOwn(rows, where);

function otherProblemsText(problems: readonly Problem[], shown: Shown): string[] {
  if (problems.length === 0) return [];
  const most = shown === 'all' ? problems.length : SHOWN;
  return [
    `${plural(problems.length, 'thing')} to know of:`,
    ...problems.slice(0, most).map((problem) => `  ${problemText(problem)}`),
    ...(problems.length > most ? [`  and ${count(problems.length - most)} more: --report PATH has them all`] : []),
  ];
}

// ---------------------------------------------------------------- progress

const PHASES: Readonly<Record<Phase, string>> = {
  bring: 'bringing a copy to the revision of the target',
  look: 'looking at the source',
  load: 'loading',
  write: 'writing files',
  verify: 'reading back',
};

/** Turns events into words; it remembers when a table was begun, for the rate and the time that is left. */
export function transferDescriber(): (progress: Progress) => { heading?: string; line?: string } {
  const began = new Map<string, number>();
  return (progress) => {
    switch (progress.event) {
      case 'waiting': {
        const [blocker] = progress.blockers;
        return { heading: 'waiting', line: blocker ? `waiting for ${blocker.who}: ${blocker.what}` : 'waiting' };
      }
      case 'phase':
        began.clear();
        return { heading: PHASES[progress.phase] };
      case 'rows': {
        const at = began.get(progress.table) ?? Date.now();
        began.set(progress.table, at);
        return { line: rowsLine(progress, (Date.now() - at) / 1000) };
      }
    }
  };
}

function rowsLine({ table, rows, total, bytes }: Extract<Progress, { event: 'rows' }>, seconds: number): string {
  const of = total === null ? '' : ` of ${count(total)}`;
  const size = bytes > 0 ? `, ${(bytes / 1e6).toFixed(1)} MB` : '';
  if (seconds < 0.5) return `${table}: ${count(rows)}${of} rows${size}`;
  const rate = rows / seconds;
  const left = total === null || rate === 0 || total <= rows ? '' : `, ${duration((total - rows) / rate)} left`;
  return `${table}: ${count(rows)}${of} rows${size}, ${count(Math.round(rate))} rows/s${left}`;
}
