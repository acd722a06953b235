/**
 * For how long a plan keeps others from a table. A lock is held to the end of the transaction that took it, so it is the
 * transaction that counts, and what one transaction spans differs by dialect.
 */
import type { Dialect, Effect, TableStats } from '../dialect/dialect.js';
import { MtrackError } from '../errors.js';
import { costOf } from './cost.js';
import type { Plan, PlannedRevision, Step } from './plan.js';

export interface Blocked {
  readonly table: string;
  /** The longest single time, in seconds, in which nobody writes the table, and in which nobody reads it. */
  readonly writesSeconds: number;
  readonly readsSeconds: number;
  /** The revision in whose turn that is. */
  readonly revision: string;
}

/** Tables that have rows and are locked; the longest first. */
export function blockedTables(plan: Plan, stats: ReadonlyMap<string, TableStats>, dialect: Dialect): Blocked[] {
  const longest = new Map<string, Blocked>();
  for (const transaction of transactionsOf(plan, dialect)) {
    for (const each of blockedIn(transaction, stats)) {
      if ((stats.get(each.table)?.rows ?? 0) === 0) continue;
      const before = longest.get(each.table);
      if (!before || each.writesSeconds > before.writesSeconds) longest.set(each.table, each);
    }
  }
  return [...longest.values()].sort((a, b) => b.writesSeconds - a.writesSeconds || (a.table < b.table ? -1 : 1));
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

function blockedIn(transaction: readonly Turn[], stats: ReadonlyMap<string, TableStats>): Blocked[] {
  const seconds = transaction.map(({ step }) => costOf(step, stats).estimatedSeconds);
  const toTheEnd = (from: number) => seconds.slice(from).reduce((sum, each) => sum + each, 0);
  const first = new Map<string, { writes?: number; reads?: number }>();
  for (const [at, { step }] of transaction.entries()) {
    for (const { table, blocks } of step.effects) {
      if (blocks === 'nothing') continue;
      const seen = first.get(table) ?? {};
      seen.writes ??= at;
      if (blocks === 'reads and writes') seen.reads ??= at;
      first.set(table, seen);
    }
  }
  return [...first].map(([table, { writes, reads }]) => ({
    table,
    writesSeconds: writes === undefined ? 0 : toTheEnd(writes),
    readsSeconds: reads === undefined ? 0 : toTheEnd(reads),
    revision: transaction[writes ?? 0]?.revision ?? '',
  }));
}

/** Whether an effect is over at once by itself, and lasts only because its transaction does. */
export const isBrief = ({ work, blocks }: Effect): boolean => work === 'none' && blocks !== 'nothing';

/** @param most seconds that a table with rows may be blocked @throws {MtrackError} MAX_BLOCKED */
export function refuseBlocked(blocked: readonly Blocked[], most: number): void {
  const longer = blocked.filter(({ writesSeconds }) => writesSeconds > most);
  if (longer.length === 0) return;
  throw new MtrackError('MAX_BLOCKED', {
    found: longer
      .map(({ table, writesSeconds, revision }) => `${table}: about ${Math.ceil(writesSeconds)} s, in ${revision}`)
      .join('\n'),
    expected: `no table blocked for longer than ${most} s (estimated: an order of magnitude)`,
    fix: [
      'stop the MLflow servers for the upgrade, and leave out --max-blocked or give it more',
      'to know instead of to estimate: mtrack db backup-check --restore --rehearse',
    ],
    details: { blocked: longer },
  });
}
