/** `import` between the flags and the core: looked at, agreed to, done, and said what came of it. */
import { confirm } from '@inquirer/prompts';
import type { Database } from '../../dialect/dialect.js';
import { explained } from '../../dialect/explain.js';
import { offlineDialect, SCHEMES, scratchDatabase } from '../../dialect/index.js';
import { shellWord } from '../../dialect/shell.js';
import { FAILURES, MtrackError } from '../../errors.js';
import { HEAD, resolveTarget, schemaAt } from '../../schema/lineage.js';
import { type Outcome, runImport } from '../../transfer/import.js';
import { FileTarget } from '../../transfer/into-files/index.js';
import type { Copied } from '../../transfer/relocate/copy.js';
import { broughtTo } from '../../transfer/scratch.js';
import type { Source } from '../../transfer/source.js';
import { type ImportOptions, refusalOf, type Survey, survey } from '../../transfer/survey.js';
import { fitting, lookAtTarget } from '../../transfer/target.js';
import { recorded, runOf } from '../history.js';
import { waitingNotes } from '../progress.js';
import { plural } from '../render/numbers.js';
import { copiedLine, countsText, notCopiedText } from '../render/relocate.js';
import { outcomeText, surveyText } from '../render/transfer.js';
import { stopOnSignals } from '../signals.js';
import type { Terminal } from '../terminal.js';
import { ArtifactMove, type MoveFlags } from './artifacts.js';
import { transferDisplay } from './progress.js';
import { writeReport } from './report.js';
import { narrowed, type SelectionFlags } from './selection.js';
import { explaining, type Opener, refuseSame, storeNamed, withSource, withStore } from './stores.js';

export interface ImportFlags extends SelectionFlags, MoveFlags {
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
  readonly 'history-file'?: string | undefined;
}

/** @param argument the source, where it is not given with --from @throws {MtrackError} */
export async function importStore(
  argument: string | undefined,
  flags: ImportFlags,
  terminal: Terminal,
): Promise<unknown> {
  const from = sourceNamed(argument, flags);
  const to = storeNamed(flags.to, terminal);
  refuseSame(from, flags.to, terminal);
  const run = (destination: Destination) =>
    withSource(from, '--from', flags, terminal, (opener) => new Import(destination, from, flags, terminal).of(opener));
  if (to.kind === 'files') return run(intoFiles(to.path, flags));
  return withStore(to, '--to', terminal, (database) => run(intoDatabase(database, flags, terminal)));
}

function sourceNamed(argument: string | undefined, { from }: ImportFlags): string {
  const [named, ...others] = [argument, from].filter((each) => each !== undefined);
  if (named !== undefined && others.length === 0) return named;
  throw new MtrackError('USAGE', {
    found: named === undefined ? 'no source is named' : 'the argument and --from name a source each',
    fix: ['give one of them: mtrack import ARCHIVE --to URI, or mtrack import --from URI --to URI'],
  });
}

/** Where an import goes. */
interface Destination {
  /** Without a password. */
  readonly shown: string;
  /** The words that name it on a command line. */
  readonly named: string;
  /** @param change what becomes of the source's rows on their way */
  look(opener: Opener, options: ImportOptions, change: (source: Source) => Source): Promise<Survey>;
  run(agreed: Survey, options: ImportOptions): Promise<Outcome>;
  close(): void;
}

function intoDatabase(database: Database, flags: ImportFlags, terminal: Terminal): Destination {
  return {
    shown: database.shown,
    named: database.named,
    run: (agreed, options) => explaining(database, () => runImport(agreed, options)),
    close: () => undefined,
    look: async (opener, options, change) => {
      let source = await opener.first(database.dialect);
      const session = await explaining(database, () => database.reader(options.patience, waitingNotes(terminal.note)));
      try {
        const whenEmpty = flags.revision === undefined ? source?.revision : resolveTarget(flags.revision);
        const target = await lookAtTarget(database, session, whenEmpty);
        source ??= opener.at(target);
        source = await narrowed(source, flags, database.dialect.traits, options.signal);
        source = await fitting(source, target, { ...options, openScratch: scratchDatabase });
        source = change(source);
        return await survey(source, target, session, options);
      } catch (error) {
        await source?.close();
        throw explained(error, database.dialect, database.shown);
      } finally {
        // Before a writer of the same database is opened: see dialect/sqlite/connect.ts.
        await session.close();
      }
    },
  };
}

function intoFiles(path: string, flags: ImportFlags): Destination {
  const { revision, to } = flags;
  if (revision !== undefined) {
    throw new MtrackError('USAGE', { found: '--revision: files have no revision', fix: ['leave it out'] });
  }
  let target: FileTarget | null = null;
  return {
    shown: path,
    named: `--to ${shellWord(to)}`,
    close: () => target?.close(),
    look: async (opener, options, change) => {
      target = new FileTarget(path, { ...options, openScratch: scratchDatabase });
      const dialect = await offlineDialect(SCHEMES[0] ?? '');
      let source = await opener.first(dialect);
      try {
        source ??= opener.at({ revision: HEAD, schema: schemaAt(HEAD, dialect.traits) });
        source = await narrowed(source, flags, dialect.traits, options.signal);
        if (source.revision !== HEAD) {
          source = await broughtTo(HEAD, source, { ...options, openScratch: scratchDatabase });
        }
        source = change(source);
        return await target.look(source);
      } catch (error) {
        await source?.close();
        throw error;
      }
    },
    run: async (agreed, options) => {
      if (!target) throw new Error('a target is looked at first');
      const { onProgress } = options;
      const since = Date.now();
      return target.run(agreed, (blockers) => onProgress({ event: 'waiting', blockers, forMs: Date.now() - since }));
    },
  };
}

class Import {
  readonly #to: Destination;
  readonly #from: string;
  readonly #flags: ImportFlags;
  readonly #terminal: Terminal;
  readonly #artifacts: ArtifactMove;

  constructor(to: Destination, from: string, flags: ImportFlags, terminal: Terminal) {
    this.#to = to;
    this.#from = from;
    this.#flags = flags;
    this.#terminal = terminal;
    this.#artifacts = new ArtifactMove(flags);
  }

  #recorded(found: Survey, work: () => Promise<Outcome>): Promise<Outcome> {
    const about = {
      file: this.#flags['history-file'],
      database: this.#to,
      run: runOf('import'),
      terminal: this.#terminal,
    };
    return recorded(about, work, ({ tables }) => {
      const added = tables.reduce((sum, table) => sum + table.added, 0);
      return [`${plural(added, 'row')} of ${found.source.shown}`];
    });
  }

  async of(opener: Opener): Promise<unknown> {
    const { signal, release } = stopOnSignals((name) =>
      this.#terminal.note(`${name}: stopping; the next mtrack import goes on from there`),
    );
    const options = this.#options(signal);
    try {
      return await transferDisplay('importing', this.#terminal).run(async (onProgress) => {
        const found = await this.#to.look(opener, { ...options, onProgress }, (source) =>
          this.#artifacts.applied(source),
        );
        try {
          if (this.#flags['dry-run']) return this.#dryRun(found, options);
          const refusal = refusalOf(found, options);
          if (refusal) throw refusal;
          await this.#agree(found);
          const copied = await this.#artifacts.copy(signal, this.#terminal, options.skipBad);
          return this.#done(await this.#recorded(found, () => this.#to.run(found, { ...options, onProgress })), copied);
        } finally {
          await found.source.close();
        }
      });
    } finally {
      this.#to.close();
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
        fix: [`mtrack import --from ${shellWord(this.#from)} ${this.#to.named} --yes`],
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
      target: this.#to.shown,
      ...this.#artifactsJson,
      ...(copied && { artifacts: copied }),
    };
    writeReport(report, result, outcomeText(outcome, 'all'));
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
