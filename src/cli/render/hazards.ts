/** Hazards and findings for people. */
import type { Blocked } from '../../upgrade/blocked.js';
import type { CheckFinding } from '../../upgrade/check.js';
import type { Fact } from '../../upgrade/hazards.js';
import { RULES } from '../../upgrade/rules.js';
import type { Otherwise } from '../../upgrade/watch.js';
import { about, count, plural } from './numbers.js';

const MARK = { error: 'x', warning: '!', note: 'i' } as const;

function factText({ what, value, basis }: Fact): string | null {
  switch (what) {
    case 'seconds':
      return `${about(Number(value))}, ${basis}`;
    case 'rows':
      return `${plural(Number(value), 'row')}, ${basis === 'counted' ? basis : `by ${basis}`}`;
    case 'bytes':
      return `${megabytes(Number(value))}, by ${basis}`;
    case 'lock':
      return `${value}, ${basis}`;
    case 'blocks':
    case 'rewrite':
      return null;
  }
}

const megabytes = (bytes: number) => `${count(Math.ceil(bytes / 1e6))} MB`;

/** For how long others are kept from which table. */
export function blockedText(blocked: readonly Blocked[]): string[] {
  if (blocked.length === 0) return ['others are kept from no table that has rows'];
  const felt = blocked.filter(({ writesSeconds }) => writesSeconds >= 1);
  const rest = blocked.length - felt.length;
  const brief = `${plural(rest, 'table')} with rows ${rest === 1 ? 'is' : 'are'} blocked for less than a second`;
  if (felt.length === 0) return [`${brief} (estimated)`];
  const width = Math.max(...felt.map(({ table }) => table.length));
  return [
    'others wait (estimated: an order of magnitude; a rehearsal tells):',
    ...felt.map(
      ({ table, writesSeconds, readsSeconds, revision }) =>
        `    ${table.padEnd(width)}  writers ${about(writesSeconds)}, readers ${readsSeconds > 0 ? about(readsSeconds) : 'never'}  [${revision}]`,
    ),
    ...(rest > 0 ? [`    ${brief}`] : []),
  ];
}

/** Whether the server did what the plan says. */
export function probeText(differing: readonly Otherwise[]): string {
  if (differing.length === 0) return 'probed: this server does what the plan says, in every step';
  const words = ({ lock, rewritten }: Otherwise['seen']) =>
    `${lock || 'no lock that keeps writers out'}${rewritten ? ', written again whole' : ''}`;
  return [
    'probed: this server does otherwise than the plan says',
    ...differing.map(
      ({ revision, step, table, said, seen }) =>
        `    ${revision}: ${step}: ${table}: ${words(seen)}, where the plan says ${words(said)}`,
    ),
  ].join('\n');
}

/** Findings, gravest first: a heading for each rule, what is alike in a line, and what to do. */
export function findingsList(findings: readonly CheckFinding[]): string[] {
  const order = { error: 0, warning: 1, note: 2 } as const;
  const grave = findings.toSorted((a, b) => order[a.severity] - order[b.severity] || (a.rule < b.rule ? -1 : 1));
  const byRule = Map.groupBy(grave, ({ rule, severity, todo }) => `${severity} ${rule} ${todo}`);
  return [...byRule.values()].flatMap((alike, at) => {
    const [first] = alike;
    if (!first) return [];
    return [
      ...(at > 0 ? [''] : []),
      `${MARK[first.severity]} ${first.rule} ${RULES[first.rule].name}`,
      ...[...new Set(alike.map(findingLine))],
      `    to do: ${first.todo}`,
    ];
  });
}

function findingLine({ revision, says, facts }: CheckFinding): string {
  const told = facts.map(factText).filter((text) => text !== null);
  return `    ${revision === null ? '' : `${revision}: `}${says}${told.length > 0 ? `  (${told.join('; ')})` : ''}`;
}
