/**
 * `mtrack db upgrade --sql`: run by the database's own client, a script makes what a live upgrade makes, versions
 * included; and one that stops half-way leaves something that can be gone on from.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { mtrack } from '../../support/cli.js';
import { type Server, type TestDatabase, withDatabase } from '../../support/databases.js';
import { golden } from '../../support/golden.js';
import { upgradeArgs } from '../../support/kill.js';
import { LATE, late, oldest } from '../../support/old-databases.js';
import { differences, run, type State, stateOf, upgradeTo } from '../../support/state.js';
import { forEachDialect } from '../../support/suites.js';
import { inTemporaryFolder } from '../../support/temporary.js';

const exec = promisify(execFile);

const HEAD = 'f4a9b2c7d1e6';
const BEFORE_CONSENT = '97727af70f4d';

async function scriptFor(uri: string, ...more: readonly string[]): Promise<{ sql: string; said: string }> {
  const { code, stdout, stderr } = await mtrack(['db', 'upgrade', uri, '--sql', ...more]);
  expect(code, stderr).toBe(0);
  return { sql: stdout, said: stderr };
}

/** For a new database, constraints without a name are called as that very server calls them. */
const SCHEME = { sqlite: 'sqlite', postgresql: 'postgresql', mysql: 'mariadb' };

async function offlineFor({ dialect }: Server, range: string): Promise<string> {
  const args = ['db', 'upgrade', '--sql', '--to', range, '--dialect', SCHEME[dialect]];
  const { code, stdout, stderr } = await mtrack(args);
  expect(code, stderr).toBe(0);
  return stdout;
}

/** A copy is by a dump where the server has no better: FLOATs rounded, and every index one of its own. So both are copies. */
const withCopy = <T>(server: Server, database: TestDatabase, use: (copy: TestDatabase) => Promise<T>) =>
  withDatabase(() => server.copy(database), use);

/** What an upgrade by mtrack itself makes of a copy. */
async function upgradedLive(server: Server, database: TestDatabase, target = HEAD): Promise<State> {
  return withCopy(server, database, async (copy) => {
    await upgradeTo(copy, target);
    return stateOf(copy);
  });
}

/** The client's last words where a script stops. */
async function failure(running: Promise<unknown>): Promise<string> {
  return running.then(
    () => 'the script ran to its end',
    (error: Error & { stderr?: string }) => error.stderr || error.message,
  );
}

await forEachDialect('db upgrade --sql', (server) => {
  const at = async (revision: string) => {
    const database = await oldest(server);
    await upgradeTo(database, revision);
    return database;
  };

  test.each([
    { from: 'MLflow 0.9', make: () => oldest(server) },
    { from: 'MLflow 2.9.2', make: () => server.load('2.9.2') },
    { from: 'MLflow 3.16, with all that is moved and derived after it', make: () => late(server) },
  ])('from $from: the same as live', async ({ make }) => {
    await withDatabase(make, async (database) => {
      const live = await upgradedLive(server, database);
      await withCopy(server, database, async (copy) => {
        const { sql } = await scriptFor(copy.uri);
        await server.runScript(copy, sql);
        expect(differences(live, await stateOf(copy))).toEqual([]);
      });
    });
  });

  test('of an empty database, and as it says that it is to be run', async () => {
    await withDatabase(
      () => server.empty(),
      async (database) => {
        const { sql } = await scriptFor(database.uri);
        expect(sql).toContain('-- from an empty database to f4a9b2c7d1e6');
        expect(sql).not.toContain('cannot be undone');
        await runAsItSays(server, database, sql);
        const { version, schema } = await stateOf(database);
        expect(
          differences(
            { version: [HEAD], schema: golden(server.goldens, HEAD), rows: {} },
            { version, schema, rows: {} },
          ),
        ).toEqual([]);
      },
    );
  });

  test('without a connection, from a revision to a revision: the same as live, and for no other revision', async () => {
    await withDatabase(
      () => at(BEFORE_CONSENT),
      async (database) => {
        const sql = await offlineFor(server, `${BEFORE_CONSENT}:${LATE}`);
        expect(sql).toMatch(/-- 2d6e25af4d3e: .*\n-- ! cannot be undone: MLflow's own downgrade of it does nothing/);
        const live = await upgradedLive(server, database, LATE);
        await server.runScript(database, sql);
        expect(differences(live, await stateOf(database))).toEqual([]);

        // Once more: the version is another one by now.
        const said = await failure(server.runScript(database, sql));
        expect(said).toContain(`this script is for a database at revision ${BEFORE_CONSENT}`);
        expect(differences(live, await stateOf(database))).toEqual([]);
      },
    );
  });

  test('without a connection, from the five tables of MLflow 0.9 to the head', async () => {
    await withDatabase(
      () => oldest(server),
      async (database) => {
        const live = await upgradedLive(server, database);
        await withCopy(server, database, async (copy) => {
          await server.runScript(copy, await offlineFor(server, 'base:head'));
          expect(differences(live, await stateOf(copy))).toEqual([]);
        });
      },
    );
  });

  test('what cannot be undone is named at the top with its numbers, in its place, and to whoever writes it', async () => {
    await withDatabase(
      () => at(BEFORE_CONSENT),
      async (database) => {
        const { sql, said } = await scriptFor(database.uri);
        const head = sql.slice(0, sql.indexOf('-- 3500859a5d39'));
        expect(head).toContain('-- ! 2d6e25af4d3e cannot be undone');
        expect(head).toContain('This database: 72 rows in params; 250 characters in the longest value of params.');
        expect(head).toContain('accepts at most 6000');
        expect(head).toMatch(/^-- backup first: \w+/m);
        expect(sql).toMatch(/^-- 2d6e25af4d3e: .*\n-- ! cannot be undone: /m);
        expect(said).toContain('! 2d6e25af4d3e cannot be undone');
        const { stdout } = await mtrack(['db', 'upgrade', database.uri, '--sql', '--json']);
        expect(JSON.parse(stdout)).toMatchObject({
          from: BEFORE_CONSENT,
          to: HEAD,
          sql,
          consents: [{ revision: '2d6e25af4d3e' }],
        });
      },
    );
  });

  test('stopped half-way by an error: nothing, or whole revisions, or a part; `mtrack db upgrade` goes on', async () => {
    await withDatabase(
      () => at(BEFORE_CONSENT),
      async (database) => {
        const before = await stateOf(database);
        const live = await upgradedLive(server, database);
        const { sql } = await scriptFor(database.uri);
        // After the first of the three tables of 7f2a7d5fae7d.
        const middle = sql.indexOf(';', sql.search(/CREATE TABLE .?datasets/)) + 1;
        const broken = `${sql.slice(0, middle)}\n\nSELECT * FROM no_such_table;\n\n${sql.slice(middle)}`;
        expect(await failure(server.runScript(database, broken))).toMatch(/no_such_table/);

        const stopped = await stateOf(database);
        const tables = Object.keys(stopped.schema.tables);
        const status = await mtrack(['db', 'status', database.uri]);
        switch (server.dialect) {
          case 'sqlite':
            expect(differences(before, stopped)).toEqual([]);
            expect(status.code).toBe(10);
            break;
          case 'postgresql':
            expect(stopped.version).toEqual(['3500859a5d39']);
            expect(tables).not.toContain('datasets');
            expect(status.code).toBe(10);
            break;
          case 'mysql':
            expect(stopped.version).toEqual(['3500859a5d39']);
            expect(tables).toContain('datasets');
            expect(status.code).toBe(11);
            break;
        }
        const { code, stderr } = await mtrack(upgradeArgs(database.uri));
        expect(code, stderr).toBe(0);
        expect(differences(live, await stateOf(database))).toEqual([]);
      },
    );
  });

  test('rows that SQL alone cannot convert stop a script that was written without them; `mtrack db upgrade` goes on', async () => {
    await withDatabase(
      () => late(server),
      async (database) => {
        const live = await upgradedLive(server, database);
        const said = await failure(server.runScript(database, await offlineFor(server, `${LATE}:head`)));
        expect(said).toMatch(/(trace_info|issues) has rows that SQL cannot convert: run mtrack db upgrade instead/);
        const { code, stderr } = await mtrack(upgradeArgs(database.uri));
        expect(code, stderr).toBe(0);
        expect(differences(live, await stateOf(database))).toEqual([]);
      },
    );
  });

  test('rows that changed after the script was written stop it', async () => {
    await withDatabase(
      () => late(server),
      async (database) => {
        const { sql } = await scriptFor(database.uri);
        await run(database, "UPDATE issues SET categories = '[\"New\"]' WHERE issue_id = 'issue-00000'");
        const said = await failure(server.runScript(database, sql));
        expect(said).toContain('rows of issues have changed since this was written: write it again');
      },
    );
  });
});

/** MariaDB's command asks for the password on a terminal: there only its words are looked at. */
async function runAsItSays(server: Server, database: TestDatabase, sql: string): Promise<void> {
  const command = /^-- run it with: (.*)$/m.exec(sql)?.[1] ?? '';
  if (server.dialect === 'mysql') {
    expect(command).toBe(`mariadb -h 127.0.0.1 -P 3306 -u root -p ${database.name} < upgrade.sql`);
    await server.runScript(database, sql);
    return;
  }
  await inTemporaryFolder(async (folder) => {
    writeFileSync(join(folder, 'upgrade.sql'), sql);
    await exec('sh', ['-c', command], { cwd: folder });
  });
}

describe('db upgrade --sql that cannot be written: 2, and why', () => {
  test.each([
    { args: ['--sql', '--to', 'head:base', '--dialect', 'sqlite'], says: 'comes after' },
    { args: ['--sql', '--to', 'base:nonsense', '--dialect', 'sqlite'], says: 'nonsense' },
    { args: ['--sql', '--to', 'base:head', '--dialect', 'oracle'], says: 'oracle' },
    { args: ['--sql', '--to', 'base:head'], says: '--dialect' },
    { args: ['--to', 'base:head'], says: '--sql' },
    { args: ['--dialect', 'sqlite'], says: '--sql' },
  ])('$args', async ({ args, says }) => {
    const { code, stdout, stderr } = await mtrack(['db', 'upgrade', ...args]);
    expect(code, stderr).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(says);
    expect(stderr).toMatch(/to do: +\S/);
  });

  test('the dialect of a script without a connection can come from a store URI, which is not opened', async () => {
    const { code, stdout } = await mtrack(['db', 'upgrade', 'mysql://nowhere.invalid/x', '--sql', '--to', 'acf3:5b0e']);
    expect(code).toBe(0);
    expect(stdout).toContain("UPDATE `alembic_version` SET `version_num` = '5b0e9adcef9c'");
  });

  test('a reader that goes away early (`| head`) is no failure', async () => {
    const command = `"${process.execPath}" bin/run.js db upgrade --sql --to base:head --dialect sqlite | head -1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await exec('bash', ['-c', command]);
    expect(stdout.trim().split('\n').at(-1)).toBe('0');
    expect(stderr).toBe('');
  });
});
