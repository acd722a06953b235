/**
 * For how long a plan keeps others from a table. A lock is held to the end of the transaction that took it, so it is the
 * transaction that counts, and what one transaction spans differs by dialect.
 */
import type { Database, Dialect, Effect } from '../dialect/dialect.js';
import { MtrackError } from '../errors.js';
import { commandOf } from './command.js';
import { type Costed, type Costs, costsOf, type Measured } from './cost.js';
import type { Plan, PlannedRevision, Step } from './plan.js';
import { longest, sumOf, type Time } from './time.js';

export interface Blocked {
  /** Null is all of the database. */
  readonly table: string | null;
  /** The longest single time in which nobody writes the table, and in which nobody reads it; null for never. */
  readonly writes: Time;
  readonly reads: Time | null;
  /** The revision in whose turn that is; null for all of them. */
  readonly revision: string | null;
}

/** Tables that have rows and are locked, or all of the database; the longest first. */
export function blockedTables(costed: Costed, dialect: Dialect): Blocked[] {
  const { plan, stats } = costed;
  const costs = costsOf(costed);
  const all = transactionsOf(plan, dialect);
  if (dialect.transaction === 'upgrade') {
    if (![...stats.values()].some(({ rows }) => rows > 0)) return [];
    const whole = sumOf([...all.flat().map(({ step }) => costs.of(step).time), costs.rest]);
    return [{ table: null, writes: whole, reads: whole, revision: null }];
  }
  const worst = new Map<string, Blocked & { readonly table: string }>();
  for (const each of all.flatMap((transaction) => blockedIn(transaction, costs))) {
    if ((stats.get(each.table)?.rows ?? 0) === 0) continue;
    const before = worst.get(each.table);
    if (!before || longest(each.writes) > longest(before.writes)) worst.set(each.table, each);
  }
  return [...worst.values()].sort((a, b) => longest(b.writes) - longest(a.writes) || (a.table < b.table ? -1 : 1));
}

interface Turn {
  readonly revision: string;
  readonly step: Step;
}

/** The steps that one transaction spans. */
export function transactionsOf(plan: Plan, dialect: Dialect): Turn[][] {
  const turns = ({ revision, steps }: PlannedRevision) => steps.map((step) => ({ revision: revision.id, step }));
  switch (dialect.transaction) {
    case 'upgrade':
      return [plan.revisions.flatMap(turns)];
    case 'none':
      return plan.revisions.flatMap(turns).map((turn) => [turn]);
    case 'revision': {
      const transactions: Turn[][] = [];
      let open: Turn[] = [];
      for (const planned of plan.revisions) {
        open.push(...turns(planned));
        if (!planned.commits) continue;
        transactions.push(open);
        open = [];
      }
      return transactions;
    }
  }
}

function blockedIn(transaction: readonly Turn[], costs: Costs): (Blocked & { readonly table: string })[] {
  const times = transaction.map(({ step }) => costs.of(step).time);
  const toTheEnd = (from: number) => sumOf(times.slice(from));
  const first = new Map<string, { writes: number; reads?: number }>();
  for (const [at, { step }] of transaction.entries()) {
    for (const { table, blocks } of step.effects) {
      if (blocks === 'nothing') continue;
      const seen = first.get(table) ?? { writes: at };
      if (blocks === 'reads and writes') seen.reads ??= at;
      first.set(table, seen);
    }
  }
  return [...first].map(([table, { writes, reads }]) => ({
    table,
    writes: toTheEnd(writes),
    reads: reads === undefined ? null : toTheEnd(reads),
    revision: transaction[writes]?.revision ?? null,
  }));
}

/** Whether an effect is over at once by itself, and lasts only because its transaction does. */
export const isBrief = ({ work, blocks }: Effect): boolean => work === 'none' && blocks !== 'nothing';

/** Why the time of a step is not known, and what tells it. */
export interface Unknown {
  readonly because: string;
  readonly command: string;
}

/** @param measured what was timed, if anything was */
export function whyUnknown(database: Pick<Database, 'dialect' | 'named'>, measured: Measured | undefined): Unknown {
  if (!database.dialect.samples) {
    return {
      because: 'nothing is timed on this kind of database',
      command: 'restore a backup into a database of its own, and run mtrack db upgrade there',
    };
  }
  return measured
    ? {
        because: measured.lacks ?? 'it was not timed',
        command: commandOf('db backup-check BACKUP', database, '--restore', '--rehearse'),
      }
    : { because: 'nothing was timed', command: commandOf('db plan', database, '--probe') };
}

/**
 * What is not known does not pass, unless the tables are so small that no server takes longer.
 * @param most seconds that a table with rows may be blocked
 * @throws {MtrackError} MAX_BLOCKED
 */
export function refuseBlocked(blocked: readonly Blocked[], most: number, unknown: Unknown): void {
  const longer = blocked.filter(({ writes }) => longest(writes) > most);
  if (longer.length === 0) return;
  throw new MtrackError('MAX_BLOCKED', {
    found: longer.map(blockedLine).join('\n'),
    expected: `no table blocked for longer than ${most} s`,
    fix: [
      'stop the MLflow servers for the upgrade, and leave out --max-blocked or give it more',
      ...(longer.some(({ writes }) => writes.seconds === null) ? [`to know how long: ${unknown.command}`] : []),
    ],
    details: { blocked: longer },
  });
}

function blockedLine({ table, writes, revision }: Blocked): string {
  const where = `${table ?? 'the whole database'}: `;
  const within = revision === null ? '' : `, in ${revision}`;
  if (writes.seconds !== null) return `${where}about ${Math.ceil(writes.seconds)} s${within}`;
  const bound = writes.atMost === null ? '' : ` (at most ${Math.ceil(writes.atMost)} s on any server)`;
  return `${where}how long is not known${bound}${within}`;
}
