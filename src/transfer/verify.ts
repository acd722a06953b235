/** Whether everything that one store has is in another one, as it is. Nothing is changed, in either. */
import type { Dialect } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import { Checksum, type Digest, digestTable } from '../rows/checksum.js';
import { canonicalWriter } from '../rows/json.js';
import { inForeignKeyOrder } from '../rows/order.js';
import { columnsOf, type Row } from '../rows/values.js';
import type { Schema, Table } from '../schema/model.js';
import { Spool } from './archive/spool.js';
import { sorted } from './merge.js';
import { type Problem, Problems } from './problems.js';
import { Meter } from './progress.js';
import { Sieve } from './sieve.js';
import type { Batch, Source } from './source.js';
import { experimentMap, type ImportOptions } from './survey.js';
import { differenceOf, isDefault, missingRow } from './told.js';

export interface VerifiedTable {
  readonly table: string;
  /** All rows of the source. */
  readonly source: Digest;
  readonly equal: number;
  readonly different: number;
  readonly missing: number;
  /** Rows that the target has and the source has not. */
  readonly others: number;
}

export interface Verification {
  readonly revision: string;
  readonly tables: readonly VerifiedTable[];
  /** Each row that is missing or differs, and what could not be read. */
  readonly problems: readonly Problem[];
}

export type VerifyOptions = Pick<ImportOptions, 'cutLong' | 'onConflict' | 'signal' | 'onProgress'>;

/** A database that is compared with. */
export interface Compared {
  readonly session: Session;
  readonly dialect: Dialect;
  readonly revision: string;
  readonly schema: Schema;
}

/** @param source with rows of the target's revision */
export const verifyStores = (source: Source, target: Compared, options: VerifyOptions): Promise<Verification> =>
  new Verifying(target, options).of(source);

/** Whether nothing is missing or different of what the target can hold, and all could be read. */
export const isVerified = ({ problems }: Verification): boolean =>
  problems.every(({ kind }) => kind === 'cut' || kind === 'not-held');

class Verifying {
  readonly #target: Compared;
  readonly #options: VerifyOptions;
  readonly #problems = new Problems();

  constructor(target: Compared, options: VerifyOptions) {
    this.#target = target;
    this.#options = options;
  }

  async of(source: Source): Promise<Verification> {
    const { schema, dialect, revision } = this.#target;
    const { signal, onProgress } = this.#options;
    const map = await experimentMap(source, this.#target, this.#options, this.#problems);
    const own = new Problems();
    const spool = source.isSteady ? null : new Spool();
    try {
      const checksums = new Map<string, Checksum>();
      const meter = new Meter('look', onProgress, source.counts);
      const rowsOf = this.#asHeld(map.apply);
      for await (const batch of source.batches(signal, own)) {
        await spool?.add(batch);
        const rows = rowsOf(batch, this.#problems);
        const characters = add(checksums, batch.table, rows);
        meter.add(batch.table.name, batch.rows.length, characters);
      }
      const steady = (await spool?.finish(source, schema, dialect.traits, own)) ?? source;
      const tables = await this.#compare(steady, checksums, map.apply);
      if (spool) spool.remove();
      return { revision, tables, problems: [...own.list, ...this.#problems.list] };
    } catch (error) {
      spool?.remove();
      throw error;
    }
  }

  /** Rows as the target holds them. */
  #asHeld(apply: (batch: Batch) => Batch): (batch: Batch, problems: Problems) => readonly Row[] {
    const sieve = new Sieve(this.#target.dialect, this.#options.cutLong);
    return (batch, problems) => sieve.pass(apply(batch), problems);
  }

  async #compare(
    source: Source,
    checksums: ReadonlyMap<string, Checksum>,
    apply: (batch: Batch) => Batch,
  ): Promise<VerifiedTable[]> {
    const { schema, dialect, session } = this.#target;
    const { signal, onProgress } = this.#options;
    const meter = new Meter('verify', onProgress);
    const whole = new Map<string, Digest>();
    for (const table of inForeignKeyOrder(schema)) {
      if (!checksums.has(table.name)) continue;
      const onRows = (rows: number) => meter.add(table.name, rows, 0);
      whole.set(table.name, await digestTable(session, dialect, table, { signal, onRows }));
    }
    const unlike = (name: string) => !isSame(checksums.get(name)?.digest, whole.get(name));
    const rowByRow = await this.#rowByRow(source, apply, unlike);
    return [...whole].map(([table, { rows }]) => {
      const digest = checksums.get(table)?.digest ?? { rows: 0, checksum: '' };
      const { equal, different, missing } = rowByRow.get(table) ?? { equal: rows, different: 0, missing: 0 };
      return { table, source: digest, equal, different, missing, others: rows - equal - different };
    });
  }

  /** Where the sums are not the same: which rows are not. */
  async #rowByRow(
    source: Source,
    apply: (batch: Batch) => Batch,
    isWanted: (table: string) => boolean,
  ): Promise<ReadonlyMap<string, { equal: number; different: number; missing: number }>> {
    const { dialect, session } = this.#target;
    const found = new Map<string, { equal: number; different: number; missing: number }>();
    const rowsOf = this.#asHeld(apply);
    // They have been told already.
    const known = new Problems();
    for await (const batch of source.batches(this.#options.signal, known)) {
      const { table } = batch;
      const rows = rowsOf(batch, known);
      if (!isWanted(table.name)) continue;
      const { fresh, equal, different, taken } = await sorted({ table, rows }, session, dialect);
      const missing = [...fresh, ...taken.map(({ row }) => row)];
      for (const row of missing) this.#problems.add(missingRow(table, row));
      const unlike = different.filter(({ row }) => !isDefault(table, row));
      for (const each of unlike) this.#problems.add(differenceOf(table, each));
      const before = found.get(table.name) ?? { equal: 0, different: 0, missing: 0 };
      found.set(table.name, {
        equal: before.equal + equal.length,
        different: before.different + different.length,
        missing: before.missing + missing.length,
      });
    }
    return found;
  }
}

const isSame = (one: Digest | undefined, other: Digest | undefined) =>
  one?.rows === other?.rows && one?.checksum === other?.checksum;

const writers = new WeakMap<Table, (row: Row) => string>();

/** @returns characters of the rows */
function add(checksums: Map<string, Checksum>, table: Table, rows: readonly Row[]): number {
  const checksum = checksums.get(table.name) ?? new Checksum();
  checksums.set(table.name, checksum);
  let write = writers.get(table);
  if (!write) {
    write = canonicalWriter(columnsOf(table));
    writers.set(table, write);
  }
  let characters = 0;
  for (const row of rows) {
    const line = write(row);
    characters += line.length;
    checksum.add(line);
  }
  return characters;
}
