/** Keeps back the rows that a target cannot hold, and those that refer to them. */
import type { Dialect } from '../dialect/dialect.js';
import type { Misfit } from '../dialect/fit.js';
import { keyOf, keyText } from '../rows/lookup.js';
import { columnsOf, type Row, type Value } from '../rows/values.js';
import type { Column, Table } from '../schema/model.js';
import { python } from '../schema/operations.js';
import { type Problems, rowText } from './problems.js';
import type { Batch } from './source.js';

/** Columns of which MLflow cuts a value that is too long for them (MLFLOW_TRUNCATE_LONG_VALUES). */
const CUT: readonly string[] = ['value', 'param_value', 'tag_value'];

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
  readonly columns: readonly { readonly column: Column; readonly misfit: Misfit }[];
  readonly references: readonly Reference[];
  /** Columns that do not hold every value as it is. */
  readonly held: readonly { readonly at: number; readonly value: (value: Value) => Value }[];
}

function heldRow(row: Row, { held }: Checks): Row {
  let changed = row;
  for (const { at, value } of held) {
    const given = row[at] ?? null;
    const kept = value(given);
    if (!Object.is(kept, given)) changed = changed.with(at, kept);
  }
  return changed;
}

export class Sieve {
  readonly #dialect: Dialect;
  readonly #checks = new Map<string, Checks>();
  /** Keys of rows that were kept back, by table and columns. */
  readonly #kept = new Map<string, Set<string>>();

  readonly #cutsLong: boolean;

  /** @param cutsLong values of params and tags that are too long are cut, as MLflow cuts them, instead of left behind */
  constructor(dialect: Dialect, cutsLong: boolean) {
    this.#dialect = dialect;
    this.#cutsLong = cutsLong;
  }

  /** The rows that can go in, as the target holds them. What cannot is told to `problems`. */
  pass(batch: Batch, problems: Problems): readonly Row[] {
    const { table } = batch;
    const checks = this.#checksOf(table);
    const held = checks.held.length === 0 ? batch.rows : batch.rows.map((row) => heldRow(row, checks));
    const rows = this.#cutsLong ? held.map((row) => this.#cut(row, checks, table, problems)) : held;
    const bad = new Set<Row>();
    for (const row of rows) {
      const reason = this.#against(row, checks);
      if (reason === null) continue;
      bad.add(row);
      this.keepBack(table, row);
      problems.add({ ...reason, where: rowText(table.name, checks.names, checks.key(row)), rows: { [table.name]: 1 } });
    }
    return bad.size === 0 ? rows : rows.filter((row) => !bad.has(row));
  }

  /** What refers to this row is kept back, too. */
  keepBack(table: Table, row: Row): void {
    const { names, key } = this.#checksOf(table);
    const place = placeOf(table.name, names);
    const kept = this.#kept.get(place) ?? new Set();
    this.#kept.set(place, kept.add(keyText(key(row))));
  }

  #cut(row: Row, checks: Checks, table: Table, problems: Problems): Row {
    let changed = row;
    for (const [at, { column, misfit }] of checks.columns.entries()) {
      const value = row[at];
      if (typeof value !== 'string' || column.type.kind !== 'varchar' || !CUT.includes(column.name)) continue;
      const cut = python.firstOf(value, column.type.length);
      if (cut === value || misfit(value) === null || misfit(cut) !== null) continue;
      changed = changed.with(at, cut);
      problems.add({
        kind: 'cut',
        where: rowText(table.name, checks.names, checks.key(row)),
        reason: `: ${column.name} has been cut from ${[...value].length} characters to ${column.type.length}`,
        rows: {},
      });
    }
    return changed;
  }

  #against(row: Row, checks: Checks) {
    for (let at = 0; at < checks.columns.length; at++) {
      const check = checks.columns[at];
      const reason = check?.misfit(row[at] ?? null) ?? null;
      if (check && reason !== null)
        return { kind: 'does-not-fit', reason: `: ${check.column.name} ${reason}` } as const;
    }
    if (this.#kept.size === 0) return null;
    for (const { table, columns, key, references } of checks.references) {
      if (this.#kept.get(placeOf(table, references))?.has(keyText(key(row)))) {
        return {
          kind: 'orphan',
          reason: `: the row of ${table} that ${columns.join(', ')} names is left behind`,
        } as const;
      }
    }
    return null;
  }

  #checksOf(table: Table): Checks {
    const known = this.#checks.get(table.name);
    if (known) return known;
    const names = keyNames(table);
    const checks: Checks = {
      names,
      key: keyOf(table, names),
      columns: columnsOf(table).map((column) => ({ column, misfit: this.#dialect.rowWords.misfit(column) })),
      held: columnsOf(table).flatMap((column, at) => {
        const value = this.#dialect.rowWords.held(column);
        return value ? [{ at, value }] : [];
      }),
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
