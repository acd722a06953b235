/** Putting many rows into a table at once, by the fastest way that a database has for it. */
import type { Column } from '../schema/model.js';
import type { Session } from './session.js';

/**
 * A value of a row, the same whichever database it comes from. Whole numbers are numbers where a double holds them and
 * bigints elsewhere; dates and JSON are their text.
 */
export type Value = null | boolean | number | bigint | string | Uint8Array;
/** Values in the order of the columns that they are of. */
export type Row = readonly Value[];

/** A session that works, and loads rows. */
export interface Loader extends Session {
  /** Adds rows that are not there yet, in the transaction that the session is in. Their values fit (see RowWords.misfit). */
  load(table: string, columns: readonly Column[], rows: readonly Row[]): Promise<void>;
  /**
   * Takes away the indexes of a table that has no rows, but for those that rows must keep, where they are better made of all
   * rows at once; only where that is one transaction with the load.
   */
  suspendIndexes?(table: string): Promise<void>;
  /** Makes those that were taken away. */
  restoreIndexes?(): Promise<void>;
}

/** The zero that has a sign has to be written with it. */
export const numberText = (value: number): string => (Object.is(value, -0) ? '-0.0' : String(value));

export const hexOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
