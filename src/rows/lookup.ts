/** Rows by their keys: whether a table has those that are to be put into it. */
import { type RawBuilder, sql } from 'kysely';
import type { Dialect } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import type { Table } from '../schema/model.js';
import { bound, columnsOf, type Row, readerOf, type Value } from './values.js';

/** Keys that are asked for at once. */
const MOST_KEYS = 500;

/**
 * The rows whose values of some columns are among `keys`, as the database compares them: a collation can hold texts to be
 * equal that are not.
 * @param names of the columns, none of which is null in a key
 */
export async function rowsByKey(
  session: Session,
  dialect: Dialect,
  table: Table,
  names: readonly string[],
  keys: readonly Row[],
): Promise<Row[]> {
  const { words, rowWords } = dialect;
  const columns = columnsOf(table);
  const fields = columns.map((column, at) => ({ name: `c${at}`, read: readerOf(column) }));
  const selected = columns.map((column, at) => `${rowWords.exactly(column, words.id(column.name))} AS c${at}`);
  const from = sql.raw(`SELECT ${selected.join(', ')} FROM ${words.id(table.name)} WHERE `);
  const together = Math.max(1, Math.min(MOST_KEYS, Math.floor(rowWords.maxValues / names.length)));
  const found: Row[] = [];
  for (let at = 0; at < keys.length; at += together) {
    const condition = isAmong(names, keys.slice(at, at + together), dialect);
    const given: Record<string, unknown>[] = await session.rows(sql`${from}${condition}`);
    for (const each of given) found.push(fields.map(({ name, read }) => read(each[name])));
  }
  return found;
}

function isAmong(names: readonly string[], keys: readonly Row[], dialect: Dialect): RawBuilder<unknown> {
  const ids = names.map((name) => sql.raw(dialect.words.id(name)));
  const [only] = ids;
  if (only && ids.length === 1) return sql`${only} IN (${sql.join(keys.map(([key]) => bound(key ?? null, dialect)))})`;
  const equal = (key: Row) =>
    sql.join(
      ids.map((id, at) => sql`${id} = ${bound(key[at] ?? null, dialect)}`),
      sql` AND `,
    );
  return sql.join(
    keys.map((key) => sql`(${equal(key)})`),
    sql` OR `,
  );
}

/** A text that is the same for the same values, whichever way a whole number or a zero comes. */
export const keyText = (values: readonly Value[]): string =>
  values.map((value) => (typeof value === 'string' ? `"${value}` : String(value === 0 ? 0 : value))).join('\u0000');

/** Takes the values of some columns out of a row. */
export function keyOf(table: Table, names: readonly string[]): (row: Row) => Row {
  const columns = columnsOf(table);
  const places = names.map((name) => columns.findIndex((column) => column.name === name));
  return (row) => places.map((at) => row[at] ?? null);
}
