/** `import` between the flags and the core: looked at, agreed to, done, and said what came of it. */
import { writeFileSync } from 'node:fs';
import { confirm } from '@inquirer/prompts';
import type { Database } from '../dialect/dialect.js';
import { shellWord } from '../dialect/shell.js';
import { FAILURES, MtrackError } from '../errors.js';
import { resolveTarget } from '../schema/lineage.js';
import { openFiles } from '../transfer/files/index.js';
import { type ImportOptions, type Outcome, refusalOf, runImport, type Survey, survey } from '../transfer/import.js';
import type { Progress } from '../transfer/progress.js';
import type { Source } from '../transfer/source.js';
import { lookAtTarget, type Target } from '../transfer/target.js';
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
  readonly 'cut-long-values': boolean;
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
  if (from.kind !== 'files') {
    throw new MtrackError('URI_INVALID', {
      found: `${formatUri(from)} is a database, which this build cannot read from yet`,
      expected: 'the folder of a file store',
    });
  }
  return withDatabase({ uri: to, named: `--to ${shellWord(formatUri(to))}` }, terminal.note, async (database) => {
    const run = new Import(database, flags, terminal);
    return run.from((target) => openFiles(from.path, target.revision, target.schema));
  });
}

function named(text: string, terminal: Terminal): StoreUri | DatabaseUri {
  const uri = parseStoreUri(text);
  terminal.keepSecret(secretsOf(uri), wordsOf(uri));
  return uri;
}

class Import {
  readonly #database: Database;
  readonly #flags: ImportFlags;
  readonly #terminal: Terminal;

  constructor(database: Database, flags: ImportFlags, terminal: Terminal) {
    this.#database = database;
    this.#flags = flags;
    this.#terminal = terminal;
  }

  async from(open: (target: Target) => Source): Promise<unknown> {
    const { signal, release } = stopOnSignals((name) =>
      this.#terminal.note(`${name}: stopping; the next mtrack import goes on from there`),
    );
    const options = this.#options(signal);
    try {
      return await this.#display().run(async (onProgress) => {
        const { source, found } = await this.#look(open, { ...options, onProgress });
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
      cutLong: this.#flags['cut-long-values'],
      onConflict: conflict === 'rename' || conflict === 'merge' ? conflict : 'fail',
      onDifference: difference === 'source' || difference === 'target' ? difference : 'fail',
      patience: this.#flags['wait-timeout'],
      signal,
    };
  }

  async #look(open: (target: Target) => Source, options: ImportOptions): Promise<{ source: Source; found: Survey }> {
    const { revision } = this.#flags;
    const session = await this.#database.reader(options.patience, waitingNotes(this.#terminal.note));
    try {
      const target = await lookAtTarget(this.#database, session, revision && resolveTarget(revision));
      const source = open(target);
      return { source, found: await survey(source, target, session, options) };
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
