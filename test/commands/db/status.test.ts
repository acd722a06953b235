/** `mtrack db status`: every state that a database can be in, in words, as JSON and as an exit status. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { mtrack, upgrade } from '../../support/cli.js';
import { SERVERS, type Server, type TestDatabase, withDatabase } from '../../support/databases.js';
import { releases } from '../../support/fixtures.js';
import { Oracle } from '../../support/oracle.js';
import { query, run, stateOf, upgradeTo } from '../../support/state.js';
import { type Said, statusOf } from '../../support/status.js';
import { forEachDialect } from '../../support/suites.js';
import { inTemporaryFolder } from '../../support/temporary.js';

/** MLflow 3.18's, from the released package. */
const HEAD = 'f4a9b2c7d1e6';

/** From the released packages: the head of each fixture's release, and the releases that share it. */
const RELEASES: Readonly<Record<string, { revision: string; releases: string; behind: number }>> = {
  '1.30.1': { revision: '97727af70f4d', releases: '1.29 – 2.2', behind: 51 },
  '2.9.2': { revision: 'acf3f17fdcc7', releases: '2.8 – 2.12', behind: 47 },
  '3.0.1': { revision: 'bda7b8c39065', releases: '3.0 – 3.1', behind: 39 },
  '3.17.2': { revision: 'dc11669786a5', releases: '3.17', behind: 3 },
};

const missing = inject('oracleMissing');

/** Writes the version by hand, as no tool does. */
const stamp = (database: TestDatabase, ...versions: string[]) =>
  run(
    database,
    'DELETE FROM alembic_version',
    ...versions.map((version) => `INSERT INTO alembic_version (version_num) VALUES ('${version}')`),
  );

const differencesIn = ({ json }: Said) =>
  (json.differences as { table: string; element: string; name: string; kind: string; weight: string }[]).map(
    ({ table, element, name, kind, weight }) => `${kind} ${element} ${table}.${name}: ${weight}`,
  );

await forEachDialect('db status', (server) => {
  /** At the release 2.9.2, and at the head. */
  let old: TestDatabase;
  let head: TestDatabase;
  beforeAll(async () => {
    old = await server.load('2.9.2');
    head = await server.empty();
    await upgradeTo(head, HEAD);
  });
  afterAll(async () => {
    await old?.drop();
    await head?.drop();
  });
  const onCopy = (of: () => TestDatabase, use: (database: TestDatabase) => Promise<void>) => () =>
    withDatabase(() => server.copy(of()), use);

  test('empty: 12, and how the tables are made', async () => {
    await withDatabase(
      () => server.empty(),
      async (database) => {
        const { code, text, json } = await statusOf(database.uri);
        expect(code).toBe(12);
        expect(json).toMatchObject({ state: 'empty', code: 'DATABASE_EMPTY', others: [] });
        expect(text).toMatch(/^empty: /);
        expect(text).toContain(`mtrack db upgrade ${database.uri}`);
        expect(await query(database, tablesQuery(server))).toEqual([]);
      },
    );
  });

  test('the tables of another program: still empty, but they are named', async () => {
    await withDatabase(
      () => server.empty(),
      async (database) => {
        await run(database, 'CREATE TABLE invoices (id INT)');
        const { code, text, json } = await statusOf(database.uri);
        expect(code).toBe(12);
        expect(json.others).toEqual(['invoices']);
        expect(text).toContain('invoices');
        expect(text).toContain('check that this is the right database');
      },
    );
  });

  describe.each(releases(server.dialect).filter((release) => RELEASES[release]))('MLflow %s', (release) => {
    test('is older: 10, with its releases and how far the head is', async () => {
      await withDatabase(
        () => server.load(release),
        async (database) => {
          const said = await statusOf(database.uri);
          const { code, text, json } = said;
          const { revision, releases: named, behind } = RELEASES[release] ?? {};
          expect(code).toBe(10);
          expect(json).toMatchObject({
            state: 'at',
            code: 'UPGRADE_PENDING',
            revision,
            releases: named,
            head: HEAD,
            pending: behind,
          });
          expect(text).toContain(`at revision ${revision}  (MLflow ${named})`);
          expect(text).toContain(`${behind} revisions behind the head, ${HEAD}  (MLflow 3.18)`);
          expect(text).toContain(`next: mtrack db upgrade ${database.uri} --dry-run`);
          expect(differencesIn(said).filter((line) => !line.endsWith('harmless'))).toEqual([]);
        },
      );
    });
  });

  test('at the head: 0, and nothing to do', async () => {
    const { code, text, json } = await statusOf(head.uri);
    expect(code).toBe(0);
    expect(json).toMatchObject({ state: 'at', code: null, revision: HEAD, releases: '3.18', pending: 0 });
    expect(json.differences).toEqual([]);
    expect(text).toContain('this is the head: nothing to upgrade');
    expect(text).not.toContain('next:');
  });

  describe('part-way: 11, and which steps are done', () => {
    test(
      'two of three tables of the next revision are there',
      onCopy(
        () => old,
        async (database) => {
          await upgradeTo(database, '867495a8f9d4');
          await run(database, 'DROP TABLE trace_request_metadata');
          await stamp(database, 'acf3f17fdcc7');
          const { code, text, json } = await statusOf(database.uri);
          expect(code).toBe(11);
          expect(json).toMatchObject({
            state: 'part-way',
            code: 'PART_WAY',
            revision: 'acf3f17fdcc7',
            next: '867495a8f9d4',
            steps: [
              { title: 'create trace_info', progress: 'done' },
              { title: 'create trace_tags', progress: 'done' },
              { title: 'create trace_request_metadata', progress: 'pending' },
            ],
          });
          expect(text).toMatch(
            /done +create trace_info\n +done +create trace_tags\n +pending +create trace_request_met/,
          );
          expect(text).toContain(`next: mtrack db upgrade ${database.uri}`);

          // What it says is to be done finishes it.
          await upgrade(database.uri, '867495a8f9d4');
          const { schema, version } = await stateOf(database);
          expect(version).toEqual(['867495a8f9d4']);
          expect(Object.keys(schema.tables)).toContain('trace_request_metadata');
          expect((await statusOf(database.uri)).code).toBe(10);
        },
      ),
    );

    test(
      'one of three columns of the next revision was added by hand',
      onCopy(
        () => old,
        async (database) => {
          await upgradeTo(database, 'bda7b8c39065');
          await run(database, 'ALTER TABLE trace_info ADD COLUMN client_request_id VARCHAR(50)');
          const { code, text, json } = await statusOf(database.uri);
          expect(code).toBe(11);
          expect(json).toMatchObject({ next: 'cbc13b556ace', steps: [{ progress: 'mixed' }] });
          expect(text).toMatch(/begun +alter trace_info/);
          await upgrade(database.uri, 'cbc13b556ace');
          const { schema } = await stateOf(database);
          expect(schema.tables.trace_info?.columns.map(({ name }) => name)).toEqual(
            expect.arrayContaining(['client_request_id', 'request_preview', 'response_preview']),
          );
          expect(schema.tables.trace_info?.columns).toHaveLength(8);
        },
      ),
    );
  });

  test('newer than this build: 13, and by what it is known to be newer', async () => {
    try {
      await stamp(head, 'ffff00001111');
      await run(head, 'CREATE TABLE of_a_later_release (id INT)');
      const { code, text, json } = await statusOf(head.uri);
      expect(code).toBe(13);
      expect(json).toMatchObject({ state: 'newer', code: 'DATABASE_NEWER', version: 'ffff00001111', head: HEAD });
      expect(text).toContain('ffff00001111');
      expect(text).toContain(`this build knows MLflow up to ${HEAD}  (MLflow 3.18)`);
      expect(text).toContain('next: update mtrack');
      const refused = await mtrack(['db', 'upgrade', head.uri, '--yes']);
      expect(refused.code).toBe(13);
      expect(refused.stderr).toContain('ffff00001111');
    } finally {
      await stamp(head, HEAD);
      await run(head, 'DROP TABLE of_a_later_release');
    }
  });

  describe("not MLflow's: 14, and whose it is", () => {
    test('Optuna', async () => {
      await withDatabase(
        () => server.empty(),
        async (database) => {
          await run(
            database,
            'CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)',
            'CREATE TABLE studies (study_id INTEGER NOT NULL PRIMARY KEY, study_name VARCHAR(512) NOT NULL)',
            'CREATE TABLE trials (trial_id INTEGER NOT NULL PRIMARY KEY, number INTEGER, study_id INTEGER)',
          );
          await stamp(database, 'v3.2.0.a');
          await isForeign(database, 'v3.2.0.a', 'Optuna');
        },
      );
    });

    // MLflow's own migrations of it end on MariaDB at a constraint that is there already.
    test.skipIf(missing !== null || server.dialect === 'mysql')(
      "MLflow's authentication, before and since it has a version table of its own",
      async () => {
        await using oracle = new Oracle();
        await withDatabase(
          () => server.empty(),
          async (database) => {
            await oracle.authDatabase(database.uri, '8606fa83a998');
            // MLflow < 3.6 kept its version where every Alembic lineage does by default.
            await run(database, 'ALTER TABLE alembic_version_auth RENAME TO alembic_version');
            await isForeign(database, '8606fa83a998', 'authentication');
            await run(database, 'ALTER TABLE alembic_version RENAME TO alembic_version_auth');

            await oracle.authDatabase(database.uri, 'head');
            const since = await statusOf(database.uri);
            expect(since.code).toBe(12);
            expect(since.text).toContain("MLflow's own authentication");
            expect(since.json.others).toContain('alembic_version_auth');

            // Both in one database is how MLflow 3.6 and later may be run.
            await upgradeTo(database, HEAD);
            const both = await statusOf(database.uri);
            expect(both.code).toBe(0);
            expect(both.text).toMatch(/also there, and harmless:\n(?: .*\n)* {2}table users is not MLflow's/);
          },
        );
      },
    );

    test('a lineage that nobody here knows', async () => {
      await withDatabase(
        () => server.empty(),
        async (database) => {
          await run(
            database,
            'CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)',
            'CREATE TABLE runs (id INT)',
          );
          await stamp(database, '0123456789ab');
          await isForeign(database, '0123456789ab', 'not known');
        },
      );
    });

    test('two rows in alembic_version: the one that the schema is of, and how the other goes', async () => {
      try {
        await stamp(head, HEAD, 'acf3f17fdcc7');
        const said = await statusOf(head.uri);
        expect(said.code).toBe(14);
        expect(said.json).toMatchObject({ state: 'foreign', code: 'DATABASE_FOREIGN', fits: [HEAD] });
        expect([...(said.json.versions as string[])].sort()).toEqual(['acf3f17fdcc7', HEAD].sort());
        expect(said.text).toContain('2 rows');
        const fix = /DELETE FROM alembic_version WHERE version_num <> '(\w+)'/.exec(said.text);
        expect(fix?.[1]).toBe(HEAD);
        const refused = await mtrack(['db', 'upgrade', head.uri, '--yes']);
        expect(refused.code).toBe(14);
        expect(refused.stderr).toContain(fix?.[0]);
        await run(head, fix?.[0] ?? '');
        expect((await statusOf(head.uri)).code).toBe(0);
      } finally {
        await stamp(head, HEAD);
      }
    });
  });

  test(
    'no version: 16, and the revision that the schema is of',
    onCopy(
      () => old,
      async (database) => {
        await run(database, 'DROP TABLE alembic_version');
        const { code, text, json } = await statusOf(database.uri);
        expect(code).toBe(16);
        expect(json).toMatchObject({ state: 'unversioned', code: 'UNVERSIONED' });
        expect(json.fits).toContain('acf3f17fdcc7');
        expect(text).toContain('acf3f17fdcc7  (MLflow 2.8 – 2.12)');
        expect(text).toContain('backup');
        expect((await mtrack(['db', 'upgrade', database.uri, '--yes'])).code).toBe(16);
      },
    ),
  );

  test('the five tables of MLflow 0.9, which never had a version: 10', async () => {
    await withDatabase(
      () => server.empty(),
      async (database) => {
        await upgradeTo(database, 'base');
        const { code, text, json } = await statusOf(database.uri);
        expect(code).toBe(10);
        expect(json).toMatchObject({ state: 'at', revision: 'base', pending: 70 });
        expect(text).toContain('MLflow 0.9');
      },
    );
  });

  describe('drifted: 15, each difference by name', () => {
    test(
      'a dropped index, a NOT NULL, a missing column, another type, a column and a key that refuse rows',
      onCopy(
        () => head,
        async (database) => {
          await drift(server, database);
          const said = await statusOf(database.uri);
          expect(said.code).toBe(15);
          expect(said.json).toMatchObject({ state: 'at', code: 'DRIFTED', revision: HEAD });
          expect(differencesIn(said).sort()).toEqual([
            'different column runs.name: breaks',
            'different column runs.source_name: breaks',
            'extra column tags.must_be_given: breaks',
            `extra ${uniqueIndex(server)} params.dba_one_user: breaks`,
            'missing column jobs.status_details: breaks',
            'missing index metrics.index_metrics_run_uuid: weakens',
          ]);
          const [needed = '', weaker = ''] = said.text.split('\n\n').slice(1);
          expect(needed).toContain('MLflow or a later revision needs');
          expect(needed).toMatch(/runs: column name is .*NOT NULL.*, expected /i);
          expect(needed).toMatch(/runs: column source_name is .*, expected .*500/);
          expect(needed).toMatch(/jobs: column status_details is missing/);
          expect(needed).toMatch(/tags: column must_be_given is additional/);
          expect(needed).toMatch(/params: (index|unique) dba_one_user is additional \(.*value.*\)/);
          expect(weaker).toMatch(/metrics: index index_metrics_run_uuid is missing \(\(run_uuid\)\)/);
          expect(said.text).toContain('next: put these differences right');
        },
      ),
    );

    test(
      "a DBA's own index, key, column, table and view do not fail",
      onCopy(
        () => head,
        async (database) => {
          await run(
            database,
            'CREATE INDEX dba_users ON runs (user_id)',
            'CREATE UNIQUE INDEX dba_runs ON runs (run_uuid, start_time)',
            'CREATE TABLE dba_notes (id INT)',
            'CREATE VIEW dba_view AS SELECT run_uuid FROM runs',
            'ALTER TABLE runs ADD COLUMN dba_note VARCHAR(10)',
            "ALTER TABLE runs ADD COLUMN dba_kind VARCHAR(10) DEFAULT 'x' NOT NULL",
          );
          const said = await statusOf(database.uri);
          expect(said.code).toBe(0);
          expect(differencesIn(said).sort()).toEqual(
            [
              'extra column runs.dba_kind: harmless',
              'extra column runs.dba_note: harmless',
              'extra index runs.dba_users: harmless',
              'extra table dba_notes.dba_notes: harmless',
              `extra ${uniqueIndex(server)} runs.dba_runs: harmless`,
            ].sort(),
          );
          expect(said.text).toContain('also there, and harmless:');
        },
      ),
    );

    test(
      'an older database is drifted before it is old, and is told how to see what an upgrade makes of it',
      onCopy(
        () => old,
        async (database) => {
          await run(database, dropIndex(server, 'index_inputs_destination_type_destination_id_source_type', 'inputs'));
          const { code, text } = await statusOf(database.uri);
          expect(code).toBe(15);
          expect(text).toContain('inputs: index index_inputs_destination_type_destination_id_source_type is missing');
          expect(text).toContain(`next: mtrack db upgrade ${database.uri} --dry-run`);
        },
      ),
    );
  });

  test('a database that is not there: 3', async () => {
    const gone = await server.empty();
    await gone.drop();
    if (server.dialect === 'sqlite') return;
    const { code, stderr, json } = await statusOf(gone.uri);
    expect(code).toBe(3);
    expect(json.error).toMatchObject({ code: 'CONNECT_FAILED', exit: 3 });
    expect(stderr).toContain(gone.name);
    expect(stderr).toContain('name of the database in the store URI');
  });
});

async function isForeign(database: TestDatabase, version: string, owner: string): Promise<void> {
  const { code, text, json } = await statusOf(database.uri);
  expect(code).toBe(14);
  expect(json).toMatchObject({ state: 'foreign', code: 'DATABASE_FOREIGN', versions: [version] });
  expect(json.owner).toContain(owner);
  expect(text).toContain(`alembic_version says ${version}, which is of `);
  expect(text).toContain(owner);
  expect(text).toContain('check the store URI');
  const refused = await mtrack(['db', 'upgrade', database.uri, '--yes']);
  expect(refused.code).toBe(14);
  expect(refused.stderr).toContain(owner);
}

const dropIndex = ({ dialect }: Server, index: string, table: string) =>
  `DROP INDEX ${index}${dialect === 'mysql' ? ` ON ${table}` : ''}`;

async function drift(server: Server, database: TestDatabase): Promise<void> {
  const alter = {
    sqlite: [],
    postgresql: [
      'ALTER TABLE runs ALTER COLUMN name SET NOT NULL',
      'ALTER TABLE runs ALTER COLUMN source_name TYPE VARCHAR(400)',
    ],
    mysql: ['ALTER TABLE runs MODIFY name VARCHAR(250) NOT NULL', 'ALTER TABLE runs MODIFY source_name VARCHAR(400)'],
  };
  await run(
    database,
    ...alter[server.dialect],
    dropIndex(server, 'index_metrics_run_uuid', 'metrics'),
    'ALTER TABLE jobs DROP COLUMN status_details',
    `CREATE UNIQUE INDEX dba_one_user ON params (value${server.dialect === 'mysql' ? '(100)' : ''})`,
    // SQLite adds such a column to a table only when it is made.
    ...(server.dialect === 'sqlite' ? [] : ['ALTER TABLE tags ADD COLUMN must_be_given VARCHAR(10) NOT NULL']),
  );
  if (server.dialect !== 'sqlite') return;
  await server.runScript(
    database,
    `PRAGMA writable_schema = ON;
UPDATE sqlite_master SET sql = replace(replace(sql, 'name VARCHAR(250),', 'name VARCHAR(250) NOT NULL,'), 'source_name VARCHAR(500)', 'source_name VARCHAR(400)') WHERE name = 'runs';
UPDATE sqlite_master SET sql = replace(sql, 'value VARCHAR(8000),', 'value VARCHAR(8000), must_be_given VARCHAR(10) NOT NULL,') WHERE name = 'tags';`,
  );
}

/** MySQL and MariaDB know no difference between a unique index and a unique constraint. */
const uniqueIndex = ({ dialect }: Server) => (dialect === 'mysql' ? 'unique' : 'index');

const tablesQuery = ({ dialect }: Server) =>
  dialect === 'sqlite'
    ? 'SELECT name FROM sqlite_master'
    : `SELECT table_name FROM information_schema.tables WHERE table_schema = ${dialect === 'mysql' ? 'DATABASE()' : 'current_schema()'}`;

describe('db status of what cannot be opened: 3, with what to look at', () => {
  const SECRET = 's3cr%3At-p%40ss';
  const SPELT = /s3cr(%3A|:)t-p(%40|@)ss/i;

  test.each([
    { what: 'a server that is not up', uri: `postgresql://postgres:${SECRET}@127.0.0.1:9/x`, says: 'ECONNREFUSED' },
    { what: 'a server that is not up', uri: `mysql+pymysql://root:${SECRET}@127.0.0.1:9/x`, says: 'ECONNREFUSED' },
    { what: 'a server that is not up', uri: `mssql+pyodbc://sa:${SECRET}@127.0.0.1:9/x`, says: 'ECONNREFUSED' },
    { what: 'a host that is not known', uri: `postgresql://u:${SECRET}@nowhere.invalid/x`, says: 'nowhere.invalid' },
    { what: 'a wrong password', uri: `mysql+pymysql://root:${SECRET}@127.0.0.1:3306/mysql`, says: 'Access denied' },
    {
      what: 'a user that is not there',
      uri: `postgresql://nobody_here:${SECRET}@127.0.0.1:5432/postgres`,
      says: 'nobody_here',
    },
    {
      what: 'a server without TLS',
      uri: `postgresql://postgres:${SECRET}@127.0.0.1:5432/postgres?sslmode=require`,
      says: 'SSL',
    },
    {
      what: 'a server of another kind',
      uri: `postgresql://postgres:${SECRET}@127.0.0.1:3306/x`,
      says: '127.0.0.1:3306',
    },
  ])('$what: $uri', async ({ uri, says }) => {
    const said = await statusOf(uri);
    expect(said.code).toBe(3);
    expect(said.json.error).toMatchObject({ code: 'CONNECT_FAILED', exit: 3 });
    expect(said.stderr).toMatch(/^Error CONNECT_FAILED: /);
    expect(said.stderr).toContain(says);
    expect(said.stderr).toContain('check that the server is up');
    expect(said.stderr).toContain(':***@');
    const everything = said.stderr + said.text + JSON.stringify(said.json);
    expect(everything).not.toMatch(SPELT);
    expect(everything).not.toMatch(/^\s+at /m);
  });

  test('a password is masked as well where it comes from the environment, and statements are echoed', async () => {
    const { code, stdout, stderr } = await mtrack(['db', 'status'], {
      env: {
        MLFLOW_BACKEND_STORE_URI: `mysql+pymysql://root:${SECRET}@127.0.0.1:3306/mysql`,
        MLFLOW_SQLALCHEMYSTORE_ECHO: 'true',
      },
    });
    expect(code).toBe(3);
    expect(stdout + stderr).not.toMatch(SPELT);
  });

  test('no file: 12, as an upgrade would make it; the path is named, and nothing is made', async () => {
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, 'nothing.db');
      const { code, text, json } = await statusOf(`sqlite:///${path}`);
      expect(code).toBe(12);
      expect(json).toMatchObject({ state: 'empty', absent: true });
      expect(text).toContain(`there is no file ${path}`);
      expect(text).toContain('check the path');
      expect(text).toContain(`mtrack db upgrade sqlite:///${path}`);
    });
  });

  test('a file that is no database, a folder, a file that was cut', async () => {
    await inTemporaryFolder(async (folder) => {
      const text = join(folder, 'text.db');
      writeFileSync(text, 'id,name\n'.repeat(500));
      const cut = join(folder, 'cut.db');
      await withDatabase(
        () => SERVERS.sqlite.load('2.9.2'),
        async ({ name }) => {
          writeFileSync(cut, readFileSync(name).subarray(0, 40_000));
        },
      );
      for (const path of [text, folder]) {
        const { code, stderr } = await statusOf(`sqlite:///${path}`);
        expect(code, stderr).toBe(3);
        expect(stderr).toContain(path);
        expect(stderr).toContain('check the path in the store URI');
      }
      const { code, stderr } = await statusOf(`sqlite:///${cut}`);
      expect(code, stderr).toBe(46);
      expect(stderr).toContain(cut);
      expect(stderr).toContain('restore a backup');
    });
  });

  test('no store at all, or a folder of files: 2', async () => {
    const none = await mtrack(['db', 'status']);
    expect(none.code).toBe(2);
    expect(none.stderr).toContain('MLFLOW_BACKEND_STORE_URI');
    const files = await mtrack(['db', 'status', './mlruns']);
    expect(files.code).toBe(2);
    expect(files.stderr).toContain('file store');
  });
});
