/** Artifacts that are elsewhere now: the URIs of a database, rewritten in place. */
import { sql } from 'kysely';
import type { Database, Dialect } from '../../dialect/dialect.js';
import type { Session } from '../../dialect/session.js';
import { MtrackError } from '../../errors.js';
import { inForeignKeyOrder } from '../../rows/order.js';
import { readRows } from '../../rows/read.js';
import { bound, columnsOf, type Row } from '../../rows/values.js';
import { schemaAt } from '../../schema/lineage.js';
import type { Schema, Table } from '../../schema/model.js';
import { wholeRevision } from '../../upgrade/gate.js';
import { locate } from '../../upgrade/locate.js';
import { underLock } from '../lock.js';
import { rowText } from '../problems.js';
import type { OnProgress } from '../progress.js';
import { keyNames } from '../sieve.js';
import { type PlaceInRows, placesIn } from './places.js';
import type { Relocated, Relocation } from './relocation.js';
import { Rewriting } from './rewriting.js';

export interface DatabaseOptions extends Relocation {
  /** Milliseconds to wait for another one that works on the database. */
  readonly patience: number;
  readonly onProgress: OnProgress;
}

/** Counts what would change. Reads only. @throws {MtrackError} as `relocateDatabase` */
export async function lookAtDatabase(database: Database, options: DatabaseOptions): Promise<Relocated> {
  const session = await database.reader(options.patience);
  try {
    return await relocated(session, database, options, async () => undefined);
  } finally {
    await session.close();
  }
}

/**
 * Rewrites, in one transaction.
 * @throws {MtrackError} LOCKED; TARGET_CONFLICT for URIs that a column cannot hold; those of a database that is no whole one
 */
export async function relocateDatabase(database: Database, options: DatabaseOptions): Promise<Relocated> {
  const { dialect } = database;
  const session = await database.worker();
  try {
    return await underLock(session, dialect, options, async () => {
      const own = dialect.transaction !== 'upgrade';
      if (own) await session.begin();
      const result = await relocated(session, database, options, async (table, before, after) => {
        await session.run(updateOf(table, before, after, dialect));
      });
      if (own) await session.commit();
      return result;
    });
  } finally {
    await session.close();
  }
}

type Change = (table: Table, before: Row, after: Row) => Promise<void>;

async function relocated(
  session: Session,
  database: Database,
  { map, signal }: DatabaseOptions,
  change: Change,
): Promise<Relocated> {
  const { dialect } = database;
  const schema = await schemaOf(session, database);
  const counts = new Map<string, number>();
  const tooLong: string[] = [];
  for (const table of inForeignKeyOrder(schema)) {
    const places = placesIn(table);
    if (places.length === 0) continue;
    for (const { name } of places) counts.set(name, 0);
    const rewriting = new Rewriting(map, ({ name }) => counts.set(name, (counts.get(name) ?? 0) + 1));
    const misfits = misfitsOf(table, places, dialect);
    for await (const page of readRows(session, dialect, table, { signal, where: conditionOf(places, dialect) })) {
      for (const before of page) {
        const after = rewriting.row(table, before);
        if (after === before) continue;
        tooLong.push(...misfits(after));
        if (tooLong.length === 0) await change(table, before, after);
      }
    }
  }
  if (tooLong.length > 0) throw notHeld(tooLong);
  return { counts };
}

async function schemaOf(session: Session, database: Database): Promise<Schema> {
  const revision = wholeRevision(await locate(session, database.dialect), database);
  if (revision !== null) return schemaAt(revision, database.dialect.traits);
  throw new MtrackError('DATABASE_EMPTY', {
    found: `${database.target.database} has no tables of MLflow`,
    expected: 'a database of MLflow',
    fix: ['check the store URI'],
  });
}

/** Of tags only those that hold a place. */
function conditionOf(places: readonly PlaceInRows[], { words }: Dialect) {
  const keys = places.flatMap(({ place }) => place.keys ?? []);
  if (keys.length === 0) return undefined;
  return sql`${sql.raw(words.id('key'))} IN (${sql.join(keys.map((key) => sql`${key}`))})`;
}

function misfitsOf(table: Table, places: readonly PlaceInRows[], dialect: Dialect): (row: Row) => string[] {
  const columns = columnsOf(table);
  const names = keyNames(table);
  const keyAt = names.map((name) => columns.findIndex((column) => column.name === name));
  const checks = places.flatMap(({ at }) => {
    const column = columns[at];
    const misfit = column ? dialect.rowWords.misfit(column) : null;
    return column && misfit ? [{ at, column, misfit }] : [];
  });
  return (row) =>
    checks.flatMap(({ at, column, misfit }) => {
      const reason = misfit(row[at] ?? null);
      const key = keyAt.map((place) => row[place] ?? null);
      return reason === null ? [] : [`${rowText(table.name, names, key)}: ${column.name} ${reason}`];
    });
}

/** Rows that are named in a message. */
const SHOWN = 20;

function notHeld(tooLong: readonly string[]): MtrackError {
  const more = tooLong.length > SHOWN ? [`and ${tooLong.length - SHOWN} more`] : [];
  return new MtrackError('TARGET_CONFLICT', {
    found: ['URIs in their new place do not fit:', ...tooLong.slice(0, SHOWN), ...more].join('\n'),
    expected: 'URIs that the columns hold; nothing was changed',
    fix: ['choose a shorter place for the artifacts'],
    details: { tooLong },
  });
}

function updateOf(table: Table, before: Row, after: Row, dialect: Dialect) {
  const id = (name: string) => sql.raw(dialect.words.id(name));
  const columns = columnsOf(table);
  const set = columns.flatMap(({ name }, at) =>
    before[at] === after[at] ? [] : [sql`${id(name)} = ${bound(after[at] ?? null, dialect)}`],
  );
  const where = keyNames(table).map((name) => {
    const value = before[columns.findIndex((column) => column.name === name)] ?? null;
    return sql`${id(name)} = ${bound(value, dialect)}`;
  });
  return sql`UPDATE ${id(table.name)} SET ${sql.join(set)} WHERE ${sql.join(where, sql` AND `)}`;
}
