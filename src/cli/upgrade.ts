/** `db upgrade` between the flags and the core: which of its four faces is asked for, and what is shown of it. */

import type { Database } from '../dialect/dialect.js';
import { offlineDialect, SCHEMES } from '../dialect/index.js';
import { shellWord } from '../dialect/shell.js';
import type { Restored } from '../downgrade/restore.js';
import { MtrackError } from '../errors.js';
import { BASE, isKnown, positionOf, resolveTarget } from '../schema/lineage.js';
import { type Assessment, assess, refusalOf } from '../upgrade/assess.js';
import { backupCommands, commandOf } from '../upgrade/command.js';
import { checkAccepted } from '../upgrade/consent.js';
import { execute, type Outcome } from '../upgrade/execute.js';
import { planOffline, scriptOf } from '../upgrade/script.js';
import { secretsOf, wordsOf } from '../uri.js';
import { agree, warning } from './agree.js';
import { gateFlags, type Proof, proofOf } from './gate.js';
import { recorded } from './history.js';
import { type Display, liveDisplay, plainDisplay, silentDisplay, waitingNotes } from './progress.js';
import { outcomeJson, planJson } from './render/json.js';
import { count, duration, plural } from './render/numbers.js';
import { atText, findingsText, planText, summaryText } from './render/plan.js';
import { stopOnSignals } from './signals.js';
import { namedDatabase, withDatabase } from './store.js';
import type { Terminal } from './terminal.js';

export interface UpgradeFlags {
  readonly 'backend-store-uri'?: string | undefined;
  readonly 'backend-store-uri-file'?: string | undefined;
  readonly to: string;
  readonly 'dry-run': boolean;
  readonly sql: boolean;
  readonly dialect?: string | undefined;
  readonly yes: boolean;
  readonly accept: readonly string[];
  readonly 'lock-timeout': number;
  readonly 'wait-timeout': number;
  readonly 'require-backup'?: string | undefined;
  readonly 'require-rehearsal': boolean;
  readonly 'max-age'?: number | undefined;
  readonly 'history-file'?: string | undefined;
  readonly 'restore-side-file': readonly string[];
}

interface Input {
  readonly argument: string | undefined;
  readonly flags: UpgradeFlags;
}

/**
 * `mtrack db upgrade` from its flags to the value that `--json` prints: locate, plan, agree, execute, verify.
 * @throws {MtrackError}
 */
export async function runUpgrade(input: Input, terminal: Terminal): Promise<unknown> {
  const { flags } = input;
  checkAccepted(flags.accept, isKnown);
  if (flags.to.includes(':')) return offlineScript(input, terminal);
  const target = resolveTarget(flags.to);
  const store = namedDatabase(input);
  terminal.keepSecret(secretsOf(store.uri), wordsOf(store.uri));
  return withDatabase(store, terminal.note, async (database) => {
    const restored = await restoreOnTheWay(database, target, input, terminal);
    const result = await upgradeOpen(database, target, input, terminal);
    return restored.length > 0 && typeof result === 'object' ? { ...result, restored } : result;
  });
}

/** Each side file belongs to the revision that its rows are of: the upgrade stops there for as long as it is put back. */
async function restoreOnTheWay(
  database: Database,
  target: string,
  input: Input,
  terminal: Terminal,
): Promise<(Restored & { readonly path: string })[]> {
  const paths = input.flags['restore-side-file'];
  if (paths.length === 0) return [];
  const { readHeader } = await import('../downgrade/side-file.js');
  const { restoreSideFile } = await import('../downgrade/restore.js');
  const files = await Promise.all(paths.map(async (path) => ({ path, from: (await readHeader(path)).from })));
  const late = files.find(({ from }) => positionOf(from) > positionOf(target));
  if (late) {
    throw new MtrackError('USAGE', {
      found: `${late.path} holds rows of revision ${late.from}, which comes after the target, ${target}`,
      expected: `a target from ${late.from} on`,
      fix: ['name a later target with --to, or none for the head'],
    });
  }
  const results: (Restored & { path: string })[] = [];
  let since: string | null = null;
  for (const { path, from } of files.toSorted((a, b) => positionOf(a.from) - positionOf(b.from))) {
    await upgradeOpen(database, from, input, terminal);
    const counts: Restored = await restoreSideFile(path, database, since);
    since = from;
    terminal.say(
      `${path}: ${plural(counts.restored, 'row')} put back, ${count(counts.left)} left as they are, ${count(counts.gone)} without a row to go to`,
    );
    results.push({ path, ...counts });
  }
  return results;
}

async function upgradeOpen(database: Database, target: string, input: Input, terminal: Terminal): Promise<unknown> {
  const { flags } = input;
  // Nothing is waited for where nothing is done; an upgrade waits for the one that runs.
  const patience = flags['dry-run'] || flags.sql ? flags['lock-timeout'] : flags['wait-timeout'];
  const session = await database.reader(patience, waitingNotes(terminal.note));
  let assessment: Assessment | null;
  try {
    assessment = await assess(database, target, session);
    if (assessment && flags.sql) return await script(assessment, database, session, terminal);
  } finally {
    // Before a writer of the same database is opened: see dialect/sqlite/connect.ts.
    await session.close();
  }
  if (!assessment) return upToDate(target, database, flags.sql, terminal);
  const proof = await proofOf(assessment, database, flags, terminal);
  if (flags['dry-run']) return dryRun(proof.assessment, database, terminal);
  return upgrade(proof, database, input, terminal);
}

function upToDate(target: string, database: Database, sql: boolean, { say }: Terminal): unknown {
  const text = `at revision ${atText(target)}: nothing to do`;
  if (sql) {
    // Whoever asked for a script hands it to the database's client, which must take it for one.
    const script = `-- ${text}\n`;
    say(script);
    return { from: target, to: target, sql: script };
  }
  say(text);
  return { from: target, to: target, applied: [], database: database.shown };
}

function dryRun(assessment: Assessment, database: Database, { say }: Terminal): unknown {
  say(planText(assessment, database.dialect));
  const refusal = refusalOf(assessment);
  if (refusal) process.exitCode = refusal.exit;
  return planJson(assessment);
}

async function upgrade(
  { assessment, receipt }: Proof,
  database: Database,
  { flags }: Input,
  terminal: Terminal,
): Promise<unknown> {
  const refusal = refusalOf(assessment);
  if (refusal) throw refusal;
  terminal.note(summaryText(assessment, database.dialect));
  if (database.absent) terminal.note(`there is no ${database.target.database} yet: it will be made`);
  await agree(assessment, database, {
    yes: flags.yes,
    accepted: flags.accept,
    interactive: terminal.interactive,
    proven: receipt !== null,
    commandWith: (...missing) =>
      commandOf(
        'db upgrade',
        database,
        ...(flags.to === 'head' ? [] : ['--to', shellWord(flags.to)]),
        ...(flags.yes ? ['--yes'] : []),
        ...flags.accept.map((each) => `--accept ${each}`),
        ...gateFlags(flags),
        ...missing,
      ),
    say: terminal.note,
  });
  const { signal, release } = stopOnSignals((name, again) =>
    terminal.note(
      again
        ? `${name}: still at it; to give up at once: kill -9 ${process.pid} (the next mtrack db upgrade goes on from there)`
        : `${name}: stopping at the next safe point, when the statement that runs has ended`,
    ),
  );
  try {
    const { from, to, hash, initial } = assessment.plan;
    const run = { command: 'db upgrade', from: initial ? null : from, to, plan: hash, receipt };
    const outcome = await recorded(
      { file: flags['history-file'], database, run, terminal },
      () =>
        displayFor(terminal, 'upgrade').run((onProgress) =>
          execute(database, assessment.plan, {
            lockTimeout: flags['lock-timeout'],
            patience: flags['wait-timeout'],
            signal,
            onProgress,
          }),
        ),
      ({ applied }) => applied,
    );
    terminal.say(outcomeText(outcome, database));
    return { ...outcomeJson(outcome), database: database.shown };
  } finally {
    release();
  }
}

/** @param title what runs, in a word */
export function displayFor({ interactive, json, note }: Terminal, title: string): Display {
  if (json) return silentDisplay;
  return interactive ? liveDisplay(title) : plainDisplay(note);
}

function outcomeText({ applied, to, seconds, verification }: Outcome, database: Database): string {
  const done =
    applied.length === 0
      ? `at revision ${atText(to)}: another upgrade did it`
      : `upgraded to ${atText(to)}: ${plural(applied.length, 'revision')} in ${duration(seconds)}; schema and rows verified`;
  const { remaining, brokenReferences } = verification;
  return [
    done,
    ...(remaining.length > 0
      ? [
          `differences from before the upgrade that are still there: ${remaining.length}; they are listed by ${commandOf('db status', database)}`,
        ]
      : []),
    ...brokenReferences.map((line) => `as before the upgrade: ${line}`),
  ].join('\n');
}

// ---------------------------------------------------------------- scripts

async function script(
  assessment: Assessment,
  database: Database,
  session: Awaited<ReturnType<Database['reader']>>,
  { say, note }: Terminal,
): Promise<unknown> {
  const { plan, start } = assessment;
  const hasVersionTable = start.schema.tables.has('alembic_version');
  const run = database.dialect.script.runWith(database.target);
  const text = await scriptOf(plan, database.dialect, { session, live: start.schema, hasVersionTable }, [
    `mtrack db upgrade --sql: ${database.shown}`,
    `from ${plan.initial ? 'an empty database' : plan.from} to ${plan.to}`,
    `run it with: ${run}`,
    `backup first: ${backupCommands(database).ours}`,
    `or with the database's own tool: ${backupCommands(database).own}`,
    ...assessment.consents.flatMap((consent) => warning(consent, assessment)),
  ]);
  for (const line of findingsText(assessment.findings)) note(line);
  // The script goes into a file, and nobody is asked: whoever runs it agrees. The one who writes it is told here.
  for (const consent of assessment.consents) note(warning(consent, assessment).join('\n'));
  say(text.trimEnd());
  return { from: plan.initial ? null : plan.from, to: plan.to, sql: text, run, consents: assessment.consents };
}

async function offlineScript({ argument, flags }: Input, { say }: Terminal): Promise<unknown> {
  const [from = '', to = ''] = flags.to.split(':');
  if (!flags.sql) {
    throw new MtrackError('USAGE', {
      found: `--to ${flags.to}, a range`,
      expected: 'a range with --sql only: a database has its own beginning',
      fix: [`mtrack db upgrade --sql --to ${flags.to} --dialect ${SCHEMES[0]}`, `mtrack db upgrade --to ${to}`],
    });
  }
  if (flags.dialect !== undefined && !SCHEMES.includes(flags.dialect)) {
    throw new MtrackError('USAGE', {
      found: `--dialect ${flags.dialect}`,
      expected: `one of ${SCHEMES.join(', ')}`,
      fix: [`mtrack db upgrade --sql --to ${flags.to} --dialect ${SCHEMES[0]}`],
    });
  }
  const scheme = flags.dialect ?? schemeOf({ argument, flags });
  const dialect = await offlineDialect(scheme);
  const [first, last] = [resolveTarget(from), resolveTarget(to)];
  if (positionOf(first) > positionOf(last)) {
    throw new MtrackError('USAGE', {
      found: `--to ${flags.to}: ${first} comes after ${last}`,
      expected: 'a range of revisions from the older one to the newer one',
      fix: [`to go back: mtrack db downgrade --to ${last}`],
    });
  }
  const plan = planOffline(first, last, dialect);
  const text = await scriptOf(plan, dialect, null, [
    'mtrack db upgrade --sql, written without a database',
    `for ${scheme}, from ${first === BASE ? 'the five tables of MLflow 0.9' : first} to ${last}`,
    'take a backup first',
    'Constraints are called as MLflow and the server call them on a new database; a script made with a connection uses the names that are there.',
  ]);
  say(text.trimEnd());
  return { from: first, to: last, sql: text };
}

/** Of the store, where one is named: it need not be there. */
function schemeOf(input: Input): string {
  try {
    return namedDatabase(input).uri.scheme;
  } catch (error) {
    if (!(error instanceof MtrackError) || error.code !== 'USAGE') throw error;
    const dialect = `say what kind of database the script is for: --dialect ${SCHEMES.join(', ')}`;
    throw new MtrackError('USAGE', { ...error.failure, fix: [dialect, ...(error.failure.fix ?? [])] });
  }
}
