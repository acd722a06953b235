/** Runs the very upgrade that is to come on a restored backup, and measures each of its steps. */
import type { BackupContext } from '../dialect/backups.js';
import type { Database } from '../dialect/dialect.js';
import { MtrackError } from '../errors.js';
import { assess, refusalOf } from '../upgrade/assess.js';
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
  const clock = new Clock(options.onProgress);
  try {
    const plan = (await assessed(scratch, target, patience))?.plan;
    if (plan?.hash !== wanted.plan.hash) throw anotherPlan(wanted.plan.hash, plan?.hash);
    const outcome = await execute(scratch, plan, { lockTimeout, patience, signal, onProgress: clock.tell });
    const { remaining, brokenReferences } = outcome.verification;
    return {
      from: plan.from,
      to: plan.to,
      planHash: plan.hash,
      seconds: outcome.seconds,
      steps: clock.steps,
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

/** Takes the time of each step from what an upgrade tells. */
class Clock {
  readonly steps: StepTime[] = [];
  readonly #onProgress: BackupContext['onProgress'];
  #running: { revision: string; title: string; since: number } | null = null;
  #revision = '';

  constructor(onProgress: BackupContext['onProgress']) {
    this.#onProgress = onProgress;
  }

  readonly tell = (progress: Progress): void => {
    switch (progress.event) {
      case 'revision':
        this.#end();
        this.#revision = progress.planned.revision.id;
        this.#onProgress({
          what: `rehearsal: ${progress.planned.revision.id} ${progress.planned.revision.title}`,
          done: 0,
          total: null,
          unit: 'rows',
        });
        break;
      case 'step':
        this.#end();
        this.#running = { revision: this.#revision, title: progress.step.title, since: performance.now() };
        break;
      case 'rows':
        this.#onProgress({
          what: `rehearsal: ${progress.what}`,
          done: progress.done,
          total: progress.total,
          unit: 'rows',
        });
        break;
      case 'revision-done':
      case 'verifying':
        this.#end();
        break;
      default:
    }
  };

  #end(): void {
    if (this.#running === null) return;
    const { revision, title, since } = this.#running;
    this.steps.push({ revision, title, seconds: Number(((performance.now() - since) / 1000).toFixed(3)) });
    this.#running = null;
  }
}
