/** Puts the rows of a side file back into a database that is at the revision they are of. */
import { type RawBuilder, sql } from 'kysely';
import type { Database, Dialect } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import { inForeignKeyOrder } from '../rows/order.js';
import type { Value } from '../rows/values.js';
import { schemaAt } from '../schema/lineage.js';
import type { Column } from '../schema/model.js';
import { tablesBack } from './between.js';
import { readHeader, rowsOfSideFile, type SideFileRow } from './side-file.js';

export interface Restored {
  /** Rows that were put back, or given their values again. */
  readonly restored: number;
  /** Rows that are there already, or were changed since: left as they are. */
  readonly left: number;
  /** Rows whose values have no row to go to any more. */
  readonly gone: number;
}

/**
 * In one transaction, so that a file is put back whole or not at all. It can be put back again: what is there stays.
 * @param since the revision of a side file that was put back before this one: a downgrade that was cut off and went on has
 * written two, and rows of the second one lack the columns that came after its revision
 * @throws {MtrackError} SIDE_FILE
 */
export async function restoreSideFile(
  path: string,
  database: Database,
  since: string | null = null,
): Promise<Restored> {
  const { from, tables } = await readHeader(path);
  const { dialect } = database;
  const session = await database.worker();
  try {
    await dialect.prepare(session, { lockTimeout: 10_000 });
    await session.begin();
    const counts = { restored: 0, left: 0, gone: 0 };
    const back = since === null ? [] : tablesBack(from, since, dialect);
    const newer = new Map(back.map(({ table, gone }) => [table.name, gone.map(({ name }) => name)]));
    try {
      // The file is read again for each table: in the order of references, which is not that of the file.
      for (const table of inForeignKeyOrder(schemaAt(from, dialect.traits)).filter(({ name }) => tables.has(name))) {
        for await (const each of rowsOfSideFile(path, dialect.traits)) {
          if (each.section.table !== table.name) continue;
          counts[await putBack(each, newer.get(table.name) ?? [], session, dialect)]++;
        }
      }
      await session.commit();
    } catch (error) {
      await session.rollback().catch(() => undefined);
      throw error;
    }
    return counts;
  } finally {
    await session.close();
  }
}

/** @param newer columns that a row which is there already has no values for yet */
async function putBack(
  given: SideFileRow,
  newer: readonly string[],
  session: Session,
  dialect: Dialect,
): Promise<keyof Restored> {
  const { section } = given;
  const isThere = async () => {
    const found = await session.rows(
      sql`SELECT 1 AS one FROM ${id(section.table, dialect)} WHERE ${isRow(given, dialect)}`,
    );
    return found.length > 0;
  };
  if (section.kind === 'rows') {
    if (!(await isThere())) await session.run(insertion(given, dialect));
    else if (newer.length > 0) await session.run(update(given, newer, dialect));
    else return 'left';
    return 'restored';
  }
  const changed = await session.run(
    section.kind === 'values'
      ? update(
          given,
          others(given).map(({ name }) => name),
          dialect,
        )
      : grown(given, dialect),
  );
  if (changed > 0) return 'restored';
  return (await isThere()) ? 'left' : 'gone';
}

const id = (name: string, { words }: Dialect) => sql.raw(words.id(name));

/** SQLite's driver binds no booleans. */
const bound = (value: Value, { words }: Dialect): RawBuilder<unknown> =>
  typeof value === 'boolean' ? sql.raw(words.literal(value)) : sql`${value}`;

function valueIn({ columns, row }: SideFileRow, name: string): Value {
  return row[columns.findIndex((column) => column.name === name)] ?? null;
}

const isRow = (given: SideFileRow, dialect: Dialect) =>
  sql.join(
    given.section.key.map((name) => sql`${id(name, dialect)} = ${bound(valueIn(given, name), dialect)}`),
    sql` AND `,
  );

/** Columns other than the key, with their values. */
const others = ({ section, columns }: SideFileRow): Column[] =>
  columns.filter(({ name }) => !section.key.includes(name));

function insertion(given: SideFileRow, dialect: Dialect): RawBuilder<unknown> {
  const { section, columns, row } = given;
  const table = id(section.table, dialect);
  const names = sql.join(columns.map(({ name }) => id(name, dialect)));
  const values = sql.join(row.map((value) => bound(value, dialect)));
  return sql`INSERT INTO ${table} (${names}) VALUES (${values})`;
}

function update(given: SideFileRow, names: readonly string[], dialect: Dialect): RawBuilder<unknown> {
  const set = names.map((name) => sql`${id(name, dialect)} = ${bound(valueIn(given, name), dialect)}`);
  return sql`UPDATE ${id(given.section.table, dialect)} SET ${sql.join(set)} WHERE ${isRow(given, dialect)}`;
}

/** A text that was cut, where it is still what was left of it. */
function grown(given: SideFileRow, dialect: Dialect): RawBuilder<unknown> {
  const [column] = others(given);
  if (!column) throw new Error(`nothing was cut in ${given.section.table}`);
  const name = id(column.name, dialect);
  const whole = valueIn(given, column.name);
  const rest = [...String(whole)].slice(0, given.section.length ?? 0).join('');
  return sql`UPDATE ${id(given.section.table, dialect)} SET ${name} = ${bound(whole, dialect)} WHERE ${isRow(given, dialect)} AND ${name} = ${rest}`;
}
