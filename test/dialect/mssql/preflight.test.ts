import { describe, expect, test } from 'vitest';
import type { PreflightScope } from '../../../src/dialect/dialect.js';
import { readCatalog } from '../../../src/dialect/mssql/catalog.js';
import { preflight, QUERIES } from '../../../src/dialect/mssql/preflight.js';
import type { Session } from '../../../src/dialect/session.js';
import { EMPTY_SCHEMA, type Schema } from '../../../src/schema/model.js';
import { catalogRows, type Row } from '../../support/mssql/catalog.js';
import { lineage } from '../../support/mssql/lineage.js';
import { COLLATION, ModelServer } from '../../support/mssql/model.js';
import { open } from '../../support/mssql/open.js';
import { FakeServer } from '../../support/mssql/server.js';

interface Answers {
  readonly server?: Row;
  readonly permissions?: Row;
  readonly elsewhere?: readonly Row[];
  readonly watched?: readonly Row[];
  readonly scope?: Partial<PreflightScope>;
}

const GOOD: Row = {
  version: '16.0.4135.4',
  major: 16,
  engine: 3,
  database: 'mlflow',
  schema: 'dbo',
  user: 'mtrack',
  compatibility: 160,
  read_only: false,
  updateability: 'READ_WRITE',
  collation: COLLATION,
  may_create: 1,
  may_see: 1,
  others: 0,
};
const MAY_ALL: Row = { ALTER: 1, SELECT: 1, INSERT: 1, UPDATE: 1, DELETE: 1, REFERENCES: 1 };

async function findings({ server, permissions, elsewhere = [], watched = [], scope }: Answers) {
  const answers = new Map<string, readonly Row[]>([
    [QUERIES.server, [{ ...GOOD, ...server }]],
    [QUERIES.permissions, [{ ...MAY_ALL, ...permissions }]],
    [QUERIES.elsewhere, elsewhere],
    [QUERIES.watched, watched],
  ]);
  const session: Pick<Session, 'rows'> = {
    rows: async <R extends object>(query: unknown) => (answers.get(String(query)) ?? []) as unknown as R[],
  };
  const found = await preflight(session as Session, {
    schema: EMPTY_SCHEMA,
    stats: new Map(),
    heavy: [],
    createsTrigger: false,
    createsTables: true,
    ...scope,
  });
  return found.map(({ severity, found: what, fix }) => `${severity}: ${what} -> ${fix}`);
}

async function liveSchema(): Promise<Schema> {
  const server = ModelServer.from(lineage.at(-1)?.model ?? new Map());
  const rows = async <R extends object>(query: unknown) => (catalogRows(server, String(query)) ?? []) as unknown as R[];
  return readCatalog({ rows } as unknown as Session);
}

describe('the preflight', () => {
  test('finds nothing where nothing is wrong', async () => {
    expect(await findings({ scope: { schema: await liveSchema() } })).toEqual([]);
  });

  test.each<[string, Answers, string[]]>([
    [
      'a server older than 2016',
      { server: { version: '12.0.6024.0', major: 12, compatibility: 120 } },
      [
        'refuses: SQL Server of version 12.0.6024.0 -> upgrade the server to SQL Server 2016 (version 13) or newer',
        'refuses: the database has compatibility level 120, at which JSON cannot be read -> ALTER DATABASE [mlflow] SET COMPATIBILITY_LEVEL = 130',
      ],
    ],
    [
      'Azure SQL Database, which is version 12 for ever',
      { server: { version: '12.0.2000.8', major: 12, engine: 5 } },
      [],
    ],
    ['Azure SQL Managed Instance', { server: { version: '12.0.2000.8', major: 12, engine: 8 } }, []],
    [
      'a database that is read-only',
      { server: { read_only: true } },
      ['refuses: database mlflow takes no writes -> connect to the primary replica, or SET READ_WRITE on the database'],
    ],
    [
      'a secondary replica',
      { server: { updateability: 'READ_ONLY' } },
      ['refuses: database mlflow takes no writes -> connect to the primary replica, or SET READ_WRITE on the database'],
    ],
    [
      'a user without a schema',
      { server: { schema: null } },
      ['refuses: user mtrack has no default schema -> ALTER USER [mtrack] WITH DEFAULT_SCHEMA = dbo'],
    ],
    [
      'a user whose schema is not that of the tables',
      { server: { schema: 'ops' }, elsewhere: [{ schema: 'dbo' }] },
      [
        'refuses: the default schema of user mtrack is ops, but alembic_version is in dbo -> ALTER USER [mtrack] WITH DEFAULT_SCHEMA = [dbo], or connect as the user that MLflow connects as',
      ],
    ],
    [
      'privileges that are missing',
      { permissions: { ALTER: 0, REFERENCES: 0 }, server: { may_create: 0 } },
      [
        'refuses: user mtrack lacks ALTER, REFERENCES on schema dbo -> as an administrator: ALTER ROLE db_owner ADD MEMBER [mtrack], or GRANT ALTER, REFERENCES ON SCHEMA::[dbo] TO [mtrack]',
        'refuses: user mtrack may not create tables in database mlflow -> as an administrator: GRANT CREATE TABLE TO [mtrack]',
      ],
    ],
    ['no tables to make', { server: { may_create: 0 }, scope: { createsTables: false } }, []],
    [
      'others at work',
      { server: { others: 3 } },
      [
        'warns: 3 other sessions are connected to this database -> stop the MLflow servers first: they wait while tables are locked, and older ones fail on the new schema',
      ],
    ],
    [
      'a user who may not see others',
      { server: { may_see: 0 } },
      [
        'warns: whether others are connected to this database, user mtrack may not see (VIEW SERVER STATE) -> stop the MLflow servers first: they wait while tables are locked, and older ones fail on the new schema',
      ],
    ],
  ])('%s', async (_, answers, expected) => {
    expect(await findings(answers)).toEqual(expected);
  });

  test('tables that are in another collation than the database', async () => {
    const schema = await liveSchema();
    const [first, ...others] = await findings({ server: { collation: 'Latin1_General_CI_AS' }, scope: { schema } });
    expect(first).toMatch(
      /^refuses: assessments\.assessment_id and \d+ other columns have the collation SQL_Latin1_General_CP1_CI_AS, and the database Latin1_General_CI_AS: new tables could not refer to them -> ALTER DATABASE \[mlflow\] COLLATE SQL_Latin1_General_CP1_CI_AS/,
    );
    expect(others).toEqual([]);
    const [warning] = await findings({
      server: { collation: 'Latin1_General_CI_AS' },
      scope: { schema, createsTables: false },
    });
    expect(warning).toMatch(/^warns: /);
  });

  test('tables of ours that are replicated or captured, not those of others', async () => {
    const schema = await liveSchema();
    expect(await findings({ watched: [{ name: 'runs' }, { name: 'theirs' }], scope: { schema } })).toEqual([
      expect.stringMatching(/^warns: runs: replicated, captured/),
    ]);
  });

  test('is asked for over the wire as here', () =>
    FakeServer.with({ preflight: { others: 2 } }, async (tds) => {
      const database = await open(tds.uri());
      const reader = await database.reader(1000);
      const found = await database.dialect.preflight(reader, {
        schema: EMPTY_SCHEMA,
        stats: new Map(),
        heavy: [],
        createsTrigger: false,
        createsTables: true,
      });
      expect(found).toMatchObject([{ severity: 'warns', found: '2 other sessions are connected to this database' }]);
      await reader.close();
    }));
});
