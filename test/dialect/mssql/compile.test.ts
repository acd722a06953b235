/** What the lineage does not need today, and an operator's own indexes and references do: columns that much depends on. */
import { describe, expect, test } from 'vitest';
import { mssqlDialect } from '../../../src/dialect/mssql/index.js';
import { EMPTY_SCHEMA, type Schema } from '../../../src/schema/model.js';
import {
  addCheck,
  addColumn,
  addIndex,
  alterColumn,
  alterTable,
  boolean,
  check,
  createTable,
  dropCheck,
  dropColumn,
  dropForeignKey,
  dropUnique,
  foreignKey,
  index,
  integer,
  isOneOf,
  type Operation,
  optional,
  primaryKey,
  renameColumn,
  required,
  setPrimaryKey,
  text,
  unique,
  varchar,
} from '../../../src/schema/operations.js';
import { ModelServer } from '../../support/mssql/model.js';

const dialect = mssqlDialect(null);

function compiled(operations: readonly Operation[], from: Schema = EMPTY_SCHEMA) {
  let schema = from;
  const statements: string[] = [];
  for (const operation of operations) {
    const each = dialect.compile(operation, schema);
    statements.push(...each.statements.map(({ sql }) => sql));
    schema = each.after;
  }
  return { statements, schema };
}

/** Compiles changes of tables that are there already, and runs all of it on the model of a server. */
function changed(tables: readonly Operation[], ...changes: Operation[]) {
  const before = compiled(tables);
  const after = compiled(changes, before.schema);
  const server = new ModelServer();
  for (const sql of [...before.statements, ...after.statements]) server.run(sql);
  return { server, statements: after.statements, schema: after.schema };
}

const parents = createTable(
  'parents',
  required('name', varchar(100), { default: 'x' }),
  optional('kind', varchar(10), { default: 'a' }),
  primaryKey('parents_pk', 'name'),
  unique(null, 'kind'),
  check(null, isOneOf('kind', ['a', "it's"])),
  index('index_parents_name', ['kind', 'name'], { descending: ['name'] }),
  index('index_parents_other', ['name']),
);
const children = createTable(
  'children',
  required('id', integer()),
  optional('parent', varchar(10)),
  primaryKey('children_pk', 'id'),
  foreignKey(null, { columns: ['parent'], table: 'parents', references: ['kind'], onUpdate: 'cascade' }),
);

describe('a column that is part of everything', () => {
  const { server, statements } = changed(
    [parents, children],
    alterTable('parents', alterColumn('kind', { nullable: false })),
  );

  test('is freed of what depends on it, changed, and given it back', () => {
    expect(
      statements.map((sql) =>
        sql.replace(/^DECLARE [\s\S]*?N'(ALTER TABLE .*) ' \+ QUOTENAME[\s\S]*?FROM sys\.(\w+) k[\s\S]*$/, '$1 of $2'),
      ),
    ).toEqual([
      'ALTER TABLE [children] DROP CONSTRAINT of foreign_keys',
      'ALTER TABLE [parents] DROP CONSTRAINT of check_constraints',
      'DROP INDEX [index_parents_name] ON [parents]',
      'ALTER TABLE [parents] DROP CONSTRAINT of key_constraints',
      'ALTER TABLE [parents] DROP CONSTRAINT of default_constraints',
      'ALTER TABLE [parents] ALTER COLUMN [kind] varchar(10) NOT NULL',
      "ALTER TABLE [parents] ADD DEFAULT 'a' FOR [kind]",
      'ALTER TABLE [parents] ADD UNIQUE ([kind])',
      "ALTER TABLE [parents] ADD CHECK ([kind] IN ('a', 'it''s'))",
      'CREATE INDEX [index_parents_name] ON [parents] ([kind], [name] DESC)',
      'ALTER TABLE [children] ADD FOREIGN KEY ([parent]) REFERENCES [parents] ([kind]) ON UPDATE CASCADE',
    ]);
  });

  test('ends where it began, but for what was to change', () => {
    const { server: before } = changed([parents, children]);
    const kind = before.table('parents').columns[1];
    if (kind) kind.nullable = false;
    const sorted = (table: string, of: ModelServer) => {
      const { indexes, ...rest } = of.table(table);
      return { ...rest, indexes: [...indexes].sort((a, b) => (a.name < b.name ? -1 : 1)) };
    };
    expect(sorted('parents', server)).toEqual(sorted('parents', before));
    expect(server.table('children')).toEqual(before.table('children'));
  });
});

test('a primary key is made again around its column', () => {
  const { statements, server } = changed(
    [parents],
    alterTable('parents', alterColumn('name', { type: varchar(100, { caseSensitive: true }) })),
  );
  expect(statements).toContain('ALTER TABLE [parents] DROP CONSTRAINT [parents_pk]');
  expect(statements).toContain('ALTER TABLE [parents] ADD CONSTRAINT [parents_pk] PRIMARY KEY ([name])');
  expect(server.table('parents').primaryKey).toEqual({ name: 'parents_pk', columns: ['name'] });
});

test('both sides of a reference must change their collation: the model refuses one side, as the server does', () => {
  expect(() =>
    changed(
      [parents, children],
      alterTable('children', alterColumn('parent', { type: varchar(10, { caseSensitive: true }) })),
    ),
  ).toThrow('is not of same collation');
});

test('NULL and NOT NULL are restated with every change of a type', () => {
  const { statements } = changed(
    [parents],
    alterTable('parents', alterColumn('kind', { type: varchar(20) })),
    alterTable('parents', alterColumn('kind', { nullable: false })),
  );
  expect(statements.filter((sql) => sql.includes('ALTER COLUMN'))).toEqual([
    'ALTER TABLE [parents] ALTER COLUMN [kind] varchar(20) NULL',
    'ALTER TABLE [parents] ALTER COLUMN [kind] varchar(20) NOT NULL',
  ]);
});

test('a default alone is changed without the column', () => {
  const flags = createTable('flags', required('on', boolean(), { default: '0' }), primaryKey('flags_pk', 'on'));
  const { statements, server } = changed([flags], alterTable('flags', alterColumn('on', { default: '1' })));
  expect(statements).toHaveLength(2);
  expect(statements[1]).toBe("ALTER TABLE [flags] ADD DEFAULT '1' FOR [on]");
  expect(server.table('flags').defaults).toMatchObject([{ column: 'on', value: "'1'" }]);
});

test('a column is dropped with its default', () => {
  const { statements, server } = changed(
    [createTable('t', required('a', integer()), required('b', integer(), { default: '0' }), primaryKey('t_pk', 'a'))],
    alterTable('t', dropColumn('b')),
  );
  expect(statements.at(-1)).toBe('ALTER TABLE [t] DROP COLUMN [b]');
  expect(server.table('t').defaults).toEqual([]);
});

test('constraints without a name are found by what they do', () => {
  const { server } = changed(
    [parents, children],
    alterTable('children', dropForeignKey(['parent'], 'parents')),
    alterTable('parents', dropCheck(isOneOf('kind', ["it's", 'a'])), dropUnique('kind')),
  );
  expect(server.table('children').foreignKeys).toEqual([]);
  expect(server.table('parents')).toMatchObject({ checks: [], uniques: [] });
});

test('a lookup that finds nothing stops the revision', () => {
  const { schema } = compiled([parents]);
  const { statements } = compiled([alterTable('parents', dropUnique('kind'))], schema);
  expect(statements[0]).toContain("IF @drop IS NULL THROW 50000, N'parents has no unique constraint on kind', 1;");
});

test('a renamed column keeps its NOT NULL and its default, and keys and indexes follow it', () => {
  const { server, schema } = changed(
    [createTable('t', required('a', integer(), { default: '0' }), primaryKey('t_pk', 'a'), index('t_a', ['a']))],
    alterTable('t', renameColumn('a', 'b')),
  );
  expect(server.table('t')).toMatchObject({
    columns: [{ name: 'b', nullable: false }],
    defaults: [{ column: 'b' }],
    primaryKey: { columns: ['b'] },
    indexes: [{ columns: [{ name: 'b' }] }],
  });
  expect(schema.tables.get('t')?.columns).toMatchObject([{ name: 'b', nullable: false }]);
});

describe('what a change costs', () => {
  const effects = (...changes: Parameters<typeof alterTable>[1][]) => {
    const { schema } = compiled([parents, children]);
    return dialect.compile(alterTable('parents', ...changes), schema).effects;
  };
  test.each([
    ['text in place of varchar', [alterColumn('kind', { type: text() })], 'rewrite'],
    ['a new primary key', [setPrimaryKey('parents_pk', 'name', 'kind')], 'rewrite'],
    ['a column that may be null', [addColumn(optional('a', integer()))], 'none'],
    [
      'a column with a default for the rows that are there',
      [addColumn(required('a', integer(), { default: '0' }))],
      'rewrite',
    ],
    ['a check', [addCheck(null, isOneOf('kind', ['x']))], 'scan'],
  ] as const)('%s', (_, changes, work) => {
    expect(effects(...changes)[0]).toMatchObject({ table: 'parents', lock: 'Sch-M', blocks: 'reads and writes', work });
  });

  test('an index lets others read', () => {
    expect(effects(addIndex('i', ['kind']))).toEqual([
      { table: 'parents', lock: 'S', blocks: 'writes', work: 'index' },
    ]);
  });

  test('a reference locks the table that is referred to', () => {
    const { schema } = compiled([parents]);
    expect(dialect.compile(children, schema).effects).toEqual([
      { table: 'parents', lock: 'Sch-M', blocks: 'reads and writes', work: 'none' },
    ]);
  });
});

describe('the model of a server, which these tests lean on, refuses what a server refuses', () => {
  const base = [
    'CREATE TABLE [a] ([id] int NOT NULL, [b] varchar(10) NULL, CONSTRAINT [a_pk] PRIMARY KEY ([id]))',
    'CREATE TABLE [c] ([id] int NOT NULL, [a] int NULL DEFAULT 0, CONSTRAINT [c_pk] PRIMARY KEY ([id]), CONSTRAINT [c_a] FOREIGN KEY ([a]) REFERENCES [a] ([id]) ON DELETE CASCADE)',
  ];
  test.each([
    [5074, 'a column with a default', 'ALTER TABLE [c] ALTER COLUMN [a] bigint NULL'],
    [5074, 'a column that is referred to', 'ALTER TABLE [a] ALTER COLUMN [id] bigint NOT NULL'],
    [5074, 'dropping a column of a key', 'ALTER TABLE [a] DROP COLUMN [id]'],
    [3725, 'dropping a key that is referred to', 'ALTER TABLE [a] DROP CONSTRAINT [a_pk]'],
    [3728, 'dropping a constraint that is none', 'ALTER TABLE [a] DROP CONSTRAINT [nothing]'],
    [2714, 'a name given twice in the schema', 'ALTER TABLE [a] ADD CONSTRAINT [c_pk] UNIQUE ([b])'],
    [1779, 'a second primary key', 'ALTER TABLE [a] ADD CONSTRAINT [x] PRIMARY KEY ([id])'],
    [8111, 'a primary key that may be null', 'CREATE TABLE [d] ([id] int NULL, PRIMARY KEY ([id]))'],
    [1776, 'a reference to no key', 'ALTER TABLE [c] ADD FOREIGN KEY ([id]) REFERENCES [c] ([a])'],
    [1778, 'a reference to another type', 'ALTER TABLE [a] ADD CONSTRAINT [x] FOREIGN KEY ([b]) REFERENCES [c] ([id])'],
    [
      1785,
      'a second way of a cascade',
      'ALTER TABLE [c] ADD CONSTRAINT [c_2] FOREIGN KEY ([a]) REFERENCES [a] ([id]) ON DELETE CASCADE',
    ],
    [1919, 'an index over max', 'CREATE TABLE [d] ([t] varchar(max) NOT NULL, UNIQUE ([t]))'],
    [1946, 'a key of more than 900 bytes', 'CREATE TABLE [d] ([t] varchar(901) NOT NULL, PRIMARY KEY ([t]))'],
    [4901, 'a column that old rows could not have', 'ALTER TABLE [a] ADD [n] int NOT NULL'],
    [3701, 'dropping an index that is not there', 'DROP INDEX [x] ON [a]'],
    [1781, 'a second default', 'ALTER TABLE [c] ADD DEFAULT 1 FOR [a]'],
  ])('%i: %s', (number, _, sql) => {
    const server = new ModelServer();
    for (const statement of base) server.run(statement);
    try {
      server.run(sql);
    } catch (error) {
      expect(error).toMatchObject({ number });
      return;
    }
    throw new Error('it was not refused');
  });
});
