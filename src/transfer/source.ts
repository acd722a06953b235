/** Where rows come from: a database, a file store or an archive, all of them as rows of the tables at one revision. */
import type { Dialect } from '../dialect/dialect.js';
import type { Row, Value } from '../rows/values.js';
import type { Table } from '../schema/model.js';
import type { Problems } from './problems.js';

/** Rows of one table: values in the order of `columnsOf` the table. */
export interface Batch {
  readonly table: Table;
  readonly rows: readonly Row[];
  /** The same as lines (rows/json.ts), one below the other, where they came so. */
  readonly lines?: string | undefined;
}

/** Rows that have one of some values in a column. */
export interface Among {
  readonly column: string;
  readonly values: ReadonlySet<Value>;
}

export interface Source {
  /** The store in words, without a password. */
  readonly shown: string;
  /** The revision that the rows are of. */
  readonly revision: string;
  /** Tables of its database that are not MLflow's, and stay where they are. */
  readonly others: readonly string[];
  /** The dialect whose rules its rows keep; undefined where that is none. */
  readonly dialect?: Dialect | undefined;
  /** It says the same however often it is asked. */
  readonly isSteady: boolean;
  /** How many rows there are of each table, as far as that is known beforehand. */
  readonly counts: ReadonlyMap<string, number>;
  /**
   * Everything, so that a row comes after those that it refers to. Can be asked for again.
   * @param signal ends it between two batches
   * @param problems told of what cannot be read, and is left out
   */
  batches(signal: AbortSignal, problems: Problems): AsyncIterable<Batch>;
  /**
   * Rows of some tables alone; what cannot be read of them is left out without a word.
   * @param among more rows than these may come, where they are not easily told apart
   */
  only(tables: readonly string[], signal: AbortSignal, among?: Among): AsyncIterable<Batch>;
  close(): Promise<void>;
}
