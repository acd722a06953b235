/** The live schema of a MySQL or MariaDB database. */
import { type RawBuilder, sql } from 'kysely';
import type {
  Check,
  CheckExpression,
  Column,
  ColumnDefault,
  ForeignKey,
  Index,
  Key,
  ReferentialAction,
  Schema,
  Table,
  Trigger,
} from '../../schema/model.js';
import type { Session } from '../session.js';
import type { Server } from './flavour.js';
import { grantsOf } from './grants.js';
import { literal } from './spell.js';

interface TableRow {
  name: string;
  collation: string | null;
}
interface ColumnRow {
  table: string;
  name: string;
  type: string;
  nullable: 'YES' | 'NO';
  default: string | null;
  extra: string;
  generated: string | null;
  collation: string | null;
}
interface KeyRow {
  table: string;
  name: string;
  column: string;
  referenced: string | null;
  reference: string | null;
  on_delete: string | null;
  on_update: string | null;
}
interface CheckRow {
  table: string;
  name: string;
  clause: string;
}
interface IndexRow {
  table: string;
  name: string;
  non_unique: number | string;
  column: string | null;
  direction: string | null;
  prefix: number | string | null;
}

/** The tables of the database, from `information_schema` and, for what that leaves out, `SHOW CREATE TABLE`. */
export async function readCatalog(session: Session, server: Server): Promise<Schema> {
  const tables = await session.rows<TableRow>(sql`
    SELECT TABLE_NAME AS name, TABLE_COLLATION AS collation FROM information_schema.TABLES
    WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' ORDER BY 1`);
  const columns = await session.rows<ColumnRow>(sql`
    SELECT TABLE_NAME AS \`table\`, COLUMN_NAME AS name, COLUMN_TYPE AS type, IS_NULLABLE AS nullable, COLUMN_DEFAULT AS \`default\`,
           EXTRA AS extra, GENERATION_EXPRESSION AS \`generated\`, COLLATION_NAME AS collation
    FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, ORDINAL_POSITION`);
  const keys = await session.rows<KeyRow>(sql`
    SELECT k.TABLE_NAME AS \`table\`, k.CONSTRAINT_NAME AS name, k.COLUMN_NAME AS \`column\`,
           k.REFERENCED_TABLE_NAME AS referenced, k.REFERENCED_COLUMN_NAME AS reference, r.DELETE_RULE AS on_delete, r.UPDATE_RULE AS on_update
    FROM information_schema.KEY_COLUMN_USAGE k
    LEFT JOIN information_schema.REFERENTIAL_CONSTRAINTS r
      ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.TABLE_NAME = k.TABLE_NAME AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME
    WHERE k.TABLE_SCHEMA = DATABASE() ORDER BY k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION`);
  const hiddenActions = keys.filter(({ referenced, on_delete }) => referenced !== null && on_delete === null);
  for (const [table, ofTable] of Map.groupBy(hiddenActions, ({ table }) => table)) {
    const text = await createText(table, session);
    for (const key of ofTable) Object.assign(key, actionsIn(text, key.name));
  }
  const checks = await session.rows<CheckRow>(checksQuery(server));
  const indexes = await session.rows<IndexRow>(sql`
    SELECT TABLE_NAME AS \`table\`, INDEX_NAME AS name, NON_UNIQUE AS non_unique, COLUMN_NAME AS \`column\`, COLLATION AS direction, SUB_PART AS prefix
    FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX`);
  const triggers = await session.rows<Trigger>(sql`
    SELECT TRIGGER_NAME AS name, EVENT_OBJECT_TABLE AS \`table\` FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE() ORDER BY 1`);
  const hidden = triggers.length === 0 && !(await maySeeTriggers(session));

  const by = <Row extends { table: string }>(rows: readonly Row[]) => Map.groupBy(rows, ({ table }) => table);
  const [columnsOf, keysOf, checksOf, indexesOf] = [by(columns), by(keys), by(checks), by(indexes)];
  return {
    tables: new Map(
      tables.map((table) => [
        table.name,
        tableOf(table, server, {
          columns: columnsOf.get(table.name) ?? [],
          keys: keysOf.get(table.name) ?? [],
          checks: checksOf.get(table.name) ?? [],
          indexes: indexesOf.get(table.name) ?? [],
        }),
      ]),
    ),
    triggers,
    ...(hidden && { triggersHidden: true as const }),
  };
}

/** To a user who may only read, REFERENTIAL_CONSTRAINTS shows nothing; the text of the table does. */
async function createText(table: string, session: Session): Promise<string> {
  const [row] = await session.rows<{ 'Create Table': string }>(sql`SHOW CREATE TABLE ${sql.id(table)}`);
  return row?.['Create Table'] ?? '';
}

function actionsIn(text: string, key: string): Pick<KeyRow, 'on_delete' | 'on_update'> {
  const line = text.split('\n').find((each) => each.includes(`CONSTRAINT ${quoted(key)} FOREIGN KEY`)) ?? '';
  const action = (event: string) => new RegExp(` ON ${event} ([A-Z]+(?: NULL| ACTION| DEFAULT)?)`).exec(line)?.[1];
  return { on_delete: action('DELETE') ?? 'NO ACTION', on_update: action('UPDATE') ?? 'NO ACTION' };
}

const quoted = (name: string) => `\`${name.replaceAll('`', '``')}\``;

/** Triggers show themselves only to who could make some. */
async function maySeeTriggers(session: Session): Promise<boolean> {
  const grants = await grantsOf(session);
  return ['TRIGGER', 'ALL PRIVILEGES', 'ROLE'].some((each) => grants.has(each));
}

/** MariaDB names checks within a table, MySQL within a schema; MySQL has them since 8.0.16. */
function checksQuery(server: Server): RawBuilder<unknown> {
  return server.flavour === 'mariadb'
    ? sql`SELECT TABLE_NAME AS \`table\`, CONSTRAINT_NAME AS name, CHECK_CLAUSE AS clause
          FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE()`
    : sql`SELECT t.TABLE_NAME AS \`table\`, t.CONSTRAINT_NAME AS name, c.CHECK_CLAUSE AS clause
          FROM information_schema.TABLE_CONSTRAINTS t JOIN information_schema.CHECK_CONSTRAINTS c
            ON c.CONSTRAINT_SCHEMA = t.CONSTRAINT_SCHEMA AND c.CONSTRAINT_NAME = t.CONSTRAINT_NAME
          WHERE t.TABLE_SCHEMA = DATABASE() AND t.CONSTRAINT_TYPE = 'CHECK'`;
}

type Kind = 'PRIMARY KEY' | 'UNIQUE' | 'FOREIGN KEY';

/** TABLE_CONSTRAINTS would say, but it shows nothing to a user who may only read. */
const kindOf = ({ name, referenced }: KeyRow): Kind =>
  referenced !== null ? 'FOREIGN KEY' : name === 'PRIMARY' ? 'PRIMARY KEY' : 'UNIQUE';

interface Rows {
  readonly columns: readonly ColumnRow[];
  readonly keys: readonly KeyRow[];
  readonly checks: readonly CheckRow[];
  readonly indexes: readonly IndexRow[];
}

function tableOf(table: TableRow, server: Server, rows: Rows): Table {
  const keys = [...Map.groupBy(rows.keys, (row) => `${kindOf(row)} ${row.name}`).values()];
  const ofKind = (kind: Kind) => keys.filter(([row]) => row && kindOf(row) === kind);
  const key = (group: readonly KeyRow[]): Key => ({
    name: group[0]?.name ?? null,
    columns: group.map(({ column }) => column),
  });
  const uniques = ofKind('UNIQUE').map(key);
  const isConstraint = (name: string) => name === 'PRIMARY' || uniques.some((unique) => unique.name === name);
  // MariaDB's JSON is an alias: LONGTEXT with a check, named after the column, that it is valid.
  const json = new Set(rows.checks.flatMap(({ clause }) => /^json_valid\(`(.+)`\)$/i.exec(clause)?.[1] ?? []));
  return {
    name: table.name,
    ...(table.collation !== null && { collation: table.collation }),
    columns: rows.columns.map((row) => columnOf(row, server, table.collation, json.has(row.name))),
    primaryKey: ofKind('PRIMARY KEY').map(key)[0] ?? null,
    uniques,
    foreignKeys: ofKind('FOREIGN KEY').map(foreignKeyOf),
    checks: rows.checks
      .filter(({ clause }) => !/^json_valid\(/i.test(clause))
      .map(({ name, clause }): Check => ({ name, expression: checkOf(clause) })),
    indexes: [...Map.groupBy(rows.indexes, ({ name }) => name)]
      .filter(([name]) => !isConstraint(name))
      .map(([name, group]) => indexOf(name, group)),
  };
}

function columnOf(row: ColumnRow, server: Server, tableCollation: string | null, isJson: boolean): Column {
  const own = row.collation !== null && row.collation !== tableCollation ? ` COLLATE ${row.collation}` : '';
  const generated = row.generated ? bare(row.generated) : null;
  return {
    name: row.name,
    type: { kind: 'native', sql: isJson ? 'json' : row.type + own },
    nullable: row.nullable === 'YES',
    default: generated === null ? defaultOf(row, server) : null,
    generated,
    numbered: /auto_increment/i.test(row.extra) ? 'serial' : null,
  };
}

/** MariaDB gives the text of the expression, and NULL as a word; MySQL the bare value, and says in EXTRA when it is an expression. */
function defaultOf(row: ColumnRow, server: Server): ColumnDefault | null {
  if (row.default === null || row.default === 'NULL') return null;
  if (server.flavour === 'mariadb' || /DEFAULT_GENERATED/i.test(row.extra) || /^\w*int/.test(row.type))
    return { kind: 'native', sql: row.default };
  return { kind: 'native', sql: literal(row.default) };
}

const ACTIONS: Readonly<Record<string, ReferentialAction>> = {
  CASCADE: 'cascade',
  'SET NULL': 'set null',
  'SET DEFAULT': 'set default',
};

function foreignKeyOf(group: readonly KeyRow[]): ForeignKey {
  const [first] = group;
  return {
    name: first?.name ?? null,
    columns: group.map(({ column }) => column),
    table: first?.referenced ?? '',
    references: group.map(({ reference }) => reference ?? ''),
    // RESTRICT and NO ACTION are the same here.
    onDelete: ACTIONS[first?.on_delete ?? ''] ?? 'no action',
    onUpdate: ACTIONS[first?.on_update ?? ''] ?? 'no action',
  };
}

function indexOf(name: string, group: readonly IndexRow[]): Index {
  return {
    name,
    unique: Number(group[0]?.non_unique) === 0,
    columns: group.map(({ column, direction, prefix }) => ({
      name: column ?? '(expression)',
      ...(direction === 'D' && { descending: true }),
      ...(prefix !== null && { prefix: Number(prefix) }),
    })),
  };
}

/** `` `status` in ('A','B') `` of MariaDB; MySQL writes ``(`status` in (_utf8mb4\'A\',_utf8mb4\'B\'))``. */
export function checkOf(clause: string): CheckExpression {
  const text = clause.replaceAll("\\'", "'").replaceAll(/_utf8mb[34](?=')/g, '');
  const found = /^\(*`(\w+)` in \((.*?)\)+$/i.exec(text);
  if (found?.[1] && found[2] !== undefined) {
    const values = [...found[2].matchAll(/'((?:[^']|'')*)'|(-?\d+)/g)].map(([, quoted, number]) =>
      quoted === undefined ? Number(number) : quoted.replaceAll("''", "'"),
    );
    return { column: found[1], in: values };
  }
  return { sql: text };
}

function bare(expression: string): string {
  return expression.replaceAll('`', '').replace(/^\((.*)\)$/s, '$1');
}
