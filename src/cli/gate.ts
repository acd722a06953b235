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
  readonly 'require-backup'?: string | undefined;
  readonly 'require-rehearsal': boolean;
  readonly 'max-age'?: number | undefined;
  readonly 'lock-timeout': number;
}

export interface Proof {
  /** With the times of the rehearsal, where it was of this plan. */
  readonly assessment: Assessment;
  /** Hash of the receipt; null where none was asked for. */
  readonly receipt: string | null;
}

/** @throws {MtrackError} GATE_REFUSED, BACKUP_STALE */
export async function proofOf(
  assessment: Assessment,
  database: Database,
  flags: GateFlags,
  terminal: Terminal,
): Promise<Proof> {
  const path = flags['require-backup'];
  if (path === undefined) return { assessment, receipt: null };
  const { signal, release } = stopOnSignals((name) => terminal.note(`${name}: stopping; nothing was changed`));
  try {
    const passed = await showing('proof of a backup', terminal, (onProgress) =>
      passGate(database, {
        path,
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
    return { assessment: withTimes(assessment, passed), receipt: passed.receipt.hash };
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
  const seconds = rehearsal.steps.map((step) => step.seconds);
  const measured = {
    basis: 'rehearsed',
    steps: new Map(steps.map((step, i) => [step, seconds[i] ?? 0])),
    rest: Math.max(0, rehearsal.seconds - seconds.reduce((sum, each) => sum + each, 0)),
    lacks: null,
  } as const;
  return { ...assessment, measured };
}

/** The flags again, for a command to be copied. */
export function gateFlags(flags: GateFlags): string[] {
  const path = flags['require-backup'];
  return [
    ...(path === undefined ? [] : ['--require-backup', shellWord(path)]),
    ...(flags['require-rehearsal'] ? ['--require-rehearsal'] : []),
    ...(flags['max-age'] === undefined ? [] : ['--max-age', `${flags['max-age']}ms`]),
  ];
}
