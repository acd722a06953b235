/**
 * Sees what a plan does to tables, instead of taking the vendor's word for it: its steps are run on the same tables without
 * rows, in a scratch database on the same server, and the server is asked after each.
 */
import type { Database, Watched } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import { assess } from './assess.js';
import { stepsOf } from './cost.js';
import { makeTables } from './init.js';
import type { Plan, Step } from './plan.js';
import { runStep } from './steps.js';

/** What each step of a plan was seen to do. */
export type Watchings = ReadonlyMap<Step, readonly Watched[]>;

type Doing = Omit<Watched, 'table'>;

/** What a plan says of a table, where the server was seen to do otherwise. */
export interface Otherwise {
  readonly revision: string;
  readonly step: string;
  readonly table: string;
  readonly said: Doing;
  readonly seen: Doing;
}

/**
 * @param scratch an empty database, which is left at the end of the plan
 * @returns null for a dialect that cannot be asked
 */
export async function watchPlan(scratch: Database, plan: Plan, signal: AbortSignal): Promise<Watchings | null> {
  const { dialect } = scratch;
  if (!dialect.watch) return null;
  await makeTables(scratch, plan.from);
  const reader = await scratch.reader(0);
  const assessment = await assess(scratch, plan.to, reader).finally(() => reader.close());
  // A database that is part-way has some of the steps behind it; the rest are the same.
  const wanted = new Map([...named(stepsOf(plan))].map(([step, name]) => [name, step]));
  const seen = new Map<Step, Watched[]>();
  const session = await scratch.worker();
  try {
    await dialect.prepare(session, { lockTimeout: 10_000 });
    for (const [step, name] of assessment ? named(stepsOf(assessment.plan)) : []) {
      const tables = await watchStep(step, session, scratch, signal);
      const same = wanted.get(name);
      if (same) seen.set(same, tables);
    }
  } finally {
    await session.close();
  }
  return seen;
}

/** The steps in order, each with a name that no other has: a revision may alter a table more than once. */
export function named(steps: readonly Step[]): Map<Step, string> {
  const times = new Map<string, number>();
  return new Map(
    steps.map((step) => {
      const name = `${step.at} ${step.title}`;
      const time = (times.get(name) ?? 0) + 1;
      times.set(name, time);
      return [step, `${name} ${time}`];
    }),
  );
}

/** Does the work of a step, and tells what the server did to the tables that were there before. */
export async function watchStep(
  step: Step,
  session: Session,
  database: Database,
  signal: AbortSignal,
): Promise<Watched[]> {
  const { operation } = step;
  const run = () => runStep(step, { database, session, signal, onProgress: () => undefined });
  const altered = operation.op === 'alterTable' ? operation.table : null;
  const statements = step.statements.map(({ sql }) => sql);
  return (await database.dialect.watch?.(session, { altered, statements }, run)) ?? [];
}

/** Where a plan and the server are not of one mind. */
export function otherwise(watchings: Watchings): Otherwise[] {
  return [...watchings].flatMap(([step, tables]) =>
    tables.flatMap(({ table, ...seen }): Otherwise[] => {
      const said = saidOf(step, table, seen.lock);
      return said === null || (said.lock === seen.lock && said.rewritten === seen.rewritten)
        ? []
        : [{ revision: step.at, step: step.title, table, said, seen }];
    }),
  );
}

/** Of several locks on a table the server shows the strongest. */
function saidOf({ effects }: Step, table: string, seen: string): Doing | null {
  const of = effects.filter((effect) => effect.table === table);
  const first = of.find(({ lock }) => lock === seen) ?? of[0];
  return first ? { lock: first.lock, rewritten: of.some(({ work }) => work === 'rewrite') } : null;
}
