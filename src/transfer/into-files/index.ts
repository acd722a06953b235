/**
 * Moving everything that files can hold from a source into a file store. The target's rows are brought into a scratch database
 * first, and the source is imported there, by the rules of any import; then the files that lack something of what is there now
 * are written, and all are read back. An import that was cut off goes on when it is run again.
 */
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Database, LockWait } from '../../dialect/dialect.js';
import { FileLock } from '../../dialect/file-lock.js';
import { MtrackError, messageOf } from '../../errors.js';
import type { Value } from '../../rows/values.js';
import { HEAD, schemaAt } from '../../schema/lineage.js';
import { codeOf } from '../../store/file/writer.js';
import { openFiles, storeIn } from '../files/index.js';
import { type Outcome, runImport } from '../import.js';
import { type Problem, Problems } from '../problems.js';
import { Meter } from '../progress.js';
import { filled, type Scratch } from '../scratch.js';
import type { Source } from '../source.js';
import { type ImportOptions, type Survey, survey } from '../survey.js';
import type { Target } from '../target.js';
import { heldIn, tracesWithSpans } from './held.js';
import { movedHere } from './moved.js';
import { looker } from './on-disk.js';
import { Placer } from './place.js';
import { proof } from './proof.js';
import { writeRecords } from './walk.js';

/** A file in the root, where MLflow looks at folders only. */
const LOCK = '.mtrack-import.lock';

export interface FilesOptions extends ImportOptions {
  readonly openScratch: () => Promise<Scratch>;
}

export class FileTarget {
  /** The folder of the store, which may not be there yet. */
  readonly root: string;
  readonly #options: FilesOptions;
  #scratch: Scratch | null = null;
  /** Traces of the source. */
  #withSpans: ReadonlySet<Value> = new Set();
  /** What the target has that cannot be read. */
  #damaged: readonly Problem[] = [];

  /** @throws {MtrackError} TARGET_EXISTS where something else is there */
  constructor(path: string, options: FilesOptions) {
    this.root = targetFolder(path);
    this.#options = options;
  }

  /** @param source with rows of HEAD; is closed with the one of the survey, or where there is none */
  async look(source: Source): Promise<Survey> {
    this.#withSpans = await tracesWithSpans(source, this.#options.signal);
    const target = await this.#fill();
    const { dialect } = target.database;
    const session = await target.database.reader(0);
    try {
      const place = { schema: target.schema, dialect, session };
      const held = await heldIn(this.root, source, place, this.#withSpans, this.#options);
      const found = await survey(held, target, session, this.#options);
      return { ...found, problems: [...this.#damaged, ...found.problems] };
    } finally {
      await session.close();
    }
  }

  /** @throws {MtrackError} DISK_FULL, CONNECT_FAILED where the folder cannot be written, LOCKED and those of an import */
  async run(agreed: Survey, onWait: LockWait['onWait']): Promise<Outcome> {
    const started = Date.now();
    const { root } = this;
    try {
      mkdirSync(root, { recursive: true });
      const lock = new FileLock(join(root, LOCK), 'import into files');
      await lock.take({ patience: this.#options.patience, onWait });
      try {
        // What others have written since it was looked at.
        const target = agreed.target.isEmpty && isBare(root) ? agreed.target : await this.#fill();
        const moved = await runImport({ ...agreed, target }, this.#options);
        const problems = await this.#write(target, moved);
        return { ...moved, ...problems, seconds: (Date.now() - started) / 1000 };
      } finally {
        await lock.release();
      }
    } catch (error) {
      throw this.#explained(error);
    }
  }

  close(): void {
    this.#scratch?.remove();
  }

  /** A database with the rows that the target has now. */
  async #fill(): Promise<Target> {
    this.#scratch?.remove();
    this.#scratch = await this.#options.openScratch();
    const database: Database = { ...this.#scratch.database, shown: this.root };
    const schema = schemaAt(HEAD, database.dialect.traits);
    const isEmpty = storeIn(this.root) === null;
    const source = isEmpty ? NOTHING : openFiles(this.root, { revision: HEAD, schema });
    const { list } = await filled(database, source, this.#options);
    // A folder that is no record yet may have been left by one who was killed, or hold artifacts.
    await movedHere(database, this.root, this.#withSpans);
    this.#damaged = list.filter(({ reason }) => reason !== 'is missing').map(ofTarget);
    return { database, revision: HEAD, schema, isEmpty };
  }

  async #write(target: Target, moved: Outcome): Promise<Pick<Outcome, 'problems' | 'unproven' | 'tables'>> {
    const { root } = this;
    const { database, schema } = target;
    const { dialect } = database;
    const { signal, onProgress } = this.#options;
    const problems = new Problems();
    const session = await database.reader(0);
    const placer = new Placer(root, looker(root, schema, dialect), problems);
    try {
      const meter = new Meter('write', onProgress, agreedRows(moved));
      const moves = moved.tables.some(({ updated }) => updated > 0);
      try {
        await writeRecords({ root, session, dialect, schema, placer, meter, signal, moves });
      } finally {
        placer.close();
      }
      const files = openFiles(root, { revision: HEAD, schema });
      const lost = await proof(files, { session, database, schema }, this.#options);
      const excused = new Set(problems.list.map(({ where }) => where));
      const unproven = [
        ...problems.list.filter(({ kind }) => kind === 'missing'),
        ...lost.filter(({ where, kind }) => kind !== 'not-held' && !excused.has(where)),
      ];
      return {
        problems: [...moved.problems, ...problems.list, ...lost.filter(({ where }) => !excused.has(where))],
        tables: moved.tables.map((each) =>
          each.table === 'spans' ? { ...each, added: placer.spans.written, equal: placer.spans.there } : each,
        ),
        unproven: [...new Set([...moved.unproven, ...unproven.flatMap(({ rows }) => Object.keys(rows))])],
      };
    } finally {
      await session.close();
    }
  }

  #explained(error: unknown): unknown {
    const code = codeOf(error);
    if (error instanceof MtrackError || code === undefined || !SYSTEM.test(code)) return error;
    const isFull = code === 'ENOSPC' || code === 'EDQUOT';
    return new MtrackError(isFull ? 'DISK_FULL' : 'CONNECT_FAILED', {
      found: `${this.root}: ${messageOf(error)}`,
      expected: isFull ? 'room for the files, and for their names' : 'a folder that can be written to',
      fix: ['put that right, and run the import again: it goes on from where it was'],
      cause: error,
    });
  }
}

const SYSTEM = /^E[A-Z0-9]+$/;

const NOTHING: Source = {
  shown: '',
  revision: HEAD,
  others: [],
  isSteady: true,
  counts: new Map(),
  async *batches() {},
  async *only() {},
  close: async () => undefined,
};

const ofTarget = (problem: Problem): Problem => ({ ...problem, reason: `${problem.reason} (in the target)`, rows: {} });

const agreedRows = ({ tables }: Outcome) => new Map(tables.map(({ table, source }) => [table, source.rows]));

/** Whether there is nothing but the lock. */
const isBare = (root: string) => readdirSync(root).every((name) => name === LOCK);

/** What databases keep beside their experiments: artifacts, in folders that are no records. */
const OF_A_STORE = /^(?:\d+|models|\.trash|\.mtrack.*)$/;

/** @throws {MtrackError} TARGET_EXISTS */
function targetFolder(path: string): string {
  const root = resolve(path);
  const found = statSync(root, { throwIfNoEntry: false });
  if (!found) return root;
  const store = found.isDirectory() ? storeIn(root) : null;
  if (store !== null) return store;
  if (found.isDirectory() && readdirSync(root).every((name) => OF_A_STORE.test(name))) return root;
  throw new MtrackError('TARGET_EXISTS', {
    found: `${root} is there, and is no file store`,
    expected: 'a file store, an empty folder, or a name that nothing has',
    fix: [`name a folder in it: --to ${join(path, 'mlruns')}`],
  });
}
