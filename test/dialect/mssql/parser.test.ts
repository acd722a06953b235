/** All SQL of the dialect goes through Microsoft's own parser of T-SQL, as SQL Server 2016 reads it. */
import { DummyDriver, Kysely, MssqlAdapter, MssqlIntrospector, MssqlQueryCompiler, sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { QUERIES as OF_CATALOG } from '../../../src/dialect/mssql/catalog.js';
import { mssqlDialect, QUERIES as OF_DATABASE, statsQuery } from '../../../src/dialect/mssql/index.js';
import { QUERIES as OF_LOCK } from '../../../src/dialect/mssql/lock.js';
import { dropCheck, dropDefault, dropForeignKey, dropKey } from '../../../src/dialect/mssql/lookup.js';
import { QUERIES as OF_PREFLIGHT } from '../../../src/dialect/mssql/preflight.js';
import { words } from '../../../src/dialect/mssql/words.js';
import { inChunk, inOnePiece } from '../../../src/dialect/ranges.js';
import type { Query } from '../../../src/dialect/session.js';
import { BASE, HEAD, revisions } from '../../../src/schema/lineage.js';
import { EMPTY_SCHEMA } from '../../../src/schema/model.js';
import { execute } from '../../../src/upgrade/execute.js';
import { type Plan, planUpgrade } from '../../../src/upgrade/plan.js';
import { planOffline, scriptOf } from '../../../src/upgrade/script.js';
import { lineage } from '../../support/mssql/lineage.js';
import { COLLATION } from '../../support/mssql/model.js';
import { open } from '../../support/mssql/open.js';
import { type Parsed, scriptDom } from '../../support/mssql/scriptdom.js';
import { FakeServer } from '../../support/mssql/server.js';
import { batchesOf } from '../../support/mssql/tsql.js';

const found = scriptDom();
// Where it must be there, its absence is a failure, not a skip.
if ('missing' in found && process.env.CI === 'true') throw new Error(found.missing);
if ('missing' in found) console.warn(`skipped: ${found.missing}`);
const parser = 'missing' in found ? null : found;

const dialect = mssqlDialect(COLLATION);
const kysely = new Kysely<object>({
  dialect: {
    createAdapter: () => new MssqlAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new MssqlIntrospector(db),
    createQueryCompiler: () => new MssqlQueryCompiler(),
  },
});
const textOf = (query: Query) => (typeof query === 'string' ? query : query.compile(kysely).sql);

const plan: Plan = planUpgrade({ state: 'empty', schema: EMPTY_SCHEMA }, HEAD, dialect);
const steps = plan.revisions.flatMap((planned) => planned.steps);

/** Every function of the dialect's SQL, with the version of SQL Server that it came with. */
const FUNCTIONS: Readonly<Record<string, number>> = {
  ...Object.fromEntries(
    [
      'APPLOCK_MODE',
      'CAST',
      'CHARINDEX',
      'COALESCE',
      'COL_NAME',
      'COUNT',
      'COUNT_BIG',
      'DATABASEPROPERTYEX',
      'DATALENGTH',
      'DATEDIFF',
      'DB_ID',
      'DB_NAME',
      'FLOOR',
    ]
      .concat([
        'HAS_PERMS_BY_NAME',
        'LEFT',
        'LEN',
        'LOWER',
        'LTRIM',
        'MAX',
        'MIN',
        'NCHAR',
        'OBJECT_ID',
        'QUOTENAME',
        'REPLACE',
        'ROW_NUMBER',
        'RTRIM',
        'SCHEMA_ID',
      ])
      .concat(['SCHEMA_NAME', 'SERVERPROPERTY', 'SUM', 'SYSDATETIME', 'SYSUTCDATETIME', 'USER_NAME'])
      .map((name) => [name, 2008]),
  ),
  TRYCAST: 2012,
  DATEDIFF_BIG: 2016,
  ISJSON: 2016,
  JSON_VALUE: 2016,
  OPENJSON: 2016,
};
const TYPES = ['bigint', 'bit', 'date', 'decimal', 'float', 'int', 'nvarchar', 'varbinary', 'varchar'];
/** CASE may be in CASE this often (https://learn.microsoft.com/en-us/sql/t-sql/language-elements/case-transact-sql). */
const DEEPEST_CASE = 10;

function expectGood(batches: readonly string[]): void {
  expect(batches.length).toBeGreaterThan(0);
  const bad = (parser?.parse(batches) ?? []).flatMap((parsed, i) =>
    complaints(parsed).map((complaint) => `${complaint}\n${batches[i]}`),
  );
  expect(bad).toEqual([]);
}

/** What the grammar lets pass: a type or a column can have any name, and a function, too. */
function complaints({ errors, functions = [], types = [], columns = [], depthOfCases = 0 }: Partial<Parsed>): string[] {
  return [
    ...(errors ?? []),
    ...functions.filter((name) => !((FUNCTIONS[name] ?? 9999) <= 2016)).map((name) => `function ${name}`),
    ...types.filter((type) => !TYPES.includes(type)).map((type) => `type ${type}`),
    ...columns
      .filter((column) => /^NotQuoted (true|false|current_timestamp)$/i.test(column))
      .map((column) => `column ${column}`),
    ...(depthOfCases > DEEPEST_CASE ? [`CASE in CASE ${depthOfCases} deep`] : []),
  ];
}

describe.skipIf(!parser)('T-SQL that is good', () => {
  test('the DDL of every revision, written without a database', () => {
    expectGood(lineage.flatMap(({ statements }) => statements));
  });

  test('every statement of a plan from an empty database to the head, whole and in chunks', () => {
    const statements = steps.flatMap((step) => step.statements);
    expectGood(statements.map(({ sql: text }) => inOnePiece(text)));
    const chunked = statements.filter(({ over }) => over !== undefined);
    expectGood(chunked.map(({ sql: text }) => textOf(inChunk(text, { after: 'a', upTo: 'b' }))));
    expectGood(chunked.map(({ sql: text }) => textOf(inChunk(text, { after: null, upTo: 'b' }))));
  });

  test('the reads around it: keys of chunks, rows that break a condition and their number, facts to agree to, statistics', () => {
    const ranges = steps.flatMap(({ statements }) => statements.flatMap(({ over }) => over ?? []));
    expectGood(ranges.flatMap((range) => [null, 'a'].map((after) => textOf(dialect.nthKey(range, after, 999)))));
    const conditions = steps.flatMap(({ operation }) =>
      operation.op === 'require' ? [operation.offending(words)] : [],
    );
    expectGood(conditions.flatMap((query) => [dialect.firstOf(query), `SELECT COUNT(*) AS n FROM (${query}) q`]));
    expectGood(revisions.flatMap(({ irreversible }) => (irreversible?.counts ?? []).map((fact) => fact.query(words))));
    expectGood([textOf(statsQuery(['runs', 'metrics']))]);
  });

  test('queries of the catalog, the lock, the preflight and the version', () => {
    expectGood([OF_CATALOG, OF_LOCK, OF_PREFLIGHT, OF_DATABASE].flatMap((queries) => Object.values<string>(queries)));
    expectGood([dialect.createVersionTable, `INSERT INTO [t] ([a]) VALUES (${words.literal('Zoë 日本')})`]);
  });

  test('lookups of names that the server gave', () => {
    const key = {
      name: null,
      columns: ['a', "b'"],
      table: 't',
      references: ['a', 'b'],
      onDelete: 'no action',
      onUpdate: 'no action',
    } as const;
    expectGood([
      dropDefault("it's", 'a]b'),
      dropKey('t', 'PK', ['a', 'b']),
      dropKey('t', 'UQ', ['a']),
      dropForeignKey('t', key),
      dropCheck('t', { column: 'status', in: ["it's", 'B'] }),
      dropCheck('t', { column: 'is_nan', in: [0, 1] }),
      dropCheck('t', { sql: '([a]>(0))' }),
    ]);
  });

  test('all that went over the wire in a whole upgrade, the settings of the driver included', async () => {
    const batches = await FakeServer.with({}, async (tds) => {
      const database = await open(tds.uri());
      const options = {
        lockTimeout: 1000,
        patience: 1000,
        signal: new AbortController().signal,
        onProgress: () => undefined,
      };
      await execute(database, planUpgrade({ state: 'empty', schema: EMPTY_SCHEMA }, HEAD, database.dialect), options);
      return [...new Set(tds.requests.flatMap((request) => ('sql' in request ? [request.sql] : [])))];
    });
    expect(batches.length).toBeGreaterThan(300);
    expectGood(batches);
  });

  test('rows that TypeScript derives: deleted and inserted by values, 100 at a time', () => {
    const owners = Array.from({ length: 500 }, (_, i) => `issue-${i}`);
    const rows = Array.from({ length: 100 }, (_, i) => sql`(${`issue-${i}`}, ${'hash'}, ${'text'})`);
    const statements = [
      sql`DELETE FROM ${sql.raw(words.id('issue_categories'))} WHERE ${sql.raw(words.id('issue_id'))} IN (${sql.join(owners)})`,
      sql`INSERT INTO ${sql.raw(words.id('issue_categories'))} (${sql.raw('[issue_id], [category_hash], [category]')}) VALUES ${sql.join(rows)}`,
    ];
    expectGood(statements.map(textOf));
    // The most parameters of a request is 2100, and the most rows of VALUES 1000.
    expect(statements.map((statement) => statement.compile(kysely).parameters.length)).toEqual([500, 300]);
  });

  test('scripts, batch by batch, from each revision to the next and from the base to the head', async () => {
    const scripts = [await scriptOf(plan, dialect, null, ['from nothing to the head'])];
    for (const [i, { id }] of revisions.entries()) {
      scripts.push(await scriptOf(planOffline(revisions[i - 1]?.id ?? BASE, id, dialect), dialect, null, [`to ${id}`]));
    }
    const batches = scripts.flatMap((script) => batchesOf(script.replaceAll(/^:.*$/gm, '')));
    expect(batches.length).toBeGreaterThan(1000);
    expectGood([...new Set(batches)]);
  });

  test('a trigger alone in its batch, and every statement in one of its own', async () => {
    const script = await scriptOf(planOffline('bf29a5ff90ea', '1bd49d398cd23', dialect), dialect, null, []);
    const trigger = batchesOf(script.replaceAll(/^:.*$/gm, '')).find((batch) => batch.includes('CREATE TRIGGER'));
    expect(trigger).toMatch(
      /^CREATE TRIGGER \[prevent_secrets_aad_mutation\]\nON \[secrets\]\nAFTER UPDATE\n[\s\S]*END$/,
    );
  });
});

const BAD: readonly (readonly [string, string])[] = [
  ['LIMIT', 'SELECT * FROM runs LIMIT 1'],
  ['backticks', 'SELECT `name` FROM runs'],
  ['SET NOT NULL', 'ALTER TABLE runs ALTER COLUMN name SET NOT NULL'],
  ['ADD COLUMN', 'ALTER TABLE runs ADD COLUMN a int'],
  ['FETCH without OFFSET', 'SELECT name FROM runs ORDER BY name FETCH FIRST 1 ROWS ONLY'],
  ['OFFSET without ORDER BY', 'SELECT name FROM runs OFFSET 1 ROWS FETCH NEXT 1 ROWS ONLY'],
  ['a condition for a value', 'SELECT a = 1 OR b = 2 AS c FROM runs'],
  ['a value for a condition', 'SELECT 1 FROM runs WHERE is_nan'],
  ['||', "SELECT a || 'x' FROM runs"],
  ['ON CONFLICT', 'INSERT INTO runs (a) VALUES (1) ON CONFLICT DO NOTHING'],
  ['RETURNING', 'DELETE FROM runs RETURNING a'],
  ['IF NOT EXISTS', 'CREATE TABLE IF NOT EXISTS runs (a int)'],
  ['rows compared as tuples', 'SELECT 1 FROM runs WHERE (a, b) IN (SELECT a, b FROM tags)'],
  ['USING', 'SELECT 1 FROM runs JOIN tags USING (run_uuid)'],
  ['DROP INDEX without its table', 'DROP INDEX index_runs'],
  ['a trigger that is not alone', 'SELECT 1; CREATE TRIGGER a ON b AFTER UPDATE AS SELECT 1'],
  ['a table that cascades with RESTRICT', 'ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c (b) ON DELETE RESTRICT'],
  ['RENAME COLUMN', 'ALTER TABLE a RENAME COLUMN b TO c'],
  ['BEGIN as in other dialects', 'BEGIN'],
  ['BOOLEAN', 'CREATE TABLE runs (a boolean)'],
  ['TRUE', 'SELECT 1 FROM runs WHERE a = TRUE'],
  ['STRING_AGG, of SQL Server 2017', "SELECT STRING_AGG(name, ',') FROM runs"],
  ['GREATEST, of SQL Server 2022', 'SELECT GREATEST(a, b) FROM runs'],
  ['char_length', 'SELECT char_length(a) FROM runs'],
  ['timestamptz', 'SELECT CAST(a AS timestamptz) FROM runs'],
];

describe.skipIf(!parser)('the parser, and the look at what it reads, would find', () => {
  const parsed = parser?.parse(BAD.map(([, batch]) => batch)) ?? [];

  test.each(BAD.map(([what], i) => [what, parsed[i]] as const))('%s', (_, read) => {
    expect(complaints(read ?? {})).not.toEqual([]);
  });
});
