import { inForeignKeyOrder } from '../../rows/order.js';
import type { Row } from '../../rows/values.js';
import type { Schema, Table } from '../../schema/model.js';
import { rowMaker, type Values } from '../record.js';
import type { Batch } from '../source.js';

/** Rows and characters that are worth a statement. */
const ENOUGH_ROWS = 2_000;
const ENOUGH_CHARACTERS = 2_000_000;
const SMALL = 8;

interface Pending {
  readonly table: Table;
  readonly make: (values: Values) => Row;
  rows: Row[];
}

/** Rows of several tables as they turn up, given out together, so that references come first. */
export class Collector {
  readonly #tables: ReadonlyMap<string, Pending>;
  readonly #lacking: Map<string, number>;
  #rows = 0;
  #characters = 0;

  /** @param lacking how many values had no place, by `table.column`, or by table: a revision that is too old for them */
  constructor(schema: Schema, lacking: Map<string, number>) {
    this.#lacking = lacking;
    this.#tables = new Map(
      inForeignKeyOrder(schema).map((table) => [
        table.name,
        { table, make: rowMaker(table, (column) => this.#count(`${table.name}.${column}`)), rows: [] },
      ]),
    );
  }

  add(table: string, values: Values): void {
    const pending = this.#tables.get(table);
    if (!pending) {
      this.#count(table);
      return;
    }
    const row = pending.make(values);
    pending.rows.push(row);
    this.#rows++;
    for (const value of row) this.#characters += typeof value === 'string' ? value.length + SMALL : SMALL;
  }

  get isFull(): boolean {
    return this.#rows >= ENOUGH_ROWS || this.#characters >= ENOUGH_CHARACTERS;
  }

  *drain(): Generator<Batch> {
    for (const pending of this.#tables.values()) {
      const { table, rows } = pending;
      if (rows.length === 0) continue;
      pending.rows = [];
      yield { table, rows };
    }
    this.#rows = 0;
    this.#characters = 0;
  }

  #count(what: string): void {
    this.#lacking.set(what, (this.#lacking.get(what) ?? 0) + 1);
  }
}
