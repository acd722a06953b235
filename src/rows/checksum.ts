/** What two copies of a table have in common, whatever order their rows are read in. */
import { hash } from 'node:crypto';
import type { Dialect } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import type { Table } from '../schema/model.js';
import { canonicalWriter } from './json.js';
import { type ReadOptions, readRows } from './read.js';
import { columnsOf } from './values.js';

export interface Digest {
  readonly rows: number;
  /** 32 hexadecimal digits; see Checksum. */
  readonly checksum: string;
}

/** Words of 32 bits that are added up: 128 bits of the 256 that SHA-256 gives. */
const WORDS = 4;

/**
 * The sum of the rows' hashes: of each row the first 128 bits of the SHA-256 of its canonical line (see json.ts), as four
 * numbers of 32 bits, each of which is added up modulo 2^32. The sum does not depend on the order of the rows, and a row
 * that is there twice counts twice.
 */
export class Checksum {
  readonly #sums = new Uint32Array(WORDS);
  #rows = 0;

  /** @param line canonical */
  add(line: string): void {
    // As text: millions of small buffers would wait long for the garbage collector.
    const bytes = hash('sha256', line, 'binary');
    for (let word = 0; word < WORDS; word++) this.#sums[word] = (this.#sums[word] ?? 0) + wordAt(bytes, 4 * word);
    this.#rows++;
  }

  get digest(): Digest {
    const words = [...this.#sums].map((sum) => sum.toString(16).padStart(8, '0'));
    return { rows: this.#rows, checksum: words.join('') };
  }
}

/** Four bytes, the highest first. */
const wordAt = (bytes: string, at: number) =>
  ((bytes.charCodeAt(at) << 24) |
    (bytes.charCodeAt(at + 1) << 16) |
    (bytes.charCodeAt(at + 2) << 8) |
    bytes.charCodeAt(at + 3)) >>>
  0;

/** Reads a table to its end, or those of its rows that are asked for. @param onRows told of the rows of each page */
export async function digestTable(
  session: Session,
  dialect: Dialect,
  table: Table,
  { onRows, ...options }: ReadOptions & { readonly onRows?: (rows: number) => void } = {},
): Promise<Digest> {
  const checksum = new Checksum();
  const lineOf = canonicalWriter(columnsOf(table));
  for await (const page of readRows(session, dialect, table, options)) {
    for (const row of page) checksum.add(lineOf(row));
    onRows?.(page.length);
  }
  return checksum.digest;
}
