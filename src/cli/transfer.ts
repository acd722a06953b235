/** `import` between the flags and the core: looked at, agreed to, done, and said what came of it. */
import { writeFileSync } from 'node:fs';
import { confirm } from '@inquirer/prompts';
import type { Database } from '../dialect/dialect.js';
import { scratchDatabase } from '../dialect/index.js';
import { shellWord } from '../dialect/shell.js';
import { FAILURES, MtrackError } from '../errors.js';
import { resolveTarget } from '../schema/lineage.js';
import { openDatabaseSource } from '../transfer/database.js';
import { openFiles } from '../transfer/files/index.js';
import { type ImportOptions, type Outcome, refusalOf, runImport, type Survey, survey } from '../transfer/import.js';
import type { Progress } from '../transfer/progress.js';
import type { Source } from '../transfer/source.js';
import { fitting, lookAtTarget, type Target } from '../transfer/target.js';
import { type DatabaseUri, formatUri, parseStoreUri, type StoreUri, secretsOf, wordsOf } from '../uri.js';
import { type Display, liveTask, waitingNotes } from './progress.js';
import { outcomeText, surveyText, transferDescriber } from './render/transfer.js';
import { stopOnSignals } from './signals.js';
import { withDatabase } from './store.js';
import type { Terminal } from './terminal.js';

export interface ImportFlags {
  readonly from: string;
  readonly to: string;
  readonly revision?: string | undefined;
  readonly 'dry-run': boolean;
  readonly yes: boolean;
  readonly 'skip-bad': boolean;
  readonly 'long-values': string;
  readonly 'on-conflict': string;
  readonly 'on-difference': string;
  readonly report?: string | undefined;
  readonly 'wait-timeout': number;
}

/** @throws {MtrackError} */
export async function importStore(flags: ImportFlags, terminal: Terminal): Promise<unknown> {
  const [from, to] = [named(flags.from, terminal), named(flags.to, terminal)];
  if (to.kind === 'files') {
    throw new MtrackError('URI_INVALID', {
      found: `${to.path} is a file store, which this build cannot write to yet`,
      expected: 'the URI of a database: sqlite:///…, postgresql://…, mysql://…, mssql://…',
    });
  }
  if (formatUri(from) === formatUri(to)) {
    throw new MtrackError('USAGE', { found: '--from and --to name the same store', fix: ['name two'] });
  }
  return withDatabase({ uri: to, named: `--to ${shellWord(formatUri(to))}` }, terminal.note, async (database) => {
    const run = new Import(database, flags, terminal);
    if (from.kind === 'files') return run.from(filesOpener(from.path));
    return withDatabase({ uri: from, named: `--from ${shellWord(formatUri(from))}` }, terminal.note, (other) =>
      run.from(databaseOpener(other, flags, terminal)),
    );
  });
}

function named(text: string, terminal: Terminal): StoreUri | DatabaseUri {
  const uri = parseStoreUri(text);
  terminal.keepSecret(secretsOf(uri), wordsOf(uri));
  return uri;
}

/** Opens a source. One that has a revision of its own is opened first, one that has none takes the target's. */
interface Opener {
  first(): Promise<Source | null>;
  at(target: Target): Source;
}

const filesOpener = (path: string): Opener => ({
  first: async () => null,
  at: ({ revision, schema }) => openFiles(path, revision, schema),
});

const databaseOpener = (database: Database, flags: ImportFlags, terminal: Terminal): Opener => ({
  first: () => openDatabaseSource(database, { patience: flags['wait-timeout'], onWait: waitingNotes(terminal.note) }),
  at: () => {
    throw new Error('a database is opened first');
  },
});

class Import {
  readonly #database: Database;
  readonly #flags: ImportFlags;
  readonly #terminal: Terminal;

  constructor(database: Database, flags: ImportFlags, terminal: Terminal) {
    this.#database = database;
    this.#flags = flags;
    this.#terminal = terminal;
  }

  async from(opener: Opener): Promise<unknown> {
    const { signal, release } = stopOnSignals((name) =>
      this.#terminal.note(`${name}: stopping; the next mtrack import goes on from there`),
    );
    const options = this.#options(signal);
    try {
      return await this.#display().run(async (onProgress) => {
        const { source, found } = await this.#look(opener, { ...options, onProgress });
        try {
          if (this.#flags['dry-run']) return this.#dryRun(found);
          const refusal = refusalOf(found, options);
          if (refusal) throw refusal;
          await this.#agree(found);
          return this.#done(await runImport(source, found, { ...options, onProgress }));
        } finally {
          await source.close();
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
      patience: this.#flags['wait-timeout'],
      signal,
    };
  }

  async #look(opener: Opener, options: ImportOptions): Promise<{ source: Source; found: Survey }> {
    let source = await opener.first();
    const session = await this.#database.reader(options.patience, waitingNotes(this.#terminal.note));
    try {
      const whenEmpty = this.#flags.revision === undefined ? source?.revision : resolveTarget(this.#flags.revision);
      const target = await lookAtTarget(this.#database, session, whenEmpty);
      source ??= opener.at(target);
      source = await fitting(source, target, { ...options, openScratch: scratchDatabase });
      return { source, found: await survey(source, target, session, options) };
    } catch (error) {
      await source?.close();
      throw error;
    } finally {
      // Before a writer of the same database is opened: see dialect/sqlite/connect.ts.
      await session.close();
    }
  }

  #dryRun(found: Survey): unknown {
    this.#terminal.say(surveyText(found));
    const refusal = refusalOf(found, this.#options(new AbortController().signal));
    if (refusal) process.exitCode = refusal.exit;
    return surveyJson(found);
  }

  async #agree(found: Survey): Promise<void> {
    if (this.#flags.yes) return;
    this.#terminal.note(surveyText(found));
    if (!this.#terminal.interactive) {
      throw new MtrackError('CONSENT_REQUIRED', {
        found: 'nothing was changed: there is no terminal to ask at, and --yes is missing',
        expected: '--yes',
        fix: [`mtrack import --from ${shellWord(this.#flags.from)} ${this.#database.named} --yes`],
      });
    }
    if (await confirm({ message: 'Import this now?', default: false })) return;
    throw new MtrackError('CONSENT_REQUIRED', { found: 'the answer was no: nothing was changed' });
  }

  #done(outcome: Outcome): unknown {
    const { report } = this.#flags;
    if (report !== undefined) writeFileSync(report, `${JSON.stringify(outcome, null, 2)}\n`);
    this.#terminal.say(outcomeText(outcome));
    if (outcome.unproven.length > 0) process.exitCode = FAILURES.TRANSFER_UNPROVEN.exit;
    else if (outcome.problems.length > 0) process.exitCode = FAILURES.PARTIAL.exit;
    return { ...outcome, target: this.#database.shown };
  }

  #display(): Display<Progress> {
    if (this.#terminal.json) return { run: (work) => work(() => undefined) };
    return this.#terminal.interactive ? liveTask('importing', transferDescriber) : plainLines(this.#terminal.note);
  }
}

function surveyJson({ target, rows, there, problems, renumbered }: Survey): unknown {
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

/** At most one line of rows in this time, where lines are kept. */
const ROWS_EVERY_MS = 5000;

function plainLines(write: (line: string) => void): Display<Progress> {
  return {
    run: (work) => {
      const describe = transferDescriber();
      let last = Date.now();
      return work((progress) => {
        const { heading, line } = describe(progress);
        if (heading) write(heading);
        if (!line) return;
        if (progress.event === 'rows' && Date.now() - last < ROWS_EVERY_MS) return;
        last = Date.now();
        write(`  ${line}`);
      });
    },
  };
}
