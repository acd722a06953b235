/** Keeps back the rows that a target cannot hold, and those that refer to them. */
import type { Dialect } from '../dialect/dialect.js';
import type { Misfit } from '../dialect/fit.js';
import { keyOf, keyText } from '../rows/lookup.js';
import { columnsOf, type Row, type Value } from '../rows/values.js';
import { type Column, columnOf, type Table } from '../schema/model.js';
import { python } from '../schema/operations.js';
import { type Problem, type Problems, rowText } from './problems.js';
import type { Batch } from './source.js';

/** Columns of which MLflow cuts a value that is too long for them (MLFLOW_TRUNCATE_LONG_VALUES). */
const CUT: readonly string[] = ['value', 'param_value', 'tag_value'];

/** Says why a row cannot be held; null for one that can. */
export type Refuses = (table: Table, row: Row) => string | null;

interface Reference {
  readonly table: string;
  readonly columns: readonly string[];
  readonly key: (row: Row) => Row;
  /** The key of the other table is this one's. */
  readonly references: readonly string[];
}

interface Checks {
  readonly names: readonly string[];
  readonly key: (row: Row) => Row;
  readonly misfits: readonly { readonly at: number; readonly column: Column; readonly misfit: Misfit }[];
  readonly references: readonly Reference[];
  /** Columns that do not hold every value as it is. */
  readonly held: readonly { readonly at: number; readonly value: (value: Value) => Value }[];
  /** Makes keys alike that the target holds to be the same; null where there are none. */
  readonly fold: ((key: Row) => Row) | null;
  /** There is nothing to check but references. */
  readonly isVoid: boolean;
}

function cutValue(value: Value, { name, type }: Column): string | null {
  if (typeof value !== 'string' || type.kind !== 'varchar' || !CUT.includes(name)) return null;
  return python.firstOf(value, type.length);
}

export class Sieve {
  readonly #dialect: Dialect;
  readonly #checks = new Map<string, Checks>();
  /** Keys of rows that were kept back, by table and columns. */
  readonly #kept = new Map<string, Set<string>>();

  readonly #cutsLong: boolean;
  readonly #refuses: Refuses | null;

  /**
   * @param cutsLong values of params and tags that are too long are cut, as MLflow cuts them, instead of left behind
   * @param refuses what else a target that is no database has against a row
   */
  constructor(dialect: Dialect, cutsLong: boolean, refuses: Refuses | null = null) {
    this.#dialect = dialect;
    this.#cutsLong = cutsLong;
    this.#refuses = refuses;
  }

  /** The rows that can go in, as the target holds them. What cannot is told to `problems`. */
  pass({ table, rows }: Batch, problems: Problems): readonly Row[] {
    const checks = this.#checksOf(table);
    if (checks.isVoid && this.#kept.size === 0 && this.#refuses === null) return rows;
    const alike = new Map<string, Row>();
    const passed: Row[] = [];
    for (const row of rows) {
      const held = this.#held(row, checks, table, problems);
      if (held && this.#isAlone(held, alike, checks, table, problems)) passed.push(held);
    }
    return passed;
  }

  /**
   * Whether no other row has a key that the target holds to be the same. Of rows that come together, as those of a run do: of
   * others the database itself will say so.
   */
  #isAlone(row: Row, alike: Map<string, Row>, checks: Checks, table: Table, problems: Problems): boolean {
    if (!checks.fold) return true;
    const key = checks.key(row);
    const folded = keyText(checks.fold(key));
    const other = alike.get(folded);
    if (other === undefined) {
      alike.set(folded, row);
      return true;
    }
    const there = rowText(table.name, checks.names, checks.key(other));
    this.keepBack(table, row);
    problems.add({
      kind: 'taken',
      where: rowText(table.name, checks.names, key),
      reason: `: the target holds its key to be that of ${there}`,
      rows: { [table.name]: 1 },
    });
    return false;
  }

  /** The row as the target holds it; null where it does not. */
  #held(given: Row, checks: Checks, table: Table, problems: Problems): Row | null {
    const tell = (problem: Pick<Problem, 'kind' | 'reason' | 'rows'>) =>
      problems.add({ ...problem, where: rowText(table.name, checks.names, checks.key(given)) });
    const keptBack = (kind: Problem['kind'], reason: string) => {
      this.keepBack(table, given);
      tell({ kind, reason, rows: { [table.name]: 1 } });
      return null;
    };
    let row = given;
    for (const { at, value: heldValue } of checks.held) {
      const value = given[at] ?? null;
      const held = heldValue(value);
      if (!Object.is(held, value)) row = row.with(at, held);
    }
    for (const { at, column, misfit } of checks.misfits) {
      const value = row[at] ?? null;
      const reason = misfit(value);
      if (reason === null) continue;
      const cut = this.#cutsLong ? cutValue(value, column) : null;
      if (cut === null || misfit(cut) !== null) return keptBack('does-not-fit', `: ${column.name} ${reason}`);
      row = row.with(at, cut);
      tell({ kind: 'cut', reason: `: ${column.name} ${reason}, and has been cut`, rows: {} });
    }
    const refusal = this.#refuses?.(table, row) ?? null;
    if (refusal !== null) return keptBack('not-held', `: ${refusal}`);
    if (this.#kept.size === 0) return row;
    for (const { table: other, columns, key, references } of checks.references) {
      if (!this.#kept.get(placeOf(other, references))?.has(keyText(key(row)))) continue;
      return keptBack(
        this.#refuses ? 'not-held' : 'orphan',
        `: the row of ${other} that ${columns.join(', ')} names is left behind`,
      );
    }
    return row;
  }

  /** What refers to this row is kept back, too. */
  keepBack(table: Table, row: Row): void {
    const { names, key } = this.#checksOf(table);
    const place = placeOf(table.name, names);
    const kept = this.#kept.get(place) ?? new Set();
    this.#kept.set(place, kept.add(keyText(key(row))));
  }

  #foldOf(table: Table, names: readonly string[]): Checks['fold'] {
    const folds = names.map((name) => {
      const column = columnOf(table, name);
      return column ? this.#dialect.rowWords.folds(column) : null;
    });
    if (folds.every((fold) => fold === null)) return null;
    return (key) => key.map((value, at) => (typeof value === 'string' ? (folds[at]?.(value) ?? value) : value));
  }

  #checksOf(table: Table): Checks {
    const known = this.#checks.get(table.name);
    if (known) return known;
    const names = keyNames(table);
    const columns = columnsOf(table);
    const misfits = columns.flatMap((column, at) => {
      const misfit = this.#dialect.rowWords.misfit(column);
      return misfit ? [{ at, column, misfit }] : [];
    });
    const held = columns.flatMap((column, at) => {
      const value = this.#dialect.rowWords.held(column);
      return value ? [{ at, value }] : [];
    });
    const checks: Checks = {
      names,
      key: keyOf(table, names),
      misfits,
      held,
      fold: this.#foldOf(table, names),
      isVoid: misfits.length === 0 && held.length === 0,
      references: table.foreignKeys.map(({ table: other, columns, references }) => ({
        table: other,
        columns,
        references,
        key: keyOf(table, columns),
      })),
    };
    this.#checks.set(table.name, checks);
    return checks;
  }
}

/** The columns that tell rows of a table apart. */
export const keyNames = (table: Table): readonly string[] =>
  table.primaryKey?.columns ?? columnsOf(table).map(({ name }) => name);

const placeOf = (table: string, columns: readonly string[]) => [table, ...[...columns].sort()].join(' ');
