/** The proof that an upgrade can be made to ask for: shown what it is, and taken into the plan. */
import { type Passed, passGate } from '../backup/gate.js';
import type { Database } from '../dialect/dialect.js';
import { shellWord } from '../dialect/shell.js';
import type { Assessment } from '../upgrade/assess.js';
import { stepsOf } from '../upgrade/cost.js';
import { showing } from './backup-progress.js';
import { duration, plural } from './render/numbers.js';
import { stopOnSignals } from './signals.js';
import type { Terminal } from './terminal.js';

export interface GateFlags {
  readonly 'require-backup': string;
  readonly 'require-rehearsal': boolean;
  readonly 'max-age'?: number | undefined;
  readonly 'lock-timeout': number;
}

/** @returns the assessment, with the times of the rehearsal where it was of this plan @throws {MtrackError} GATE_REFUSED, BACKUP_STALE */
export async function gated(
  assessment: Assessment,
  database: Database,
  flags: GateFlags,
  terminal: Terminal,
): Promise<Assessment> {
  const { signal, release } = stopOnSignals((name) => terminal.note(`${name}: stopping; nothing was changed`));
  try {
    const passed = await showing('proof of a backup', terminal, (onProgress) =>
      passGate(database, {
        path: flags['require-backup'],
        maxAge: flags['max-age'] ?? null,
        rehearsed: flags['require-rehearsal'],
        planHash: assessment.plan.hash,
        patience: flags['lock-timeout'],
        now: Date.now(),
        signal,
        onProgress,
      }),
    );
    terminal.note(passedText(passed));
    return withTimes(assessment, passed);
  } finally {
    release();
  }
}

function passedText({ path, receipt, lacks }: Passed): string {
  const age = duration((Date.now() - receipt.backup.taken.at) / 1000);
  const since = [
    ...((lacks.runs ?? 0) > 0 ? [plural(lacks.runs ?? 0, 'run')] : []),
    ...((lacks.metrics ?? 0) > 0 ? [plural(lacks.metrics ?? 0, 'metric')] : []),
  ];
  return `${path} holds: the backup was taken ${age} ago and restored${receipt.rehearsal ? ', and an upgrade rehearsed on it' : ''}${since.length > 0 ? `; it lacks ${since.join(' and ')} that came since` : ''}`;
}

function withTimes(assessment: Assessment, { receipt: { rehearsal } }: Passed): Assessment {
  const steps = stepsOf(assessment.plan);
  // A step that had to be tried again is told twice: then the times are of no step for certain.
  if (rehearsal?.planHash !== assessment.plan.hash || rehearsal.steps.length !== steps.length) return assessment;
  return { ...assessment, measured: new Map(steps.map((step, i) => [step, rehearsal.steps[i]?.seconds ?? 0])) };
}

/** The flags again, for a command to be copied. */
export function gateFlags(flags: {
  readonly 'require-backup'?: string | undefined;
  readonly 'require-rehearsal': boolean;
  readonly 'max-age'?: number | undefined;
}): string[] {
  const path = flags['require-backup'];
  return [
    ...(path === undefined ? [] : ['--require-backup', shellWord(path)]),
    ...(flags['require-rehearsal'] ? ['--require-rehearsal'] : []),
    ...(flags['max-age'] === undefined ? [] : ['--max-age', `${flags['max-age']}ms`]),
  ];
}
