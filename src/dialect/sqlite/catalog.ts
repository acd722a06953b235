/** The live schema of a SQLite database, from the pragmas and from the CREATE statements that it keeps. */
import { sql } from 'kysely';
import type { Check, Column, ForeignKey, Index, Key, Schema, Table, Trigger } from '../../schema/model.js';
import type { Session } from '../session.js';
import { checkOf, columnsOf, foreignKeyOf, parseTable, type TableSql } from './table-sql.js';

interface MasterRow {
  type: 'table' | 'index' | 'trigger';
  name: string;
  tbl_name: string;
  sql: string | null;
}
interface ColumnRow {
  table: string;
  name: string;
  type: string;
  notnull: number;
  dflt_value: string | null;
  pk: number;
  hidden: number;
}
interface IndexRow {
  table: string;
  index: string;
  unique: number;
  origin: 'c' | 'u' | 'pk';
  partial: number;
  column: string | null;
  desc: number;
}

/** The tables of the file: from its pragmas, and what those leave out from the text of CREATE TABLE. */
export async function readCatalog(session: Session): Promise<Schema> {
  // Outside of a transaction each question sees what is there by then. Whoever alters tables all the time is not waited for.
  for (let left = ATTEMPTS; ; left--) {
    const before = await schemaVersion(session);
    const schema = await readOnce(session);
    if (left === 1 || (await schemaVersion(session)) === before) return schema;
  }
}

const ATTEMPTS = 20;

/** Counts the changes of the schema (https://www.sqlite.org/pragma.html#pragma_schema_version). */
async function schemaVersion(session: Session): Promise<number | undefined> {
  const [row] = await session.rows<{ schema_version: number }>('PRAGMA schema_version');
  return row?.schema_version;
}

async function readOnce(session: Session): Promise<Schema> {
  const master = await session.rows<MasterRow>(
    sql`SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE ${'sqlite\\_%'} ESCAPE ${'\\'} ORDER BY rowid`,
  );
  const columns = await session.rows<ColumnRow>(
    sql`SELECT m.name AS "table", x.name, x.type, x."notnull", x.dflt_value, x.pk, x.hidden
        FROM sqlite_master m JOIN pragma_table_xinfo(m.name) x WHERE m.type = 'table' ORDER BY m.rowid, x.cid`,
  );
  const indexes = await session.rows<IndexRow>(
    sql`SELECT m.name AS "table", l.name AS "index", l."unique", l.origin, l.partial, x.name AS "column", x.desc
        FROM sqlite_master m JOIN pragma_index_list(m.name) l JOIN pragma_index_xinfo(l.name) x
        WHERE m.type = 'table' AND x.key = 1 ORDER BY m.rowid, l.seq, x.seqno`,
  );
  const columnsOfTable = Map.groupBy(columns, ({ table }) => table);
  const indexesOfTable = Map.groupBy(indexes, ({ table }) => table);
  const indexSql = new Map(master.flatMap(({ type, name, sql }) => (type === 'index' && sql ? [[name, sql]] : [])));

  const tables = master.flatMap(({ type, name, sql }): [string, Table][] =>
    type === 'table' && sql !== null && !/^\s*CREATE\s+VIRTUAL/i.test(sql)
      ? [[name, tableOf(name, sql, columnsOfTable.get(name) ?? [], indexesOfTable.get(name) ?? [], indexSql)]]
      : [],
  );
  const triggers = master.flatMap(({ type, name, tbl_name, sql }): Trigger[] =>
    type === 'trigger' ? [{ name, table: tbl_name, ...(sql !== null && { sql }) }] : [],
  );
  return { tables: new Map(tables), triggers };
}

function tableOf(
  name: string,
  create: string,
  columnRows: readonly ColumnRow[],
  indexRows: readonly IndexRow[],
  indexSql: ReadonlyMap<string, string>,
): Table {
  const parsed = parseTable(create);
  const primary = columnRows.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk);
  const constraints = parsed.definitions.filter((each) => each.is === 'constraint');
  const byIndex = [...Map.groupBy(indexRows, ({ index }) => index)];
  return {
    name,
    sql: create,
    columns: columnRows.map((row) => columnOf(row, parsed)),
    primaryKey:
      primary.length === 0
        ? null
        : {
            name: constraints.find(({ kind }) => kind === 'primary key')?.name ?? null,
            columns: primary.map((row) => row.name),
          },
    uniques: uniques(parsed),
    foreignKeys: foreignKeys(parsed),
    checks: checks(parsed),
    indexes: byIndex.flatMap(([index, rows]): Index[] => {
      const [first] = rows;
      const create = indexSql.get(index);
      if (first?.origin !== 'c' || create === undefined) return [];
      const condition = first.partial ? /\bWHERE\b([\s\S]*)$/i.exec(create)?.[1]?.trim() : undefined;
      return [
        {
          name: index,
          unique: first.unique === 1,
          columns: rows.map(({ column, desc }) => ({
            name: column ?? '(expression)',
            ...(desc === 1 && { descending: true }),
          })),
          ...(condition !== undefined && { where: condition }),
          sql: create,
        },
      ];
    }),
  };
}

/** `hidden` is 2 for virtual and 3 for stored generated columns. */
function columnOf(row: ColumnRow, parsed: TableSql): Column {
  const definition = parsed.definitions.find((each) => each.is === 'column' && each.name === row.name);
  const generated =
    row.hidden >= 2 && definition?.is === 'column'
      ? definition.clauses.find(({ kind }) => kind === 'generated')?.text
      : undefined;
  return {
    name: row.name,
    type: { kind: 'native', sql: row.type },
    nullable: row.notnull === 0,
    default: row.dflt_value === null ? null : { kind: 'native', sql: row.dflt_value },
    generated: generated ? generated.slice(generated.indexOf('(') + 1, generated.lastIndexOf(')')).trim() : null,
    numbered: null,
  };
}

/** From the text: where the primary key has the same columns, SQLite makes no index for the constraint. */
function uniques(parsed: TableSql): Key[] {
  return parsed.definitions.flatMap((definition) => {
    if (definition.is === 'constraint')
      return definition.kind === 'unique' ? [{ name: definition.name, columns: columnsOf(definition.text) }] : [];
    return definition.clauses.some(({ kind }) => kind === 'unique') ? [{ name: null, columns: [definition.name] }] : [];
  });
}

function foreignKeys(parsed: TableSql): ForeignKey[] {
  return parsed.definitions.flatMap((definition) => {
    if (definition.is === 'constraint')
      return definition.kind === 'foreign key' ? [foreignKeyOf(definition.text, definition.name)] : [];
    return definition.clauses
      .filter(({ kind }) => kind === 'references')
      .map(({ text }) => foreignKeyOf(text, null, definition.name));
  });
}

function checks(parsed: TableSql): Check[] {
  return parsed.definitions.flatMap((definition) => {
    if (definition.is === 'constraint')
      return definition.kind === 'check' ? [{ name: definition.name, expression: checkOf(definition.text) }] : [];
    return definition.clauses
      .filter(({ kind }) => kind === 'check')
      .map(({ text }) => ({ name: null, expression: checkOf(text) }));
  });
}
