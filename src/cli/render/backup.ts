/** What was found out about a backup: for people, and for machines. */
import type { Checked } from '../../backup/check.js';
import type { Evidence } from '../../backup/evidence.js';
import { SAID, timeText } from '../../backup/judge.js';
import { isSame, sinceText } from '../../backup/restore.js';
import { shellWord } from '../../dialect/shell.js';
import { bytes, count, duration, plural } from './numbers.js';
import { atText } from './plan.js';

export function aloneText(evidence: Evidence): string {
  return [
    ...evidenceLines(evidence),
    'it was compared with no database: that it is whole is all that is known of it',
  ].join('\n');
}

export function aloneJson(evidence: Evidence): Record<string, unknown> {
  return evidenceJson(evidence);
}

function evidenceLines({ opened, sum, manifest, content, origin }: Evidence): string[] {
  const { file, format } = opened;
  const packed = file.compression === 'none' ? '' : `, ${file.compression}`;
  const made = manifest ? `taken by ${manifest.madeBy}, unchanged since` : (origin.tool ?? 'without a manifest');
  const [revision] = content.versions ?? [];
  return [
    `${file.path}: ${bytes(sum.bytes)}, ${format}${packed}, ${made}`,
    '  whole: read to its last byte',
    `  ${revision === undefined ? 'no revision' : `revision ${atText(revision)}`}; ${plural(content.tables.runs ?? 0, 'run')}, ${plural(content.tables.metrics ?? 0, 'metric')}`,
  ];
}

function evidenceJson({ opened, sum, manifest, origin, content, taken }: Evidence): Record<string, unknown> {
  return {
    backup: opened.file.path,
    dialect: opened.dialect,
    format: opened.format,
    compression: opened.file.compression,
    bytes: sum.bytes,
    sha256: sum.sha256,
    manifest: manifest !== null,
    tool: origin.tool,
    revision: content.versions?.[0] ?? null,
    tables: content.tables,
    takenAt: taken.at,
    takenBy: taken.by,
  };
}

export function checkedJson({ evidence, verdict, restored, rehearsal, artifacts }: Checked): Record<string, unknown> {
  return {
    ...evidenceJson(evidence),
    takenAt: verdict.taken.at,
    takenBy: verdict.taken.by,
    ageSeconds: Math.round((Date.now() - verdict.taken.at) / 1000),
    lacks: verdict.lacks,
    notes: verdict.notes,
    restored,
    rehearsal,
    artifacts,
  };
}

export function checkedText(
  checked: Checked,
  { backup, receipt, named, to }: { backup: string; receipt: string; named: string; to: string },
): string {
  const { evidence, verdict, restored, rehearsal } = checked;
  const words = (...parts: string[]) => parts.filter((part) => part !== '').join(' ');
  const target = to === 'head' ? '' : `--to ${shellWord(to)}`;
  const next = !restored
    ? words('mtrack db backup-check', shellWord(backup), named, '--restore --rehearse', target)
    : words(
        'mtrack db upgrade',
        named,
        '--require-backup',
        shellWord(receipt),
        rehearsal ? '--require-rehearsal' : '',
        target,
      );
  return [
    ...evidenceLines(evidence),
    `  of this database, taken ${duration((Date.now() - verdict.taken.at) / 1000)} ago, at ${timeText(verdict.taken.at)} ${SAID[verdict.taken.by]}`,
    `  ${lacksText(verdict.lacks)}`,
    ...verdict.notes.map((note) => `  ! ${note}`),
    ...(restored ? restoredLines(checked) : []),
    ...artifactLines(checked),
    ...(rehearsal
      ? [
          `  rehearsed: the upgrade to ${atText(rehearsal.to)} took ${duration(rehearsal.seconds)} on it, and was verified`,
          ...longest(rehearsal.steps),
        ]
      : []),
    `receipt: ${receipt}`,
    `next: ${next}`,
  ].join('\n');
}

function lacksText(lacks: Readonly<Record<string, number>>): string {
  const entries = Object.entries(lacks);
  if (entries.length === 0) return 'it has as many rows of each table as the database now';
  const named = (table: string, one: string) => plural(Math.max(0, lacks[table] ?? 0), one);
  const others = entries.filter(([table]) => table !== 'runs' && table !== 'metrics').length;
  return `since then came ${named('runs', 'run')} and ${named('metrics', 'metric')}, which it lacks${others > 0 ? `; ${plural(others, 'other table')} changed in number` : ''}`;
}

function restoredLines({ restored }: Checked): string[] {
  if (!restored) return [];
  const moved = restored.tables.filter((each) => !isSame(each));
  const rows = restored.tables.reduce((sum, { backup }) => sum + backup.rows, 0);
  return [
    `  restored in ${duration(restored.seconds)}: ${count(rows)} rows in ${plural(restored.tables.length, 'table')} compared in ${duration(restored.comparedSeconds)}`,
    moved.length === 0
      ? '  every row is the same in the database'
      : `  the same but for ${plural(moved.length, 'table')} that the database went on with:`,
    ...moved.map((each) => `    ${each.table}: ${sinceText(each)}`),
  ];
}

function artifactLines({ artifacts }: Checked): string[] {
  if (!artifacts) return [];
  const { looked, unknown } = artifacts;
  return [
    `  artifacts are at ${count(looked - unknown.length)} of ${plural(looked, 'place')} that models of it have`,
    ...unknown.map(({ of, uri, because }) => `  ! ${of}: ${uri} could not be looked at: ${because}`),
  ];
}

const LONGEST = 3;

function longest(steps: readonly { readonly title: string; readonly seconds: number }[]): string[] {
  return steps
    .filter(({ seconds }) => seconds >= 0.1)
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, LONGEST)
    .map(({ title, seconds }) => `    ${title}: ${duration(seconds)}`);
}
