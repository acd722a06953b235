import { type RawBuilder, sql } from 'kysely';
import {
  amongHoles,
  columnList,
  compareExactText,
  type Insertion,
  insertValues,
  isGreater,
  NOTHING,
  type QueryWords,
  rowList,
} from '../query-words.js';

// 2100 parameters, of which sp_executesql takes two (https://learn.microsoft.com/en-us/sql/sql-server/maximum-capacity-specifications-for-sql-server).
const maxValues = 2_098;

export const queryWords: QueryWords = {
  maxValues,
  keepsUnicode: false,
  insert,
  insertMany: (shape, rows) => insertValues({ insert, maxValues }, shape, rows),
  among: amongHoles,
  packing: null,
  union: null,
  returning: (column) => ({ output: sql`OUTPUT ${sql.ref(`INSERTED.${column}`)}`, end: NOTHING }),
  // In one batch: a setting ends with the sp_executesql that it was made in.
  givingNumbers: (table, insert) =>
    sql`SET IDENTITY_INSERT ${sql.table(table)} ON; ${insert}; SET IDENTITY_INSERT ${sql.table(table)} OFF`,
  locking: { from: sql`WITH (UPDLOCK, ROWLOCK)`, end: NOTHING },
  // In the collation that MLflow asks in; regular expressions came with SQL Server 2025 only.
  compareText: (column, comparator, value) =>
    comparator === 'RLIKE'
      ? undefined
      : compareExactText(sql`${column} COLLATE Japanese_Bushu_Kakusu_100_CS_AS_KS_WS`, comparator, value),
  number: (value) => sql`${value}`,
  oneByOne: null,
  page: (limit, offset = 0) => sql`OFFSET ${sql.val(offset)} ROWS FETCH NEXT ${sql.val(limit)} ROWS ONLY`,
};

/**
 * HOLDLOCK keeps a second MERGE from inserting the same key between search and insert
 * (https://learn.microsoft.com/en-us/sql/t-sql/statements/merge-transact-sql#concurrency-considerations-for-merge).
 */
function insert({ table, columns, rows, key, conflict }: Insertion): RawBuilder<unknown> {
  const old = (column: string) => sql.ref(`o.${column}`);
  const fresh = (column: string) => sql.ref(`n.${column}`);
  const same = sql.join(
    key.map((column) => sql`${old(column)} = ${fresh(column)}`),
    sql` AND `,
  );
  const merge = sql`MERGE INTO ${sql.table(table)} WITH (HOLDLOCK) AS o USING (VALUES ${rowList(rows)}) AS n (${columnList(columns)}) ON ${same}`;
  const add = sql`WHEN NOT MATCHED THEN INSERT (${columnList(columns)}) VALUES (${sql.join(columns.map(fresh))});`;
  if (conflict === 'keep') return sql`${merge} ${add}`;
  const order = conflict.ifGreater;
  const when = order ? sql` AND ${isGreater(order.map((column) => [fresh(column), old(column)] as const))}` : NOTHING;
  const set = sql.join(conflict.update.map((column) => sql`${old(column)} = ${fresh(column)}`));
  return sql`${merge} WHEN MATCHED${when} THEN UPDATE SET ${set} ${add}`;
}
