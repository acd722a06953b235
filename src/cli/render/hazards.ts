/** Hazards and findings for people. */
import type { Blocked, Unknown } from '../../upgrade/blocked.js';
import type { CheckFinding } from '../../upgrade/check.js';
import type { Fact } from '../../upgrade/hazards.js';
import { RULES } from '../../upgrade/rules.js';
import { longest } from '../../upgrade/time.js';
import type { Otherwise } from '../../upgrade/watch.js';
import { count, plural, timeText } from './numbers.js';

const MARK = { error: 'x', warning: '!', note: 'i' } as const;

function factText({ what, value, basis, atMost }: Fact): string | null {
  switch (what) {
    case 'seconds': {
      const time = timeText({ seconds: value === null ? null : Number(value), atMost: atMost ?? null });
      return basis === 'unknown' ? time : `${time}, ${basis}`;
    }
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
export function blockedText(blocked: readonly Blocked[], unknown: Unknown): string[] {
  if (blocked.length === 0) return ['others are kept from no table that has rows'];
  const felt = blocked.filter(({ writes }) => longest(writes) >= 1);
  const rest = blocked.length - felt.length;
  const brief = `${plural(rest, 'table')} with rows ${rest === 1 ? 'is' : 'are'} blocked for less than a second`;
  if (felt.length === 0) return [blocked[0]?.table === null ? 'all others wait for less than a second' : brief];
  const nameOf = ({ table }: Blocked) => table ?? 'all of the database';
  const width = Math.max(...felt.map((each) => nameOf(each).length));
  const isUnknown = felt.some(({ writes }) => writes.seconds === null);
  return [
    'others wait:',
    ...felt.map((each) => `    ${nameOf(each).padEnd(width)}  ${waits(each)}`),
    ...(rest > 0 ? [`    ${brief}`] : []),
    ...(isUnknown ? [`    not known, as ${unknown.because}; what tells it: ${unknown.command}`] : []),
  ];
}

function waits({ writes, reads, revision }: Blocked): string {
  const basis = writes.basis === 'unknown' ? '' : `, ${writes.basis}`;
  const readers = reads === null ? 'never' : timeText(reads);
  return `writers ${timeText(writes)}, readers ${readers}${basis}${revision === null ? '' : `  [${revision}]`}`;
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
