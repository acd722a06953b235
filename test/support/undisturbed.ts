/** What an upgrade is that nothing disturbs, to hold against one that was: its statements, and the state at its end. */
import type { Server, TestDatabase } from './databases.js';
import { share } from './extent.js';
import { type Counted, countedUpgrade, type Fault } from './kill.js';
import { type State, stateOf } from './state.js';

export interface Undisturbed {
  readonly from: TestDatabase;
  readonly to: string;
  readonly statements: readonly Counted[];
  readonly end: State;
}

/** Upgrades a copy of the database. */
export async function undisturbed(server: Server, from: TestDatabase, to = 'head'): Promise<Undisturbed> {
  const copy = await server.copy(from);
  try {
    const { statements } = await countedUpgrade(copy.uri, to);
    return { from, to, statements, end: await stateOf(copy) };
  } finally {
    await copy.drop();
  }
}

export const SIDES = ['before', 'sent', 'after'] as const;

/** Every statement on every side, before the first and after the last as well; this run's share of them. */
export function everywhere(server: Server, { statements }: Undisturbed, does: Fault['does']): Fault[] {
  const sides = SIDES.filter((side) => side !== 'sent' || server.dialect !== 'sqlite');
  return share(statements.flatMap(({ n }) => sides.map((side): Fault => ({ at: n, side, does }))));
}

/** So many statements, evenly, on changing sides, the last one always. @param skip other statements for another number */
export function hereAndThere({ statements }: Undisturbed, size: number, does: Fault['does'], skip = 0): Fault[] {
  const last = statements.length - skip;
  const stride = Math.max(1, last / size);
  const numbers = new Set(Array.from({ length: Math.min(size, last) }, (_, i) => last - Math.floor(i * stride)));
  return [...numbers].map((n, i) => ({ at: n, side: SIDES[i % SIDES.length] ?? 'after', does }));
}

/** A fault in words. */
export function said({ at, side }: Fault, { statements }: Undisturbed): string {
  return `${side} ${at} ${statements[(at ?? 1) - 1]?.sql.replaceAll(/\s+/g, ' ').slice(0, 80) ?? ''}`;
}

/** A command that fails says what is wrong in words, with a code, and shows no stack. */
export function stackIn(stderr: string): string[] {
  return /^\s+at .*:\d+/m.test(stderr) ? [`it shows a stack: ${stderr}`] : [];
}
