/** Runs the very upgrade that is to come on a restored backup, and measures each of its steps. */
import type { BackupContext } from '../dialect/backups.js';
import type { Database } from '../dialect/dialect.js';
import { MtrackError } from '../errors.js';
import { assess, refusalOf } from '../upgrade/assess.js';
import { StepClock } from '../upgrade/clock.js';
import { execute } from '../upgrade/execute.js';
import type { Progress } from '../upgrade/progress.js';

export interface Rehearsal {
  readonly from: string;
  readonly to: string;
  /** Of the plan of the database, which the restored copy has as well. */
  readonly planHash: string;
  /** Of the whole upgrade, with its locks and verification. */
  readonly seconds: number;
  readonly steps: readonly StepTime[];
  /** Differences and broken references that are of before the upgrade. */
  readonly remaining: number;
}

export interface StepTime {
  /** In whose turn it came. */
  readonly revision: string;
  readonly title: string;
  readonly seconds: number;
}

export interface RehearseOptions extends BackupContext {
  /** A revision. */
  readonly target: string;
  readonly lockTimeout: number;
  readonly patience: number;
}

/**
 * @returns null where the database is at the target already
 * @throws {MtrackError} REHEARSAL_FAILED, PREFLIGHT_FAILED of the database itself, INTERRUPTED
 */
export async function rehearse(
  scratch: Database,
  database: Database,
  options: RehearseOptions,
): Promise<Rehearsal | null> {
  const { target, patience, lockTimeout, signal } = options;
  const wanted = await assessed(database, target, patience);
  if (!wanted) return null;
  const clock = new StepClock();
  const onProgress = (progress: Progress) => {
    clock.tell(progress);
    tell(progress, options.onProgress);
  };
  try {
    const plan = (await assessed(scratch, target, patience))?.plan;
    if (plan?.hash !== wanted.plan.hash) throw anotherPlan(wanted.plan.hash, plan?.hash);
    const outcome = await execute(scratch, plan, { lockTimeout, patience, signal, onProgress });
    const { remaining, brokenReferences } = outcome.verification;
    return {
      from: plan.from,
      to: plan.to,
      planHash: plan.hash,
      seconds: outcome.seconds,
      steps: clock.steps.map(({ step, revision, seconds }) => ({
        revision,
        title: step.title,
        seconds: Number(seconds.toFixed(3)),
      })),
      remaining: remaining.length + brokenReferences.length,
    };
  } catch (error) {
    if (!(error instanceof MtrackError) || error.code === 'INTERRUPTED' || error.code === 'REHEARSAL_FAILED')
      throw error;
    throw new MtrackError('REHEARSAL_FAILED', {
      found: `${error.code}: ${error.failure.found}`,
      expected: 'the upgrade to succeed on the restored backup, as it is to on the database',
      fix: error.failure.fix?.filter((each) => !/mtrack db upgrade/.test(each)) ?? [],
      cause: error,
    });
  }
}

function anotherPlan(wanted: string, found = 'none'): MtrackError {
  return new MtrackError('REHEARSAL_FAILED', {
    found: `the upgrade of the restored backup (plan ${found}) would not be that of the database (plan ${wanted})`,
    expected: 'the same statements',
    fix: ['compare them: mtrack db plan on the database, and on a database that the backup was restored into'],
  });
}

async function assessed(database: Database, target: string, patience: number) {
  const session = await database.reader(patience);
  try {
    const assessment = await assess(database, target, session);
    const refusal = assessment && refusalOf(assessment);
    if (refusal) throw refusal;
    return assessment;
  } finally {
    await session.close();
  }
}

function tell(progress: Progress, onProgress: BackupContext['onProgress']): void {
  if (progress.event === 'revision') {
    const { id, title } = progress.planned.revision;
    onProgress({ what: `rehearsal: ${id} ${title}`, done: 0, total: null, unit: 'rows' });
  } else if (progress.event === 'rows') {
    const { what, done, total } = progress;
    onProgress({ what: `rehearsal: ${what}`, done, total, unit: 'rows' });
  }
}
