/** Runs a downgrade: the executor of upgrades, with the side file written before the first change. */
import type { Database } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import { MtrackError } from '../errors.js';
import { tablesWritten } from '../upgrade/cost.js';
import type { ExecuteOptions, Outcome, Way } from '../upgrade/execute.js';
import { execute } from '../upgrade/execute.js';
import type { Plan, PlannedRevision } from '../upgrade/plan.js';
import { countRows } from '../upgrade/verify.js';
import { beginningOf, type Downgrade } from './assess.js';
import { type Loss, lossesOf } from './losses.js';
import { planDowngrade } from './plan.js';
import { writeSideFile } from './side-file.js';

export interface DowngradeOutcome extends Outcome {
  /** Null where nothing was lost. */
  readonly sideFile: string | null;
  readonly losses: readonly Loss[];
}

/**
 * @param sideFile a path at which there is no file yet
 * @throws {MtrackError}
 */
export async function executeDowngrade(
  database: Database,
  agreed: Downgrade,
  options: ExecuteOptions & { readonly sideFile: string },
): Promise<DowngradeOutcome> {
  const { dialect } = database;
  let kept: readonly Loss[] = [];
  // The way back itself writes rows into some tables before it drops them.
  const written = tablesWritten(agreed.plan);
  const way: Way = {
    command: 'db downgrade',
    plan: (location) => planDowngrade(beginningOf(location, agreed.plan.to, database), agreed.plan.to, dialect),
    begin: async (session, plan) => {
      kept = await keep(session, plan, agreed, database, options.sideFile);
    },
    beforeRevision: (session, planned) => nothingCame(session, planned, kept, written, database),
  };
  const outcome = await execute(database, agreed.plan, options, way);
  return { ...outcome, sideFile: kept.length > 0 ? options.sideFile : null, losses: kept };
}

/** Writes what will be lost, which must not be more than was agreed to. */
async function keep(
  session: Session,
  plan: Plan,
  agreed: Downgrade,
  { dialect }: Database,
  path: string,
): Promise<readonly Loss[]> {
  const live = await dialect.readCatalog(session);
  const { losses } = await lossesOf(plan.from, plan.to, live, session, dialect);
  const more = losses.filter(({ kind, table, columns, rows }) => {
    const expected = agreed.losses.find(
      (each) => each.kind === kind && each.table === table && each.columns.join() === columns.join(),
    );
    return rows > (expected?.rows ?? 0);
  });
  if (more.length > 0) throw moreThanAgreed(more);
  if (losses.length === 0) return [];
  const counts = await writeSideFile(
    path,
    { from: plan.from, to: plan.to, plan: agreed.hash },
    losses,
    session,
    dialect,
  );
  return losses.map((loss, at) => ({ ...loss, rows: counts[at] ?? 0 }));
}

/** Rows that came into a table after it was written to the side file would go with it. @throws {MtrackError} PLAN_CHANGED */
async function nothingCame(
  session: Session,
  { steps }: PlannedRevision,
  kept: readonly Loss[],
  written: ReadonlySet<string>,
  { dialect }: Database,
): Promise<void> {
  const dropped = steps.flatMap(({ operation }) => (operation.op === 'dropTable' ? [operation.table] : []));
  const counts = await countRows(session, dialect, dropped);
  const whole = kept.filter(({ kind, table }) => kind === 'rows' && counts.has(table) && !written.has(table));
  const more = whole.filter(({ table, rows }) => (counts.get(table) ?? 0) > rows);
  if (more.length > 0) throw moreThanAgreed(more);
}

function moreThanAgreed(more: readonly Loss[]): MtrackError {
  return new MtrackError('PLAN_CHANGED', {
    found: `more would be lost than was agreed to: ${more.map(({ table, rows }) => `${table}, ${rows} rows`).join('; ')}`,
    expected: 'nobody to write to the database meanwhile',
    fix: ['stop the MLflow servers, and run the command again'],
  });
}
