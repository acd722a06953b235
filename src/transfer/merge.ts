/** What of a batch is new to a target, what it has already, and what stands in the way. */
import type { Dialect } from '../dialect/dialect.js';
import { foldText } from '../dialect/row-words.js';
import type { Session } from '../dialect/session.js';
import { canonicalWriter } from '../rows/json.js';
import { keyOf, keyText, rowsByKey } from '../rows/lookup.js';
import { columnsOf, type Row, type Value } from '../rows/values.js';
import type { Table } from '../schema/model.js';
import { type Problem, rowText } from './problems.js';
import { keyNames } from './sieve.js';
import type { Batch } from './source.js';

/** A row that the target has with other values. */
export interface Different {
  readonly row: Row;
  readonly there: Row;
  /** The columns that differ. */
  readonly columns: readonly string[];
}

/** A row whose place another one has: a row with the same name, or a key that the target holds to be the same. */
export interface Taken {
  readonly row: Row;
  readonly by: Row;
  readonly columns: readonly string[];
}

export interface Sorted {
  readonly fresh: readonly Row[];
  readonly equal: readonly Row[];
  readonly different: readonly Different[];
  readonly taken: readonly Taken[];
}

/** Compares a batch with what the target has. */
export async function sorted({ table, rows }: Batch, session: Session, dialect: Dialect): Promise<Sorted> {
  const names = keyNames(table);
  const key = keyOf(table, names);
  const there = new Map<string, Row>();
  for (const row of await rowsByKey(session, dialect, table, names, rows.map(key))) there.set(keyText(key(row)), row);

  const absent: Row[] = [];
  const equal: Row[] = [];
  const different: Different[] = [];
  const differing = differingColumns(table);
  for (const row of rows) {
    const text = keyText(key(row));
    const found = there.get(text);
    if (!found) {
      absent.push(row);
      continue;
    }
    there.delete(text);
    const columns = differing(row, found);
    if (columns.length === 0) equal.push(row);
    else different.push({ row, there: found, columns });
  }
  // What is left was found by a key that is not the same to the last character.
  const alike = takenBy([...there.values()], absent, key, names);
  const free = absent.filter((row) => !alike.some((taken) => taken.row === row));
  const taken = [...alike, ...(await takenNames(table, free, session, dialect))];
  return { fresh: absent.filter((row) => !taken.some((each) => each.row === row)), equal, different, taken };
}

/** Says in which columns two rows differ. */
export function differingColumns(table: Table): (one: Row, other: Row) => string[] {
  const columns = columnsOf(table);
  const whole = canonicalWriter(columns);
  const single = columns.map((column) => ({ name: column.name, write: canonicalWriter([column]) }));
  return (one, other) => {
    if (whole(one) === whole(other)) return [];
    return single
      .filter(({ write }, at) => write([one[at] ?? null]) !== write([other[at] ?? null]))
      .map(({ name }) => name);
  };
}

function takenBy(others: readonly Row[], rows: readonly Row[], key: (row: Row) => Row, columns: readonly string[]) {
  if (others.length === 0) return [];
  const byFolded = new Map(others.map((other) => [folded(key(other)), other]));
  return rows.flatMap((row): Taken[] => {
    const by = byFolded.get(folded(key(row)));
    return by ? [{ row, by, columns }] : [];
  });
}

const folded = (key: readonly Value[]) =>
  keyText(key.map((value) => (typeof value === 'string' ? foldText(value) : value)));

/** Rows that are new by their key, and not by what else is unique in the table. */
async function takenNames(table: Table, rows: readonly Row[], session: Session, dialect: Dialect): Promise<Taken[]> {
  const taken: Taken[] = [];
  for (const columns of uniquesOf(table)) {
    const name = keyOf(table, columns);
    const named = rows.filter((row) => name(row).every((value) => value !== null));
    if (named.length === 0) continue;
    const there = await rowsByKey(session, dialect, table, columns, named.map(name));
    if (there.length > 0) taken.push(...takenBy(there, named, name, columns));
  }
  return taken;
}

/** Columns that no two rows are equal in, beside the primary key. */
function uniquesOf(table: Table): readonly (readonly string[])[] {
  const indexes = table.indexes.filter(({ unique, where }) => unique && where === undefined);
  return [
    ...table.uniques.map(({ columns }) => columns),
    ...indexes.map(({ columns }) => columns.map(({ name }) => name)),
  ];
}

/** Rows of a batch whose keys some collations hold to be the same. */
export function alikeIn({ table, rows }: Batch): Problem[] {
  const names = keyNames(table);
  const key = keyOf(table, names);
  const known = new Map<string, Row>();
  return rows.flatMap((row): Problem[] => {
    const text = folded(key(row));
    const other = known.get(text);
    known.set(text, other ?? row);
    if (!other) return [];
    return [
      {
        kind: 'taken',
        where: rowText(table.name, names, key(row)),
        reason: `: its key may be that of ${rowText(table.name, names, key(other))} to the target`,
        rows: { [table.name]: 1 },
      },
    ];
  });
}
