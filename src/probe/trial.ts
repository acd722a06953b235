/**
 * How long the steps of a plan take here: they are run on samples of the rows, in scratch databases on the same server (of a
 * file: in the folder for temporary files), and what they took there is scaled to all rows. The database itself is only read.
 */
import type { Database, Dialect } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import { MtrackError, messageOf } from '../errors.js';
import { schemaAt } from '../schema/lineage.js';
import { type Assessment, assess } from '../upgrade/assess.js';
import { StepClock } from '../upgrade/clock.js';
import { tablesInPlan } from '../upgrade/cost.js';
import { execute } from '../upgrade/execute.js';
import { makeTables } from '../upgrade/init.js';
import type { Plan } from '../upgrade/plan.js';
import { stopIfAsked } from '../upgrade/steps.js';
import { named } from '../upgrade/watch.js';
import { copySample, countedRows, type RowCounts, type SampleOptions, withParents } from './sample.js';
import { scaled, shareBeyondMemory, type Trial, type Whole } from './scale.js';

export interface TrialOptions {
  readonly signal: AbortSignal;
  /** Milliseconds to wait for a writer that keeps readers out. */
  readonly patience: number;
  /** Rows that the largest table has in the sample at the least, where it has as many. */
  readonly sampleRows: number;
  readonly onProgress: (what: string) => void;
}

/** The sample is no smaller part of the largest table, and has no more of its rows. */
const LEAST_SHARE = 1 / 20;
const MOST_ROWS = 1_000_000;
/** The smaller of the two samples, from which is seen what does not grow: so short that whatever else runs hardly counts. */
const SMALLER = 1 / 50;
/** Nobody else is there: to wait for, in milliseconds. */
const LOCK_MS = 10_000;

/**
 * @returns the assessment with the times of its steps, as far as they are known then; where no sample can be made, with why
 * @throws {MtrackError} INTERRUPTED; RESTORE_FAILED where no scratch database can be made
 */
export async function timeOnSample(
  database: Database,
  assessment: Assessment,
  options: TrialOptions,
): Promise<Assessment> {
  const { start, plan } = assessment;
  if (plan.initial) return assessment;
  if (start.state === 'at' && start.partWay) return untimed(assessment, 'an upgrade was cut off inside a revision');
  try {
    const { whole, trials } = await trialsOf(database, assessment, options);
    return { ...assessment, measured: scaled(plan, whole, trials) };
  } catch (error) {
    stopIfAsked(options.signal);
    if (error instanceof MtrackError && error.code === 'RESTORE_FAILED') throw error;
    // Rows that the model has no place for, or that the upgrade refuses.
    return untimed(assessment, `no sample could be made: ${messageOf(error)}`);
  }
}

const untimed = (assessment: Assessment, lacks: string): Assessment => ({
  ...assessment,
  measured: { basis: 'probed', steps: new Map(), rest: null, lacks },
});

/** Runs the plan on samples: on a small one, and twice on a large one. @returns with the size of the database */
export async function trialsOf(
  database: Database,
  assessment: Assessment,
  options: TrialOptions,
): Promise<{ readonly whole: Whole; readonly trials: readonly Trial[] }> {
  const { dialect } = database;
  const { start, plan } = assessment;
  const schema = schemaAt(plan.from, dialect.traits);
  const tables = withParents(tablesInPlan(plan, start.schema), schema);
  const reader = await database.reader(options.patience);
  const whole = await measured(reader, dialect, tables).finally(() => reader.close());
  const { rows } = whole;
  const largest = Math.max(1, ...rows.values());
  const least = Math.max(LEAST_SHARE, ...tables.map((table) => shareBeyondMemory(table, whole)));
  const wanted = Math.max(options.sampleRows, Math.min(MOST_ROWS, largest * least));
  const share = Math.min(1, wanted / largest);
  const trials: Trial[] = [];
  for (const each of share < 1 ? [share * SMALLER, share, share] : [1]) {
    options.onProgress(`timing the plan on ${Math.ceil(each * largest)} of ${largest} rows of the largest table`);
    const sample: SampleOptions = { schema, tables, rows, share: each, signal: options.signal };
    trials.push(await tried(database, plan, sample, options.patience));
  }
  return { whole, trials };
}

async function measured(session: Session, dialect: Dialect, tables: readonly string[]): Promise<Whole> {
  const stats = await dialect.readStats(session, tables);
  return {
    rows: await countedRows(session, dialect, stats),
    bytes: new Map([...stats].map(([table, { bytes }]) => [table, bytes])),
    memory: await dialect.memory(session),
  };
}

/** Runs the plan on a sample, in a scratch database that is made and dropped. */
async function tried(database: Database, plan: Plan, sample: SampleOptions, patience: number): Promise<Trial> {
  const backups = await database.backups();
  const scratch = await backups.createScratch();
  try {
    await makeTables(scratch.database, plan.from);
    const rows = await copied(database, scratch.database, sample, patience);
    return { rows, ...(await clocked(scratch.database, plan.to, sample.signal)) };
  } finally {
    await scratch.drop();
  }
}

/** The database is read for no longer than this takes. */
async function copied(from: Database, to: Database, sample: SampleOptions, patience: number): Promise<RowCounts> {
  const { dialect } = from;
  // A snapshot of a file may be a copy of it: its rows may as well be of different moments.
  const isFile = dialect.transaction === 'upgrade';
  const source = await (isFile ? from.reader(patience) : from.snapshot(patience));
  try {
    const loader = await to.loader();
    return await copySample(source, loader, dialect, sample).finally(() => loader.close());
  } finally {
    await source.close();
  }
}

async function clocked(scratch: Database, target: string, signal: AbortSignal): Promise<Omit<Trial, 'rows'>> {
  const reader = await scratch.reader(0);
  const assessment = await assess(scratch, target, reader).finally(() => reader.close());
  if (!assessment) return { steps: new Map(), rest: 0 };
  const clock = new StepClock();
  const options = { lockTimeout: LOCK_MS, patience: 0, signal, onProgress: clock.tell };
  const { seconds } = await execute(scratch, assessment.plan, options);
  // The plan is made again when it is run: its steps are told by their names.
  const names = named(clock.steps.map(({ step }) => step));
  const steps = new Map(clock.steps.map(({ step, seconds }) => [names.get(step) ?? '', seconds]));
  const inSteps = clock.steps.reduce((sum, step) => sum + step.seconds, 0);
  return { steps, rest: Math.max(0, seconds - inSteps) };
}
