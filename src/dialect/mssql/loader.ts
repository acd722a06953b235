/**
 * Rows into SQL Server by the protocol's bulk load. One that gives the values of an IDENTITY column itself would need a
 * hint that tedious does not send: such tables, which are small, are loaded by INSERT.
 */
import { sql } from 'kysely';
import { type Connection, TYPES } from 'tedious';
import type { Column } from '../../schema/model.js';
import type { Loader, Row, Value } from '../loader.js';
import type { Session } from '../session.js';
import { asOne, openSession } from './connect.js';
import type { MssqlOptions } from './options.js';
import { quote } from './spell.js';

export async function openLoader(options: MssqlOptions, program: string): Promise<Loader> {
  let connection: Connection | undefined;
  const session = await openSession(options, program, (opened) => {
    connection = opened;
  });
  return {
    ...session,
    load: async (table, columns, rows) => {
      if (rows.length === 0) return;
      if (!connection) throw new Error('no connection was made');
      if (columns.some(({ numbered }) => numbered)) await insertNumbered(session, table, columns, rows);
      else await bulkLoad(connection, table, columns, rows);
    },
  };
}

/** Parameters of one statement: 2100, of which sp_executesql takes two. */
const MOST_VALUES = 2_098;
/** Rows of one VALUES (https://learn.microsoft.com/en-us/sql/t-sql/queries/table-value-constructor-transact-sql#limitations-and-restrictions). */
const MOST_ROWS = 1000;

async function insertNumbered(
  session: Session,
  table: string,
  columns: readonly Column[],
  rows: readonly Row[],
): Promise<void> {
  const names = sql.raw(columns.map(({ name }) => quote(name)).join(', '));
  const together = Math.min(MOST_ROWS, Math.floor(MOST_VALUES / columns.length));
  await session.run(`SET IDENTITY_INSERT ${quote(table)} ON`);
  for (let at = 0; at < rows.length; at += together) {
    const tuples = rows.slice(at, at + together).map((row) => sql`(${sql.join(row.map((value) => sql`${value}`))})`);
    await session.run(sql`INSERT INTO ${sql.raw(quote(table))} (${names}) VALUES ${sql.join(tuples)}`);
  }
  await session.run(`SET IDENTITY_INSERT ${quote(table)} OFF`);
}

function bulkLoad(
  connection: Connection,
  table: string,
  columns: readonly Column[],
  rows: readonly Row[],
): Promise<void> {
  return new Promise((resolve, reject) => {
    // Constraints that are not checked are marked as not to be trusted, and defaults stay away from what is null.
    const bulk = connection.newBulkLoad(quote(table), { checkConstraints: true, keepNulls: true }, (error) =>
      error ? reject(asOne(error)) : resolve(),
    );
    for (const column of columns) bulk.addColumn(column.name, ...typeOf(column));
    connection.execBulkLoad(
      bulk,
      rows.map((row) => row.map(bound)),
    );
  });
}

type Typed = [type: (typeof TYPES)[keyof typeof TYPES], options: { nullable: boolean; length?: number }];

function typeOf({ type, nullable }: Column): Typed {
  const whole = Number.POSITIVE_INFINITY;
  switch (type.kind) {
    case 'integer':
      return [TYPES.Int, { nullable }];
    case 'bigint':
      return [TYPES.BigInt, { nullable }];
    case 'boolean':
      return [TYPES.Bit, { nullable }];
    case 'float':
    case 'double':
      return [TYPES.Float, { nullable }];
    case 'date':
      return [TYPES.Date, { nullable }];
    case 'binary':
      return [TYPES.VarBinary, { nullable, length: whole }];
    case 'varchar':
      return [TYPES.VarChar, { nullable, length: type.length }];
    case 'json':
      return [TYPES.NVarChar, { nullable, length: whole }];
    default:
      return [type.kind === 'text' && type.unicode ? TYPES.NVarChar : TYPES.VarChar, { nullable, length: whole }];
  }
}

const bound = (value: Value) => (value instanceof Uint8Array ? Buffer.from(value) : value);
