/** Reading the rows of a table as they are, page by page, each page from where the last one ended. */
import { setImmediate } from 'node:timers/promises';
import { type RawBuilder, sql } from 'kysely';
import type { Dialect } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import type { Column, Table } from '../schema/model.js';
import { bound, columnsOf, type Row, readerOf } from './values.js';

export interface ReadOptions {
  /** Only rows of which this is true. */
  readonly where?: RawBuilder<unknown> | undefined;
  /** Rows of a page at the most; 5000 where nothing is said. */
  readonly pageRows?: number | undefined;
  /** Ends with an error between two pages. */
  readonly signal?: AbortSignal | undefined;
}

/** A page holds about so many characters and bytes, and so many rows at the most. */
const PAGE_SIZE = 2_000_000;
const MOST_ROWS = 2000;
/** Of a table whose texts can be of any length. */
const FIRST_ROWS = 100;
/** What a value that is no text is taken to weigh. */
const SMALL = 8;

/**
 * The rows of a table, in one order however often they are read: that of the primary key, or of the rows' own numbers. For
 * one state of a table that others write to, the session is to be in a snapshot.
 * @param table as the model has it at the revision of the database; its other columns are passed over
 */
export async function* readRows(
  session: Session,
  dialect: Dialect,
  table: Table,
  { where, signal, pageRows = MOST_ROWS }: ReadOptions = {},
): AsyncGenerator<readonly Row[], void> {
  const { words, rowWords } = dialect;
  const columns = columnsOf(table);
  const fields = columns.map((column, at) => ({ name: `c${at}`, read: readerOf(column) }));
  const selected = columns.map((column, at) => `${rowWords.exactly(column, words.id(column.name))} AS c${at}`);
  const key = keyOf(table, dialect);
  const query = (last: Row | null, rows: number) => {
    const conditions = [
      ...(where ? [sql`(${where})`] : []),
      ...(last === null
        ? []
        : [
            rowWords.after(
              key.columns,
              last.map((value) => bound(value, dialect)),
            ),
          ]),
    ];
    const filter = conditions.length === 0 ? sql`` : sql`WHERE ${sql.join(conditions, sql` AND `)}`;
    return sql`SELECT ${sql.raw([...selected, ...key.selected].join(', '))} FROM ${sql.raw(words.id(table.name))} ${filter} ORDER BY ${sql.join(key.columns)} ${rowWords.first(rows)}`;
  };

  let rows = columns.some(({ type }) => UNBOUNDED.has(type.kind)) ? Math.min(FIRST_ROWS, pageRows) : pageRows;
  let last: Row | null = null;
  for (;;) {
    // SQLite answers at once: let signals and the display have their turn.
    await setImmediate();
    signal?.throwIfAborted();
    const given: Record<string, unknown>[] = await session.rows(query(last, rows));
    const page = given.map((each) => fields.map(({ name, read }) => read(each[name])));
    if (page.length > 0) yield page;
    const [end] = given.slice(-1);
    if (given.length < rows || !end) return;
    last = key.of(end, page.at(-1) ?? []);
    // Twice as many at the most: a page of short rows says little about the next.
    const weight = page.reduce((sum, row) => sum + weightOf(row), 0) / page.length;
    rows = Math.max(1, Math.min(pageRows, 2 * rows, Math.floor(PAGE_SIZE / weight)));
  }
}

const UNBOUNDED: ReadonlySet<string> = new Set(['text', 'json', 'binary', 'native']);

/** Characters and bytes of a row, about. */
export const weightOf = (row: Row): number =>
  row.reduce<number>(
    (sum, value) => sum + (typeof value === 'string' || value instanceof Uint8Array ? value.length + SMALL : SMALL),
    0,
  );

interface PageKey {
  readonly columns: readonly RawBuilder<unknown>[];
  /** What has to be read beside the columns of the table. */
  readonly selected: readonly string[];
  of(given: Record<string, unknown>, row: Row): Row;
}

function keyOf(table: Table, { words, rowWords }: Dialect): PageKey {
  if (rowWords.rowNumber !== null) {
    const { rowNumber } = rowWords;
    const column: Column = { name: rowNumber, type: { kind: 'bigint' }, nullable: false };
    const read = readerOf(column);
    return {
      columns: [sql.raw(rowNumber)],
      selected: [`${rowWords.exactly(column, rowNumber)} AS k`],
      of: ({ k }) => [read(k)],
    };
  }
  const columns = columnsOf(table);
  const names = table.primaryKey?.columns ?? columns.map(({ name }) => name);
  const places = names.map((name) => columns.findIndex((column) => column.name === name));
  return {
    columns: names.map((name) => sql.raw(words.id(name))),
    selected: [],
    of: (_, row) => places.map((at) => row[at] ?? null),
  };
}
