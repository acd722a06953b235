/**
 * Runs are most of a file store, and reading them is most of the work: threads read them, part by part, and give what they
 * found in the order of the parts, as one thread would have.
 */
import { on } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { linesReader } from '../../rows/json.js';
import { columnsOf, type Row } from '../../rows/values.js';
import type { Schema } from '../../schema/model.js';
import { Damage, type Fault } from '../../store/file/reader.js';
import type { Batch } from '../source.js';
import { type FileReading, rowsOfRuns } from './read.js';

/** What a thread is started with. */
export interface ThreadData {
  readonly root: string;
  readonly schema: Schema;
  /** How many batches may still be on their way: the thread takes one for each, and waits where there is none. */
  readonly credit: Int32Array;
}

/** What a thread tells of a part. */
export type Told =
  | { readonly kind: 'rows'; readonly table: string; readonly lines: string }
  | { readonly kind: 'damage'; readonly fault: Fault; readonly passing: boolean; readonly slight: boolean }
  | { readonly kind: 'repeated'; readonly table: string; readonly lines: number }
  | { readonly kind: 'end'; readonly lacking: ReadonlyMap<string, number> };

/** More would wait for the one that takes their rows. */
const THREADS = Math.min(2, availableParallelism());
/** Parts that are given to a thread beforehand, and batches that may wait for being taken. */
const AHEAD = 2;
const CREDIT = 3;
/** So many parts are not worth a thread. */
const FEW = 10;

/** @param parts each of them folders of runs */
export async function* rowsOfParts(parts: Iterator<readonly string[]>, reading: FileReading): AsyncGenerator<Batch> {
  const first: (readonly string[])[] = [];
  for (let next = parts.next(); !next.done; next = parts.next()) {
    first.push(next.value);
    if (first.length > FEW) break;
  }
  if (first.length > FEW) return yield* inThreads(chained(first, parts), reading);
  for (const part of first) yield* rowsOfRuns(part, reading);
}

function* chained<Item>(first: readonly Item[], others: Iterator<Item>): Generator<Item> {
  yield* first;
  for (let next = others.next(); !next.done; next = others.next()) yield next.value;
}

async function* inThreads(parts: Iterator<readonly string[]>, reading: FileReading): AsyncGenerator<Batch> {
  const threads = Array.from({ length: THREADS }, () => new Thread(reading));
  try {
    const waiting: Thread[] = [];
    for (let given = 0; ; ) {
      while (waiting.length < AHEAD * THREADS) {
        const next = parts.next();
        const thread = threads[given % THREADS];
        if (next.done || !thread) break;
        thread.give(next.value);
        waiting.push(thread);
        given++;
      }
      const thread = waiting.shift();
      if (!thread) return;
      yield* thread.rows();
    }
  } finally {
    await Promise.all(threads.map((thread) => thread.end()));
  }
}

class Thread {
  readonly #worker: Worker;
  readonly #told: AsyncIterator<[Told]>;
  readonly #credit = new Int32Array(new SharedArrayBuffer(4)).fill(CREDIT);
  readonly #reading: FileReading;
  readonly #readers = new Map<string, (lines: string) => Row[]>();

  constructor(reading: FileReading) {
    this.#reading = reading;
    const data: ThreadData = { root: reading.root, schema: reading.schema, credit: this.#credit };
    this.#worker = new Worker(new URL(import.meta.resolve('#thread')), {
      workerData: data,
    });
    this.#told = on(this.#worker, 'message', { close: ['exit'] }) as AsyncIterator<[Told]>;
  }

  give(folders: readonly string[]): void {
    this.#worker.postMessage(folders);
  }

  /** Of the part that was given first. */
  async *rows(): AsyncGenerator<Batch> {
    for (;;) {
      const { value, done } = await this.#told.next();
      if (done) throw new Error('a thread that reads files has ended');
      const [told] = value;
      switch (told.kind) {
        case 'rows':
          Atomics.add(this.#credit, 0, 1);
          Atomics.notify(this.#credit, 0);
          yield this.#batch(told);
          break;
        case 'damage':
          this.#reading.report(new Damage(told.fault, told));
          break;
        case 'repeated':
          this.#reading.repeated(told.table, told.lines);
          break;
        case 'end':
          for (const [what, n] of told.lacking) {
            this.#reading.lacking.set(what, (this.#reading.lacking.get(what) ?? 0) + n);
          }
          return;
      }
    }
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #batch({ table: name, lines }: Extract<Told, { kind: 'rows' }>): Batch {
    const table = this.#reading.schema.tables.get(name);
    if (!table) throw new Error(`a thread tells of rows of ${name}`);
    let read = this.#readers.get(name);
    if (!read) {
      read = linesReader(columnsOf(table));
      this.#readers.set(name, read);
    }
    return { table, rows: read(lines), lines };
  }
}
