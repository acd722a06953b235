/** The text of CREATE TABLE, taken apart and put together again: SQLite itself says whether anything was lost. */
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inOnePiece } from '../../../src/dialect/ranges.js';
import { compile } from '../../../src/dialect/sqlite/compile.js';
import {
  formatTable,
  parseTable,
  quoteIfNeeded,
  quoteName,
  unquoteName,
} from '../../../src/dialect/sqlite/table-sql.js';
import type { Table } from '../../../src/schema/model.js';
import {
  addColumn,
  alterColumn,
  alterTable,
  optional,
  required,
  setPrimaryKey,
  type TableChange,
  varchar,
} from '../../../src/schema/operations.js';

// ---------------------------------------------------------------- texts

/** Any name that SQLite takes, in any of its quotes. */
const anyName = fc
  .oneof(
    fc.constantFrom(
      'a',
      'B',
      'key',
      'select',
      'CHECK',
      'check (',
      'a, b',
      "it's",
      '"',
      '`',
      'x -- y',
      '/* z',
      'constraint',
      'primary',
      'ü',
      '漢字',
      'a b',
      'DEFAULT',
      'rowid2',
      '1st',
      '$x',
      'not',
      'null',
      'references',
      'collate',
      'as',
      'generated',
    ),
    fc.string({ minLength: 1, maxLength: 8 }),
  )
  .filter((name) => !/[[\]\0]/.test(name));

const quoted = (name: string, style: number): string => {
  if (style === 1 && !name.includes('`')) return `\`${name}\``;
  if (style === 2) return `[${name}]`;
  return quoteName(name);
};

const TYPES = [
  '',
  'INTEGER',
  'VARCHAR(250)',
  'DECIMAL (10, 2)',
  'double precision',
  'BLOB',
  'UNSIGNED BIG INT',
  'json',
  '"odd type"',
];
const CLAUSES = [
  'NOT NULL',
  'CONSTRAINT nn NOT NULL ON CONFLICT IGNORE',
  'NULL',
  'DEFAULT 1',
  'DEFAULT -1.5e3',
  "DEFAULT 'a, (b'",
  "DEFAULT ('x' || ')')",
  'DEFAULT NULL',
  'DEFAULT CURRENT_TIMESTAMP',
  "DEFAULT x'00'",
  "CHECK (1 <> 2 OR 'CHECK (,' = ')')",
  'CONSTRAINT "c, (" CHECK (1 IN (1, 2, (3)))',
  'COLLATE NOCASE',
  'UNIQUE',
  'CONSTRAINT u UNIQUE ON CONFLICT REPLACE',
  'REFERENCES p (x) ON DELETE SET NULL ON UPDATE SET DEFAULT NOT DEFERRABLE INITIALLY IMMEDIATE',
  'REFERENCES p ON DELETE NO ACTION MATCH FULL DEFERRABLE',
  'CONSTRAINT fk REFERENCES "p" ("x") ON DELETE CASCADE',
];
const BLANKS = [' ', '\n\t', ' /* a, comment ( */ ', ' -- to the end, of ) the line\n', '\r\n'];
const CONSTRAINTS = [
  'CHECK (1 = 1)',
  "CONSTRAINT \"t (\" CHECK ('a' <> 'b)')",
  'CONSTRAINT tf FOREIGN KEY (%) REFERENCES p (x) ON UPDATE CASCADE',
  'UNIQUE (% COLLATE NOCASE DESC)',
  'CONSTRAINT pk PRIMARY KEY (%)',
  'constraint u2 unique (%) on conflict abort',
];

const kindOf = (clause: string) => clause.replace(/^CONSTRAINT ("[^"]*"|\w+) /, '').split(' ')[0] ?? '';

const column = fc.record({
  name: anyName,
  style: fc.nat(2),
  type: fc.constantFrom(...TYPES),
  clauses: fc.uniqueArray(fc.constantFrom(...CLAUSES), {
    maxLength: 4,
    selector: (clause) => kindOf(clause).replace(/^NOT$/, 'NULL'),
  }),
});

const created = fc
  .record({
    columns: fc.uniqueArray(column, { minLength: 1, maxLength: 5, selector: ({ name }) => name.toLowerCase() }),
    constraints: fc.uniqueArray(fc.constantFrom(...CONSTRAINTS), { maxLength: 3 }),
    blanks: fc.array(fc.constantFrom(...BLANKS), { minLength: 8, maxLength: 8 }),
    options: fc.constantFrom('', ' -- end', ';'),
  })
  .map(({ columns, constraints, blanks, options }) => {
    let n = 0;
    const blank = () => blanks[n++ % blanks.length] ?? ' ';
    const parts = columns.map(({ name, style, type, clauses }) =>
      [quoted(name, style), type, ...clauses].filter((each) => each !== '').join(blank()),
    );
    const on = quoteName(columns[0]?.name ?? '');
    const all = [...parts, ...constraints.map((constraint) => constraint.replace('%', on))];
    return {
      names: columns.map(({ name }) => name),
      text: `CREATE TABLE${blank()}"t"${blank()}(${blank()}${all.join(`${blank()},${blank()}`)}${blank()})${options}`,
    };
  });

// ---------------------------------------------------------------- what SQLite says

function inMemory<T>(use: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(':memory:');
  try {
    return use(database);
  } finally {
    database.close();
  }
}

const catalog = (database: DatabaseSync, table: string) => ({
  columns: database
    .prepare(`SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)`)
    .all(table),
  references: database
    .prepare(
      'SELECT "table", "from", "to", on_update, on_delete, "match" FROM pragma_foreign_key_list(?) ORDER BY id, seq',
    )
    .all(table),
  indexes: database
    .prepare(
      'SELECT l."unique", l.origin, x.name, x."desc", x.coll FROM pragma_index_list(?) l JOIN pragma_index_xinfo(l.name) x ORDER BY l.seq, x.seqno',
    )
    .all(table),
});

/** Runs the text, and gives it as SQLite keeps it; null where it is no good. */
function make(database: DatabaseSync, text: string): string | null {
  try {
    database.exec('CREATE TABLE p (x UNIQUE)');
    database.exec(text);
  } catch {
    return null;
  }
  return String(database.prepare("SELECT sql FROM sqlite_master WHERE name = 't'").get()?.sql);
}

describe('parseTable and formatTable', () => {
  it('say the same to SQLite as the text that was parsed, under another name, too', () => {
    let made = 0;
    fc.assert(
      fc.property(created, ({ names, text }) =>
        inMemory((database) => {
          const kept = make(database, text);
          if (kept === null) return;
          made++;
          const parsed = parseTable(kept);
          expect(parsed.definitions.flatMap((each) => (each.is === 'column' ? [each.name] : []))).toEqual(names);
          const first = catalog(database, 't');
          database.exec(formatTable(parsed, 'odd "name", ('));
          expect(catalog(database, 'odd "name", (')).toEqual(first);
          // Once put together, it is put together in the same way again.
          const again = formatTable(parsed);
          expect(formatTable(parseTable(again))).toBe(again);
        }),
      ),
      { numRuns: 400 },
    );
    expect(made).toBeGreaterThan(130);
  });

  it('understand every text that the parts are made of', () => {
    fc.assert(
      fc.property(anyName, (name) => {
        expect([0, 1, 2].map((style) => unquoteName(quoted(name, style)))).toEqual([name, name, name]);
        inMemory((database) => {
          database.exec(`CREATE TABLE t (${quoteIfNeeded(name)} TEXT)`);
          expect(database.prepare("SELECT name FROM pragma_table_xinfo('t')").get()?.name).toBe(name);
        });
      }),
    );
  });

  it('refuse what is no list of columns', () => {
    for (const text of ['', 'CREATE TABLE t', 'CREATE TABLE t (a', "CREATE TABLE t (a, b TEXT DEFAULT ')'"])
      expect(() => parseTable(text), text).toThrow();
  });
});

// ---------------------------------------------------------------- edits

/** The table as our catalog reader would give it, as far as a change of one column needs it. */
function live(database: DatabaseSync, sql: string): Table {
  const rows = database
    .prepare('SELECT name, type, "notnull" AS n, dflt_value AS d, pk FROM pragma_table_xinfo(\'t\')')
    .all() as unknown as { name: string; type: string; n: number; d: string | null; pk: number }[];
  const keys = rows.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk);
  return {
    name: 't',
    sql,
    columns: rows.map(({ name, type, n, d }) => ({
      name,
      type: { kind: 'native', sql: type },
      nullable: n === 0,
      default: d === null ? null : { kind: 'native', sql: d },
    })),
    primaryKey: keys.length === 0 ? null : { name: null, columns: keys.map(({ name }) => name) },
    uniques: [],
    foreignKeys: [],
    checks: [],
    indexes: [],
  };
}

const changes: readonly [string, (name: string) => TableChange][] = [
  ['a type', (name) => alterColumn(name, { type: varchar(77) })],
  ['NOT NULL', (name) => alterColumn(name, { nullable: false })],
  ['NULL', (name) => alterColumn(name, { nullable: true })],
  ['a default', (name) => alterColumn(name, { default: "it's, (new" })],
  ['no default', (name) => alterColumn(name, { default: null })],
  ['a column', () => addColumn(required('added', varchar(63), { default: 'd' }))],
  ['a column that may be null', () => addColumn(optional('added', varchar(63)))],
  ['the primary key', (name) => setPrimaryKey('new_pk', name)],
];

describe('a change of a table', () => {
  it.each(changes)('%s: SQLite has it as asked for, and every other column as it was', (_, change) => {
    let made = 0;
    fc.assert(
      fc.property(created, fc.nat(), ({ names, text }, at) =>
        inMemory((database) => {
          const kept = make(database, text);
          if (kept === null || names.some((name) => name.toLowerCase() === 'added')) return;
          made++;
          const table = live(database, kept);
          const name = names[at % names.length] ?? '';
          const before = catalog(database, 't');
          const { statements, after } = compile(alterTable('t', change(name)), {
            tables: new Map([['t', table]]),
            triggers: [],
          });
          database.exec('PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON');
          for (const { sql } of statements) database.exec(inOnePiece(sql));
          const now = catalog(database, 't');
          const asked = after.tables.get('t');
          expect(now.columns.map((row) => ({ name: row.name, nullable: row.notnull === 0 }))).toEqual(
            asked?.columns.map(({ name, nullable }) => ({ name, nullable })),
          );
          expect(now.references).toEqual(before.references);
          const other = (row: Record<string, unknown>) => row.name !== name && row.name !== 'added';
          const shape = ({ pk: _, ...row }: Record<string, unknown>) => row;
          expect(now.columns.filter(other).map(shape)).toEqual(before.columns.filter(other).map(shape));
          const sql = String(database.prepare("SELECT sql FROM sqlite_master WHERE name = 't'").get()?.sql);
          // The head is written anew, without the comments that were in it.
          const body = (each: string) => formatTable({ ...parseTable(each), head: '' });
          expect(body(sql)).toBe(body(asked?.sql ?? ''));
        }),
      ),
      { numRuns: 80 },
    );
    expect(made).toBeGreaterThan(20);
  });
});
