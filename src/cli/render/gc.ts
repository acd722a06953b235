import type { OrphanReport } from '../../gc/orphans.js';
import type { Kept, Plural, Report } from '../../gc/report.js';
import { bytes, count, plural } from './numbers.js';

/** What a garbage collection removed, or would remove, for people. */
export function reportText(report: Report, what: 'removed' | 'would be removed'): string {
  const { removed, rows, artifacts, undated, kept, failed, stopped } = report;
  const things = (Object.keys(NAMES) as Plural[])
    .filter((kind) => removed[kind].length > 0)
    .map((kind) => plural(removed[kind].length, ...NAMES[kind]));
  return [
    things.length === 0 ? `nothing ${what}` : `${things.join(', ')} ${what}`,
    ...(things.length === 0
      ? []
      : [
          `artifacts: ${plural(artifacts.objects, 'object')}, ${bytes(artifacts.bytes)}${artifacts.missing > 0 ? `; of ${count(artifacts.missing)} there were none` : ''}`,
          'rows:',
          ...Object.entries(rows).map(([table, n]) => `  ${table}: ${count(n)}`),
        ]),
    ...(undated > 0
      ? [
          `${plural(undated, 'deleted run')} without a time of deletion (deleted by MLflow before 1.28) stay: --undated treat-as-old takes them`,
        ]
      : []),
    ...listed('kept', kept.map(keptText)),
    ...listed(
      'failed, and left for the next time',
      failed.map(({ kind, id, cause }) => `${kind} ${id}: ${cause}`),
    ),
    ...(stopped === null ? [] : [`stopped before the end: ${stopped}`]),
  ].join('\n');
}

const NAMES: Readonly<Record<Plural, readonly [string, string]>> = {
  experiments: ['experiment', 'experiments'],
  runs: ['run', 'runs'],
  models: ['logged model', 'logged models'],
  traces: ['trace', 'traces'],
  jobs: ['job', 'jobs'],
};

const SHOWN = 20;

function listed(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const more = lines.length - SHOWN;
  return [
    `${title}:`,
    ...lines.slice(0, SHOWN).map((line) => `  ${line}`),
    ...(more > 0 ? [`  and ${count(more)} more: --json lists them all`] : []),
  ];
}

function keptText({ kind, id, reason, because }: Kept): string {
  return reason === 'needed' ? `${kind} ${id}, needed by ${because}` : `${kind} ${id}: ${because}`;
}

export function orphansText({ orphans, objects, bytes: size, failed }: OrphanReport, deletes: boolean): string {
  const going = orphans.filter(({ kept }) => kept === null);
  const lines = orphans.map(
    ({ kind, location, path, objects: n, bytes: each, kept }) =>
      `${location}/${path}: of no ${kind} that there is, ${plural(n, 'object')}, ${bytes(each)}${kept === null ? '' : `; kept: ${kept}`}`,
  );
  return [
    orphans.length === 0
      ? 'every artifact folder belongs to something in the store'
      : `${plural(orphans.length, 'artifact folder')} that nothing refers to: ${plural(objects, 'object')}, ${bytes(size)}; ${count(going.length)} ${deletes ? 'deleted' : 'would be deleted by --delete-orphans'}`,
    ...listed('folders', lines),
    ...listed(
      'failed',
      failed.map(({ location, cause }) => `${location}: ${cause}`),
    ),
  ].join('\n');
}
