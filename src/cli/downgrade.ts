/** `db downgrade` between the flags and the core: plan, agreement to what is lost, side file, and what is shown of it. */
import { existsSync } from 'node:fs';
import { confirm } from '@inquirer/prompts';
import type { Database } from '../dialect/dialect.js';
import { shellWord } from '../dialect/shell.js';
import { assessDowngrade, type Downgrade, refusalOf } from '../downgrade/assess.js';
import { type DowngradeOutcome, executeDowngrade } from '../downgrade/execute.js';
import type { Loss } from '../downgrade/losses.js';
import { MtrackError } from '../errors.js';
import { resolveTarget } from '../schema/lineage.js';
import { blockedTables } from '../upgrade/blocked.js';
import { backupCommands, commandOf } from '../upgrade/command.js';
import { secretsOf, wordsOf } from '../uri.js';
import { recorded } from './history.js';
import { waitingNotes } from './progress.js';
import { blockedText } from './render/hazards.js';
import { outcomeJson, planJson } from './render/json.js';
import { count, duration, plural } from './render/numbers.js';
import { atText, findingsText, planText } from './render/plan.js';
import { stopOnSignals } from './signals.js';
import { namedDatabase, withDatabase } from './store.js';
import type { Terminal } from './terminal.js';
import { displayFor } from './upgrade.js';

export interface DowngradeFlags {
  readonly 'backend-store-uri'?: string | undefined;
  readonly 'backend-store-uri-file'?: string | undefined;
  readonly to: string;
  readonly 'dry-run': boolean;
  readonly yes: boolean;
  readonly 'accept-loss'?: string | undefined;
  readonly 'side-file'?: string | undefined;
  readonly 'history-file'?: string | undefined;
  readonly 'lock-timeout': number;
  readonly 'wait-timeout': number;
}

interface Input {
  readonly argument: string | undefined;
  readonly flags: DowngradeFlags;
}

export async function runDowngrade(input: Input, terminal: Terminal): Promise<unknown> {
  const target = resolveTarget(input.flags.to);
  const store = namedDatabase(input);
  terminal.keepSecret(secretsOf(store.uri), wordsOf(store.uri));
  return withDatabase(store, terminal.note, async (database) => {
    const session = await database.reader(input.flags['wait-timeout'], waitingNotes(terminal.note));
    const downgrade = await assessDowngrade(database, target, session).finally(() => session.close());
    if (!downgrade) {
      terminal.say(`at revision ${atText(target)}: nothing to do`);
      return { from: target, to: target, applied: [], database: database.shown };
    }
    const refusal = refusalOf(downgrade);
    if (input.flags['dry-run']) {
      terminal.say(text(downgrade, database).join('\n'));
      if (refusal) {
        terminal.say(`\nx ${refusal.failure.found}`);
        process.exitCode = refusal.exit;
      }
      return json(downgrade);
    }
    if (refusal) throw refusal;
    return run(downgrade, database, input, terminal);
  });
}

async function run(downgrade: Downgrade, database: Database, input: Input, terminal: Terminal): Promise<unknown> {
  const { flags } = input;
  const sideFile = flags['side-file'] ?? freeName(downgrade);
  if (downgrade.losses.length > 0 && existsSync(sideFile)) {
    throw new MtrackError('SIDE_FILE', {
      found: `there is ${sideFile} already`,
      expected: 'a file that is not there yet: what an earlier downgrade wrote is not written over',
      fix: ['name another one with --side-file'],
    });
  }
  terminal.note(text(downgrade, database).join('\n'));
  await agree(downgrade, database, sideFile, input, terminal);
  const { signal, release } = stopOnSignals((name) =>
    terminal.note(`${name}: stopping at the next safe point, when the statement that runs has ended`),
  );
  try {
    const { from, to } = downgrade.plan;
    const about = { command: 'db downgrade', from, to, plan: downgrade.hash, receipt: null };
    const outcome = await recorded(
      { file: flags['history-file'], database, run: about, terminal },
      () =>
        displayFor(terminal, 'downgrade').run((onProgress) =>
          executeDowngrade(database, downgrade, {
            lockTimeout: flags['lock-timeout'],
            patience: flags['wait-timeout'],
            signal,
            onProgress,
            sideFile,
          }),
        ),
      ({ applied }) => applied,
    );
    terminal.say(outcomeText(outcome, database));
    const { sideFile: written, losses } = outcome;
    return { ...outcomeJson(outcome), sideFile: written, losses, database: database.shown };
  } finally {
    release();
  }
}

/** The first free name in this folder, so that a run after one that was cut off has a file of its own. */
function freeName({ plan }: Downgrade): string {
  const name = (n: number) => `mtrack-downgrade-${plan.from}-to-${plan.to}${n > 1 ? `-${n}` : ''}.jsonl`;
  let n = 1;
  while (existsSync(name(n))) n++;
  return name(n);
}

/** @throws {MtrackError} CONSENT_REQUIRED */
async function agree(
  { losses, hash }: Downgrade,
  database: Database,
  sideFile: string,
  { flags }: Input,
  { interactive, note }: Terminal,
): Promise<void> {
  const isAgreed = losses.length === 0 || flags['accept-loss'] === hash;
  if (flags.yes && isAgreed) return;
  if (interactive && flags['accept-loss'] === undefined) {
    note(`\nA backup first: ${backupCommands(database).ours}\n`);
    const question =
      losses.length > 0
        ? `Downgrade this database, and lose what is listed (it is written to ${sideFile} first)?`
        : 'Downgrade this database now?';
    if (await confirm({ message: question, default: false })) return;
    throw new MtrackError('CONSENT_REQUIRED', { found: 'the answer was no: nothing was changed' });
  }
  const wrong = flags['accept-loss'] !== undefined && !isAgreed;
  throw new MtrackError('CONSENT_REQUIRED', {
    found: wrong
      ? `--accept-loss ${flags['accept-loss']} is of another plan: the database, or what would be lost, is not as it was`
      : 'nothing was changed: the flags do not cover the downgrade',
    expected: losses.length > 0 ? '--yes, and --accept-loss with the hash of this very plan' : '--yes',
    fix: [
      `take a backup: ${backupCommands(database).ours}`,
      commandOf(
        'db downgrade',
        database,
        '--to',
        shellWord(flags.to),
        '--yes',
        ...(losses.length > 0 ? ['--accept-loss', hash] : []),
        ...(flags['side-file'] === undefined ? [] : ['--side-file', shellWord(sideFile)]),
      ),
    ],
    details: { hash, losses },
  });
}

// ---------------------------------------------------------------- texts

/** No command times the way back. */
const NOT_TIMED = { because: 'nothing was timed', command: 'the same downgrade of a restored backup' };

function text(downgrade: Downgrade, database: Database): string[] {
  const { dialect } = database;
  const { losses, findings } = downgrade;
  return [
    planText({ ...downgrade, consents: [], findings: [] }, dialect),
    '',
    ...blockedText(blockedTables(downgrade, dialect), NOT_TIMED),
    '',
    ...(losses.length > 0
      ? ['what the earlier schema cannot hold (it is written to a side file first):', ...losses.map(lossText)]
      : ['nothing is lost: the earlier schema holds all that is there']),
    ...findingsText(findings),
  ];
}

function lossText({ kind, table, columns, length, rows }: Loss): string {
  switch (kind) {
    case 'rows':
      return `    ${plural(rows, 'row')} of ${table}, which goes`;
    case 'values':
      return `    ${plural(rows, 'row')} of ${table}: ${columns.join(', ')}, which ${columns.length === 1 ? 'goes' : 'go'}`;
    case 'cut':
      return `    ${plural(rows, 'row')} of ${table}: ${columns.join(', ')} longer than ${count(length ?? 0)} characters, cut there`;
  }
}

function json(downgrade: Downgrade): Record<string, unknown> {
  const { plan, losses, obstacles, hash } = downgrade;
  return { ...planJson({ ...downgrade, plan, consents: [] }), hash, losses, obstacles };
}

function outcomeText({ to, applied, seconds, sideFile, losses }: DowngradeOutcome, database: Database): string {
  const lost = losses.reduce((sum, { rows }) => sum + rows, 0);
  return [
    `downgraded to ${atText(to)}: ${plural(applied.length, 'revision')} in ${duration(seconds)}; schema and rows verified`,
    ...(sideFile === null
      ? []
      : [
          `${plural(lost, 'row')} in ${sideFile}; to have them back when the database is upgraded again:`,
          `    ${commandOf('db upgrade', database, '--restore-side-file', shellWord(sideFile))}`,
        ]),
  ].join('\n');
}
