/** Rows into a database: what is new goes in, what is there is compared, and what went in is read back. */
import { sql } from 'kysely';
import type { Dialect } from '../dialect/dialect.js';
import type { Loader } from '../dialect/loader.js';
import { Checksum } from '../rows/checksum.js';
import { canonicalWriter } from '../rows/json.js';
import { keyOf, keyText, rowsByKey } from '../rows/lookup.js';
import { bound, columnsOf, type Row } from '../rows/values.js';
import type { Table } from '../schema/model.js';
import { type Different, sorted, type Taken } from './merge.js';
import { keyNames } from './sieve.js';
import type { Batch } from './source.js';

/** What becomes of a row that the target has with other values. */
export type OnDifference = 'fail' | 'source' | 'target';

/** What happened to the rows of a table. */
export class Tally {
  added = 0;
  equal = 0;
  updated = 0;
  /** Rows that differ, of which the target's were left as they are. */
  kept = 0;
  /** Of the rows that the target is to have. */
  readonly source = new Checksum();
  /** Of the rows that were read back, where this is done at once; null where the whole table is read at the end. */
  readonly target: Checksum | null;

  /** @param isFresh there was no row in the table before */
  constructor(isFresh: boolean) {
    this.target = isFresh ? null : new Checksum();
  }
}

export interface LoadOptions {
  readonly onDifference: OnDifference;
  /** Whether a row of the target is to stay as it is in any case. */
  readonly isKept: (table: Table, row: Row) => boolean;
  /** Told of a row that cannot go in; throws where that is to end the import. */
  readonly onTaken: (table: Table, taken: Taken) => void;
  /** Told of a row that differs and was not settled; throws where that is to end the import. */
  readonly onDifferent: (table: Table, different: Different) => void;
}

export class Load {
  readonly tallies = new Map<string, Tally>();
  readonly #loader: Loader;
  readonly #dialect: Dialect;
  readonly #options: LoadOptions;
  readonly #lines = new Map<string, (row: Row) => string>();

  constructor(loader: Loader, dialect: Dialect, options: LoadOptions) {
    this.#loader = loader;
    this.#dialect = dialect;
    this.#options = options;
  }

  /** Within a transaction. @returns characters of the rows as text */
  async put({ table, rows }: Batch): Promise<number> {
    const tally = await this.#tallyOf(table);
    if (tally.target === null) {
      const loading = this.#loader.load(table.name, columnsOf(table), rows);
      // The server is at work meanwhile.
      loading.catch(() => undefined);
      const characters = this.#sum(table, rows, tally.source);
      await loading;
      tally.added += rows.length;
      return characters;
    }
    const found = await sorted({ table, rows }, this.#loader, this.#dialect);
    for (const taken of found.taken) this.#options.onTaken(table, taken);
    await this.#loader.load(table.name, columnsOf(table), found.fresh);
    const updated = await this.#settle(table, found.different);
    tally.added += found.fresh.length;
    tally.equal += found.equal.length;
    tally.updated += updated.length;
    tally.kept += found.different.length - updated.length;
    const characters = this.#sum(table, [...found.equal, ...found.fresh, ...updated], tally.source);
    this.#sum(table, found.equal, tally.target);
    await this.#readBack(table, [...found.fresh, ...updated], tally.target);
    return characters;
  }

  /** When all rows are in. Numbers that these tables give themselves go on above those that came. */
  async finish(tables: Iterable<Table>): Promise<void> {
    await this.#loader.restoreIndexes?.();
    for (const table of tables) {
      for (const { name, numbered } of columnsOf(table)) {
        if (numbered) await this.#dialect.advanceNumbers(this.#loader, table.name, name);
      }
    }
  }

  async #tallyOf(table: Table): Promise<Tally> {
    const known = this.tallies.get(table.name);
    if (known) return known;
    const { firstOf, words } = this.#dialect;
    const [first] = await this.#loader.rows(firstOf(`SELECT 1 AS there FROM ${words.id(table.name)}`));
    const isFresh = first === undefined;
    if (isFresh) await this.#loader.suspendIndexes?.(table.name);
    const tally = new Tally(isFresh);
    this.tallies.set(table.name, tally);
    return tally;
  }

  #sum(table: Table, rows: readonly Row[], checksum: Checksum): number {
    let write = this.#lines.get(table.name);
    if (!write) {
      write = canonicalWriter(columnsOf(table));
      this.#lines.set(table.name, write);
    }
    let characters = 0;
    for (const row of rows) {
      const line = write(row);
      characters += line.length;
      checksum.add(line);
    }
    return characters;
  }

  /** The rows that took the source's values. */
  async #settle(table: Table, different: readonly Different[]): Promise<Row[]> {
    const updated: Row[] = [];
    for (const each of different) {
      if (this.#options.isKept(table, each.row)) continue;
      if (this.#options.onDifference === 'source') {
        await this.#loader.run(updateOf(table, each, this.#dialect));
        updated.push(each.row);
      } else this.#options.onDifferent(table, each);
    }
    return updated;
  }

  async #readBack(table: Table, rows: readonly Row[], checksum: Checksum): Promise<void> {
    if (rows.length === 0) return;
    const names = keyNames(table);
    const key = keyOf(table, names);
    const wanted = new Set(rows.map((row) => keyText(key(row))));
    const there = await rowsByKey(this.#loader, this.#dialect, table, names, rows.map(key));
    this.#sum(
      table,
      there.filter((row) => wanted.has(keyText(key(row)))),
      checksum,
    );
  }
}

function updateOf(table: Table, { row, columns }: Different, dialect: Dialect) {
  const id = (name: string) => sql.raw(dialect.words.id(name));
  const names = columnsOf(table).map(({ name }) => name);
  const value = (name: string) => bound(row[names.indexOf(name)] ?? null, dialect);
  const set = columns.map((name) => sql`${id(name)} = ${value(name)}`);
  const where = keyNames(table).map((name) => sql`${id(name)} = ${value(name)}`);
  return sql`UPDATE ${id(table.name)} SET ${sql.join(set)} WHERE ${sql.join(where, sql` AND `)}`;
}
