/** `import` between the flags and the core: looked at, agreed to, done, and said what came of it. */
import { writeFileSync } from 'node:fs';
import { confirm } from '@inquirer/prompts';
import type { Database } from '../../dialect/dialect.js';
import { scratchDatabase } from '../../dialect/index.js';
import { shellWord } from '../../dialect/shell.js';
import { FAILURES, MtrackError } from '../../errors.js';
import { resolveTarget } from '../../schema/lineage.js';
import { type Outcome, runImport } from '../../transfer/import.js';
import type { Copied } from '../../transfer/relocate/copy.js';
import { type ImportOptions, refusalOf, type Survey, survey } from '../../transfer/survey.js';
import { fitting, lookAtTarget } from '../../transfer/target.js';
import { waitingNotes } from '../progress.js';
import { copiedLine, countsText, notCopiedText } from '../render/relocate.js';
import { outcomeText, surveyText } from '../render/transfer.js';
import { stopOnSignals } from '../signals.js';
import type { Terminal } from '../terminal.js';
import { ArtifactMove, type MoveFlags } from './artifacts.js';
import { transferDisplay } from './progress.js';
import { type Opener, refuseSame, storeNamed, withSource, withStore } from './stores.js';

export interface ImportFlags extends MoveFlags {
  readonly from?: string | undefined;
  readonly to: string;
  readonly revision?: string | undefined;
  readonly 'dry-run': boolean;
  readonly yes: boolean;
  readonly 'skip-bad': boolean;
  readonly 'long-values': string;
  readonly 'on-conflict': string;
  readonly 'on-difference': string;
  readonly report?: string | undefined;
  readonly 'transaction-rows': number;
  readonly 'wait-timeout': number;
}

/** @param argument the source, where it is not given with --from @throws {MtrackError} */
export async function importStore(
  argument: string | undefined,
  flags: ImportFlags,
  terminal: Terminal,
): Promise<unknown> {
  const from = sourceNamed(argument, flags);
  const to = storeNamed(flags.to, terminal);
  if (to.kind === 'files') {
    throw new MtrackError('URI_INVALID', {
      found: `${to.path} is a file store, which this build cannot write to yet`,
      expected: 'the URI of a database: sqlite:///…, postgresql://…, mysql://…, mssql://…',
    });
  }
  refuseSame(from, flags.to, terminal);
  return withStore(to, '--to', terminal, (database) =>
    withSource(from, '--from', flags, terminal, (opener) => new Import(database, from, flags, terminal).of(opener)),
  );
}

function sourceNamed(argument: string | undefined, { from }: ImportFlags): string {
  const [named, ...others] = [argument, from].filter((each) => each !== undefined);
  if (named !== undefined && others.length === 0) return named;
  throw new MtrackError('USAGE', {
    found: named === undefined ? 'no source is named' : 'the argument and --from name a source each',
    fix: ['give one of them: mtrack import ARCHIVE --to URI, or mtrack import --from URI --to URI'],
  });
}

class Import {
  readonly #database: Database;
  readonly #from: string;
  readonly #flags: ImportFlags;
  readonly #terminal: Terminal;
  readonly #artifacts: ArtifactMove;

  constructor(database: Database, from: string, flags: ImportFlags, terminal: Terminal) {
    this.#database = database;
    this.#from = from;
    this.#flags = flags;
    this.#terminal = terminal;
    this.#artifacts = new ArtifactMove(flags);
  }

  async of(opener: Opener): Promise<unknown> {
    const { signal, release } = stopOnSignals((name) =>
      this.#terminal.note(`${name}: stopping; the next mtrack import goes on from there`),
    );
    const options = this.#options(signal);
    try {
      return await transferDisplay('importing', this.#terminal).run(async (onProgress) => {
        const found = await this.#look(opener, { ...options, onProgress });
        try {
          if (this.#flags['dry-run']) return this.#dryRun(found, options);
          const refusal = refusalOf(found, options);
          if (refusal) throw refusal;
          await this.#agree(found);
          const copied = await this.#artifacts.copy(signal, this.#terminal, options.skipBad);
          return this.#done(await runImport(found, { ...options, onProgress }), copied);
        } finally {
          await found.source.close();
        }
      });
    } finally {
      release();
    }
  }

  #options(signal: AbortSignal): Omit<ImportOptions, 'onProgress'> {
    const conflict = this.#flags['on-conflict'];
    const difference = this.#flags['on-difference'];
    return {
      skipBad: this.#flags['skip-bad'],
      cutLong: this.#flags['long-values'] === 'cut',
      onConflict: conflict === 'rename' || conflict === 'merge' ? conflict : 'fail',
      onDifference: difference === 'source' || difference === 'target' ? difference : 'fail',
      transactionRows: this.#flags['transaction-rows'],
      patience: this.#flags['wait-timeout'],
      signal,
    };
  }

  async #look(opener: Opener, options: ImportOptions): Promise<Survey> {
    let source = await opener.first(this.#database.dialect);
    const session = await this.#database.reader(options.patience, waitingNotes(this.#terminal.note));
    try {
      const whenEmpty = this.#flags.revision === undefined ? source?.revision : resolveTarget(this.#flags.revision);
      const target = await lookAtTarget(this.#database, session, whenEmpty);
      source ??= opener.at(target);
      source = await fitting(source, target, { ...options, openScratch: scratchDatabase });
      source = this.#artifacts.applied(source);
      return await survey(source, target, session, options);
    } catch (error) {
      await source?.close();
      throw error;
    } finally {
      // Before a writer of the same database is opened: see dialect/sqlite/connect.ts.
      await session.close();
    }
  }

  #dryRun(found: Survey, options: Omit<ImportOptions, 'onProgress'>): unknown {
    this.#terminal.say(this.#text(found));
    const refusal = refusalOf(found, options);
    if (refusal) process.exitCode = refusal.exit;
    return { ...surveyJson(found), ...this.#artifactsJson };
  }

  async #agree(found: Survey): Promise<void> {
    if (this.#flags.yes) return;
    this.#terminal.note(this.#text(found));
    if (!this.#terminal.interactive) {
      throw new MtrackError('CONSENT_REQUIRED', {
        found: 'nothing was changed: there is no terminal to ask at, and --yes is missing',
        expected: '--yes',
        fix: [`mtrack import --from ${shellWord(this.#from)} ${this.#database.named} --yes`],
      });
    }
    if (await confirm({ message: 'Import this now?', default: false })) return;
    throw new MtrackError('CONSENT_REQUIRED', { found: 'the answer was no: nothing was changed' });
  }

  #text(found: Survey): string {
    const { counts } = this.#artifacts;
    return [surveyText(found), ...(counts ? [countsText(counts, 'change')] : [])].join('\n');
  }

  get #artifactsJson() {
    const { counts } = this.#artifacts;
    return counts ? { relocated: Object.fromEntries(counts) } : {};
  }

  #done(outcome: Outcome, copied: Copied | null): unknown {
    const { report } = this.#flags;
    const result = {
      ...outcome,
      target: this.#database.shown,
      ...this.#artifactsJson,
      ...(copied && { artifacts: copied }),
    };
    if (report !== undefined) writeFileSync(report, `${JSON.stringify(result, null, 2)}\n`);
    this.#terminal.say(outcomeText(outcome));
    const { counts } = this.#artifacts;
    if (counts) this.#terminal.say(countsText(counts, 'changed'));
    if (copied)
      this.#terminal.say(copied.failed.length > 0 ? notCopiedText(copied) : `artifacts: ${copiedLine(copied)}`);
    if (outcome.unproven.length > 0) process.exitCode = FAILURES.TRANSFER_UNPROVEN.exit;
    else if (outcome.problems.length > 0 || (copied?.failed.length ?? 0) > 0) process.exitCode = FAILURES.PARTIAL.exit;
    return result;
  }
}

function surveyJson({ target, rows, there, problems, renumbered }: Survey): object {
  return {
    target: target.database.shown,
    revision: target.revision,
    makesTables: target.isEmpty,
    rows: Object.fromEntries(rows),
    there: Object.fromEntries(there),
    problems,
    renumbered,
  };
}
