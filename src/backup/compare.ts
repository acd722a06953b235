/**
 * The rows of a restored backup against those of the database, which may have gone on since. Tables are compared by their
 * count and checksum; where these differ, row by row, by hashes of keys and values, as the two need not lie in one order.
 */
import { hash } from 'node:crypto';
import type { BackupContext, BackupProgress } from '../dialect/backups.js';
import type { Dialect } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import { interrupted } from '../dialect/tools.js';
import { Checksum, type Digest, digestTable } from '../rows/checksum.js';
import { canonicalWriter } from '../rows/json.js';
import { readRows } from '../rows/read.js';
import { columnsOf, type Row } from '../rows/values.js';
import type { Column, Table } from '../schema/model.js';
import { ENDED, OF_RUNS, SETTLED } from './settled.js';

export interface Side {
  readonly session: Session;
  readonly dialect: Dialect;
}

export interface TableComparison {
  readonly table: string;
  readonly backup: Digest;
  readonly live: Digest;
  /** Rows of the database that came after the backup, as far as can be told. */
  readonly newer: number;
  /** Rows of both whose values were changed where MLflow changes them. */
  readonly changed: number;
  /** Rows of the backup that were removed from the database. */
  readonly gone: number;
  /** Rows of the database that were there when the backup was taken: they belong to runs that had ended. */
  readonly missing: number;
  /** Rows that differ where MLflow changes nothing, or are gone while their run is not. */
  readonly damaged: number;
}

export interface Runs {
  /** When those of the backup ended that had ended. */
  readonly ended: ReadonlyMap<string, number>;
  /** Those of the database. */
  readonly live: ReadonlySet<string>;
}

/** Rows that are held at a time: 24 bytes each, on both sides. */
const AT_ONCE = 4_000_000;

export interface CompareOptions extends BackupContext {
  readonly runs: Runs;
  /** The larger number of rows, where it is known that the sides differ: then there is no first look at their checksums. */
  readonly differing: number | null;
}

/** @param table with the columns that both sides have */
export async function compareTable(
  table: Table,
  backup: Side,
  live: Side,
  { runs, differing, ...context }: CompareOptions,
): Promise<TableComparison> {
  const told = (what: string) => {
    let done = 0;
    return (rows: number) => {
      done += rows;
      if (context.signal.aborted) throw interrupted(context.signal);
      context.onProgress({ what: `${table.name} (${what})`, done, total: null, unit: 'rows' } satisfies BackupProgress);
    };
  };
  const sums = { newer: 0, changed: 0, gone: 0, missing: 0, damaged: 0 };
  let digests: readonly [Digest, Digest] | null = null;
  let most = differing ?? 0;
  if (differing === null) {
    digests = await Promise.all([
      digestTable(backup.session, backup.dialect, table, { onRows: told('backup') }),
      digestTable(live.session, live.dialect, table, { onRows: told('database') }),
    ]);
    const [there, here] = digests;
    if (there.rows === here.rows && there.checksum === here.checksum)
      return { table: table.name, backup: there, live: here, ...sums };
    most = Math.max(there.rows, here.rows);
  }
  const parts = Math.max(1, Math.ceil(most / AT_ONCE));
  for (let part = 0; part < parts; part++) {
    const share: Share = { part, parts };
    const [a, b] = await Promise.all([
      hashesOf(table, backup, {
        share,
        onRows: told('backup, by row'),
        isBound: (row) => row.isOfRun(runs.live),
      }),
      hashesOf(table, live, {
        share,
        onRows: told('database, by row'),
        isBound: (row) => row.isOfEnded(runs.ended),
      }),
    ]);
    digests ??= [a.digest, b.digest];
    const keys = common(a.keys, b.keys);
    const settled = common(a.settled, b.settled);
    const missing = b.bound.length - common(b.bound, a.keys);
    const torn = a.bound.length - common(a.bound, b.keys);
    sums.newer += b.keys.length - keys - missing;
    sums.gone += a.keys.length - keys - torn;
    sums.missing += missing;
    sums.damaged += keys - settled + torn;
    sums.changed += settled - common(a.whole, b.whole);
  }
  const [there, here] = digests ?? [NO_ROWS, NO_ROWS];
  return { table: table.name, backup: there, live: here, ...sums };
}

const NO_ROWS: Digest = new Checksum().digest;

/** Of the rows, those whose key falls to one of so many parts. */
interface Share {
  readonly part: number;
  readonly parts: number;
}

interface Hashes {
  /** Each sorted. */
  readonly keys: BigUint64Array;
  readonly settled: BigUint64Array;
  readonly whole: BigUint64Array;
  /** Keys of rows that must be on the other side as well. */
  readonly bound: BigUint64Array;
  /** Of all rows, whichever part they belong to. */
  readonly digest: Digest;
}

async function hashesOf(
  table: Table,
  { session, dialect }: Side,
  { share, onRows, isBound }: { share: Share; onRows: (rows: number) => void; isBound: (row: RowOfRun) => boolean },
): Promise<Hashes> {
  const columns = columnsOf(table);
  const keyNames = table.primaryKey?.columns ?? columns.map(({ name }) => name);
  const key = lineOf(columns, keyNames);
  const settled = lineOf(columns, [...keyNames, ...(SETTLED[table.name] ?? [])]);
  const whole = canonicalWriter(columns);
  const isOfRuns = OF_RUNS.includes(table.name);
  const rowOf = new RowOfRun(columns);
  const found = { keys: new Numbers(), settled: new Numbers(), whole: new Numbers(), bound: new Numbers() };
  const checksum = new Checksum();
  for await (const page of readRows(session, dialect, table)) {
    for (const row of page) {
      const line = whole(row);
      if (share.part === 0) checksum.add(line);
      const k = numberOf(key(row));
      if (Number(k % BigInt(share.parts)) !== share.part) continue;
      found.keys.push(k);
      found.settled.push(numberOf(settled(row)));
      found.whole.push(numberOf(line));
      if (isOfRuns && isBound(rowOf.at(row))) found.bound.push(k);
    }
    onRows(page.length);
  }
  return {
    keys: found.keys.sorted,
    settled: found.settled.sorted,
    whole: found.whole.sorted,
    bound: found.bound.sorted,
    digest: checksum.digest,
  };
}

const numberOf = (line: string): bigint => hash('sha256', line, 'buffer').readBigUInt64BE(0);

/** The canonical line of some of the columns. */
function lineOf(columns: readonly Column[], names: readonly string[]): (row: Row) => string {
  const places = columns.map(({ name }, place) => (names.includes(name) ? place : -1)).filter((place) => place >= 0);
  const write = canonicalWriter(places.flatMap((place) => columns[place] ?? []));
  return (row) => write(places.map((place) => row[place] ?? null));
}

/** A row as one of a run. */
class RowOfRun {
  readonly #run: number;
  readonly #time: number;
  #row: Row = [];

  constructor(columns: readonly Column[]) {
    this.#run = columns.findIndex(({ name }) => name === 'run_uuid');
    this.#time = columns.findIndex(({ name }) => name === 'timestamp');
  }

  at(row: Row): this {
    this.#row = row;
    return this;
  }

  isOfRun(runs: ReadonlySet<string>): boolean {
    return runs.has(String(this.#row[this.#run]));
  }

  /** Whether its run had ended, and it was not logged after that. */
  isOfEnded(ended: ReadonlyMap<string, number>): boolean {
    const end = ended.get(String(this.#row[this.#run]));
    if (end === undefined) return false;
    return this.#time < 0 || Number(this.#row[this.#time]) <= end;
  }
}

/** Many numbers of 64 bits, outside of the heap. */
class Numbers {
  #values = new BigUint64Array(1024);
  #length = 0;

  push(value: bigint): void {
    if (this.#length === this.#values.length) {
      const larger = new BigUint64Array(2 * this.#length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  get sorted(): BigUint64Array {
    return this.#values.subarray(0, this.#length).sort();
  }
}

/** How many numbers two sorted lists have in common. */
function common(a: BigUint64Array, b: BigUint64Array): number {
  let [i, j, n] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const [x, y] = [a[i] ?? 0n, b[j] ?? 0n];
    if (x === y) n++;
    if (x <= y) i++;
    if (y <= x) j++;
  }
  return n;
}

/** The runs of both sides, as far as what they logged is judged by them. @param table `runs` */
export async function readRuns(table: Table, backup: Side, live: Side): Promise<Runs> {
  const only = (names: readonly string[]): Table => ({
    ...table,
    columns: table.columns.filter(({ name }) => names.includes(name)),
  });
  const ended = new Map<string, number>();
  const read = only(['run_uuid', 'status', 'end_time']);
  const places = (name: string) => columnsOf(read).findIndex((column) => column.name === name);
  const [id, status, end] = [places('run_uuid'), places('status'), places('end_time')];
  for await (const page of readRows(backup.session, backup.dialect, read)) {
    for (const row of page) {
      const at = row[end];
      if (ENDED.includes(String(row[status])) && at !== null && at !== undefined)
        ended.set(String(row[id]), Number(at));
    }
  }
  const here = new Set<string>();
  for await (const page of readRows(live.session, live.dialect, only(['run_uuid']))) {
    for (const [run] of page) here.add(String(run));
  }
  return { ended, live: here };
}
