/** The agreement to an upgrade: by a person at a terminal, or by flags that say exactly what is agreed to. */
import { confirm } from '@inquirer/prompts';
import type { Database } from '../dialect/dialect.js';
import { MtrackError } from '../errors.js';
import type { Assessment } from '../upgrade/assess.js';
import { backupCommands, commandOf } from '../upgrade/command.js';
import { type Consent, missing } from '../upgrade/consent.js';
import { costsOf, stepsOf } from '../upgrade/cost.js';
import { sumOf } from '../upgrade/time.js';
import { timeText } from './render/numbers.js';
import { consentText, effectText } from './render/plan.js';

export interface AgreeOptions {
  readonly yes: boolean;
  /** Revisions agreed to by name. */
  readonly accepted: readonly string[];
  readonly interactive: boolean;
  /** Whether a receipt proves that there is a backup. */
  readonly proven: boolean;
  /** The command as it was given, with the flags that are missing. */
  readonly commandWith: (...flags: string[]) => string;
  readonly say: (text: string) => void;
}

/** @throws {MtrackError} CONSENT_REQUIRED, naming the flags that are missing */
export async function agree(assessment: Assessment, database: Database, options: AgreeOptions): Promise<void> {
  const { yes, accepted, interactive, proven, commandWith, say } = options;
  const open = missing(assessment.consents, accepted);
  const backup = backupCommands(database);
  const none = assessment.start.state === 'empty' || proven;
  if (!interactive) {
    if (yes && open.length === 0) return;
    throw new MtrackError('CONSENT_REQUIRED', {
      found: [
        'nothing was changed: there is no terminal to ask at, and the flags do not cover',
        ...(yes ? [] : ['- the upgrade (--yes)']),
        ...open.flatMap((consent) => ['', ...warning(consent, assessment)]),
      ].join('\n'),
      expected: `--yes${open.length > 0 ? ', and for each revision that cannot be undone its own --accept' : ''}`,
      fix: [
        ...(none ? [] : [`take a backup: ${backup.ours}`, `or with the database's own tool: ${backup.own}`]),
        commandWith(...(yes ? [] : ['--yes']), ...open.map(({ revision }) => `--accept ${revision}`)),
      ],
      details: { missing: open.map(({ revision }) => revision), consents: open },
    });
  }
  if (!none) {
    say(
      [
        '',
        '! Nothing proves that there is a backup (--require-backup) or that this upgrade will succeed (--require-rehearsal).',
        `    A backup first: ${backup.ours}`,
        `    or with the database's own tool: ${backup.own}`,
        `    then the proof: ${commandOf('db backup-check BACKUP', database, '--restore', '--rehearse')}`,
        '',
      ].join('\n'),
    );
  }
  for (const consent of open) {
    say(warning(consent, assessment).join('\n'));
    await ask(`Agree to ${consent.revision}, which cannot be undone?`);
  }
  if (!yes) await ask('Upgrade this database now?');
}

async function ask(message: string): Promise<void> {
  if (await confirm({ message, default: false })) return;
  throw new MtrackError('CONSENT_REQUIRED', { found: 'the answer was no: nothing was changed' });
}

/** A consent with what the revision does to others while it runs. */
export function warning(consent: Consent, assessment: Assessment): string[] {
  const steps = stepsOf(assessment.plan).filter(({ revisions }) => revisions.includes(consent.revision));
  const costs = costsOf(assessment);
  const time = sumOf(steps.map((step) => costs.of(step).time));
  const effects = [...new Set(steps.flatMap(({ effects }) => effects).map(effectText))];
  return [
    ...consentText(consent),
    ...effects.map((line) => `    ${line}, ${time.basis === 'rehearsed' ? 'when rehearsed ' : ''}${timeText(time)}.`),
  ];
}
