/**
 * What would make an upgrade fail half-way is found before its first statement, all of it at once, each with what to do:
 * and doing just that lets the upgrade through.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { mtrack, type RunOptions } from '../support/cli.js';
import { SERVERS, type Server, type TestDatabase, withDatabase } from '../support/databases.js';
import { upgradeArgs } from '../support/kill.js';
import { oldest } from '../support/old-databases.js';
import { otherSession } from '../support/other-session.js';
import { differences, run, stateOf } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';

// Many processes, one after the other, on a machine that may have other things to do.
vi.setConfig({ testTimeout: 300_000 });

interface Finding {
  readonly severity: 'refuses' | 'warns';
  readonly found: string;
  readonly fix: string;
}

const { sqlite, postgresql, mysql } = SERVERS;
const missingServer = { postgresql: await postgresql.unavailable(), mysql: await mysql.unavailable() };

/** What the plan says, and what an upgrade that is refused says: the same, and nothing has changed. */
async function refused(database: TestDatabase, uri = database.uri, options: RunOptions = {}): Promise<Finding[]> {
  const before = await stateOf(database);
  const plan = await mtrack(['db', 'upgrade', uri, '--dry-run', '--json'], options);
  expect(plan.code, plan.stdout + plan.stderr).toBe(8);
  const { findings } = JSON.parse(plan.stdout) as { findings: Finding[] };
  const against = findings.filter(({ severity }) => severity === 'refuses');
  const upgrade = await mtrack(upgradeArgs(uri), options);
  expect(upgrade.code).toBe(8);
  expect(upgrade.stderr).toMatch(/^Error PREFLIGHT_FAILED: /m);
  for (const { found, fix } of against) {
    expect(upgrade.stderr).toContain(found);
    expect(upgrade.stderr).toContain(fix);
  }
  expect(differences(before, await stateOf(database))).toEqual([]);
  return against;
}

async function warnings(uri: string): Promise<Finding[]> {
  const { code, stdout } = await mtrack(['db', 'upgrade', uri, '--dry-run', '--json']);
  expect(code, stdout).toBe(0);
  return (JSON.parse(stdout) as { findings: Finding[] }).findings;
}

async function succeeds(uri: string, options: RunOptions = {}): Promise<void> {
  const { code, stderr } = await mtrack(upgradeArgs(uri), options);
  expect(code, stderr).toBe(0);
}

/** The statement that a fix ends with, as an operator would copy it. */
function statementOf({ fix }: Finding): string {
  const statement = /\b(?:GRANT|DROP TABLE) .*$/.exec(fix)?.[0];
  if (!statement) throw new Error(`no statement in: ${fix}`);
  return statement;
}

const someone = () => `mtrack_user_${randomBytes(4).toString('hex')}`;
const as = (user: string, { uri }: TestDatabase) => uri.replace(/\/\/\w+@/, `//${user}@`);

await forEachDialect('a transaction that is left open', (server: Server) => {
  test.skipIf(server.dialect === 'sqlite')('is named with who has it, and since when', async () => {
    await withDatabase(
      () => oldest(server),
      async (database) => {
        const other = await otherSession(server, database, "UPDATE runs SET status = status WHERE status = 'FINISHED'");
        await new Promise((resolve) => setTimeout(resolve, 6000));
        const found = (await warnings(database.uri)).map((each) => each.found).join('\n');
        await other.end('ROLLBACK');
        expect(found).toMatch(new RegExp(`(?:process|thread) ${other.id} \\(.*has had a transaction open for \\d+ s`));
      },
    );
  });
});

await forEachDialect('what MLflow left', (server: Server) => {
  test('an empty copy of a table is dropped, and said before', async () => {
    await withDatabase(
      () => oldest(server),
      async (database) => {
        await run(database, 'CREATE TABLE _alembic_tmp_metrics (value INTEGER)');
        const found = await warnings(database.uri);
        expect(found.map((each) => each.found).join('\n')).toContain('_alembic_tmp_metrics is an empty copy');
        await succeeds(database.uri);
        expect(Object.keys((await stateOf(database)).rows)).not.toContain('_alembic_tmp_metrics');
      },
    );
  });

  test('one with rows is for its owner to look at', async () => {
    await withDatabase(
      () => oldest(server),
      async (database) => {
        await run(
          database,
          'CREATE TABLE _alembic_tmp_metrics (value INTEGER)',
          'INSERT INTO _alembic_tmp_metrics VALUES (1), (2)',
        );
        const [finding, ...others] = await refused(database);
        expect(others).toEqual([]);
        expect(finding?.found).toMatch(/_alembic_tmp_metrics .* 2 rows/);
        if (finding) await run(database, statementOf(finding));
        await succeeds(database.uri);
      },
    );
  });

  test.skipIf(server.dialect === 'sqlite')('a session of somebody else is counted', async () => {
    await withDatabase(
      () => oldest(server),
      async (database) => {
        expect((await warnings(database.uri)).filter(({ found }) => /session/.test(found))).toEqual([]);
        const other = await otherSession(server, database, 'SELECT 1');
        const found = (await warnings(database.uri)).filter((each) => /session/.test(each.found));
        expect(found).toEqual([
          expect.objectContaining({ severity: 'warns', found: '1 other session is connected to this database' }),
        ]);
        expect(found[0]?.fix).toMatch(/stop the MLflow servers/);
        await other.end('ROLLBACK');
      },
    );
  });
});

describe.skipIf(missingServer.postgresql !== null)('postgresql', () => {
  /** A user that may log in and read, in a database whose tables are of another. */
  async function withReader(use: (database: TestDatabase, user: string) => Promise<void>): Promise<void> {
    const [user, owner] = [someone(), someone()];
    await withDatabase(
      () => oldest(postgresql),
      async (database) => {
        await run(
          database,
          `CREATE ROLE ${user} LOGIN`,
          `CREATE ROLE ${owner}`,
          `GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${user}`,
          'REVOKE CREATE ON SCHEMA public FROM PUBLIC',
          `REVOKE TEMPORARY ON DATABASE ${database.name} FROM PUBLIC`,
          ...['experiments', 'runs', 'tags', 'params', 'metrics'].map(
            (table) => `ALTER TABLE ${table} OWNER TO ${owner}`,
          ),
        );
        try {
          await use(database, user);
        } finally {
          await run(database, `DROP OWNED BY ${user}, ${owner} CASCADE`, `DROP ROLE ${user}, ${owner}`);
        }
      },
    );
  }

  test('a user that only reads: every privilege that it lacks, and the statements that give them', async () => {
    await withReader(async (database, user) => {
      const found = await refused(database, as(user, database));
      expect(found.map((each) => each.found)).toEqual([
        expect.stringContaining(`user ${user} may not create tables in schema public`),
        expect.stringContaining(`user ${user} may not make temporary objects`),
        expect.stringContaining(`user ${user} does not own 5 of the tables, among them experiments`),
      ]);
      await run(database, ...found.map(statementOf));
      await succeeds(as(user, database));
    });
  });

  test('a user for whom everything is read-only', async () => {
    await withReader(async (database, user) => {
      await run(database, `ALTER ROLE ${user} SET default_transaction_read_only = on`);
      const found = (await refused(database, as(user, database))).map((each) => each.found);
      expect(found[0]).toBe('default_transaction_read_only is on');
      expect(found).toHaveLength(4);
    });
  });

  test('a search_path that leads nowhere', async () => {
    await withDatabase(postgresql.empty, async (database) => {
      const [finding, ...others] = await refused(database, `${database.uri}?options=-csearch_path%3Dnowhere`);
      expect(others).toEqual([]);
      expect(finding?.found).toContain('no schema of the search_path exists');
      expect(finding?.fix).toContain('?options=-csearch_path=');
    });
  });
});

describe.skipIf(missingServer.mysql !== null)('mysql', () => {
  async function withUser(
    privileges: string,
    use: (database: TestDatabase, user: string) => Promise<void>,
  ): Promise<void> {
    const user = someone();
    await withDatabase(
      () => oldest(mysql),
      async (database) => {
        await run(
          database,
          `CREATE USER '${user}'@'%'`,
          `GRANT ${privileges} ON \`${database.name}\`.* TO '${user}'@'%'`,
        );
        try {
          await use(database, user);
        } finally {
          await run(database, `DROP USER '${user}'@'%'`);
        }
      },
    );
  }

  test('a user that only reads: every privilege that it lacks, and the statement that gives them', async () => {
    await withUser('SELECT', async (database, user) => {
      const found = await refused(database, as(user, database));
      expect(found[0]?.found).toBe(
        `user ${user}@% lacks INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES on database ${database.name}`,
      );
      expect(found[1]?.found).toBe(`user ${user}@% lacks TRIGGER on database ${database.name}`);
      expect(found).toHaveLength(2);
      await run(database, ...found.map(statementOf));
      await succeeds(as(user, database));
    });
  });

  test('a user that may everything but make triggers', async () => {
    const privileges = 'SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES';
    await withUser(privileges, async (database, user) => {
      const [finding, ...others] = await refused(database, as(user, database));
      expect(others).toEqual([]);
      expect(finding?.found).toContain('lacks TRIGGER');
      if (finding) await run(database, statementOf(finding));
      await succeeds(as(user, database));
    });
  });

  test('tables of two collations: which, and how to make them one', async () => {
    await withDatabase(
      () => oldest(mysql),
      async (database) => {
        await run(
          database,
          'ALTER TABLE tags CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, DROP FOREIGN KEY tags_ibfk_1',
        );
        const found = (await warnings(database.uri)).filter(({ fix }) => /COLLATE/.test(fix));
        expect(found).toHaveLength(1);
        expect(found[0]?.found).toMatch(/but tags is not/);
        expect(found[0]?.fix).toContain('COLLATE utf8mb4_general_ci');
      },
    );
  });
});

describe('sqlite', () => {
  test('a file and a folder that this user may not write', async () => {
    await withDatabase(
      () => oldest(sqlite),
      async (database) => {
        chmodSync(dirname(database.name), 0o755);
        chmodSync(database.name, 0o644);
        const NOBODY = 65534;
        const found = await refused(database, database.uri, { uid: NOBODY, env: { HOME: '/tmp' } });
        expect(found.map((each) => each.found)).toEqual([
          `${database.name} cannot be written by this user`,
          `${dirname(database.name)} cannot be written by this user`,
        ]);
        chmodSync(dirname(database.name), 0o777);
        chmodSync(database.name, 0o666);
        await succeeds(database.uri, { uid: NOBODY, env: { HOME: '/tmp' } });
      },
    );
  });

  test('a folder that is not there', async () => {
    await withDatabase(sqlite.empty, async (database) => {
      const folder = join(dirname(database.name), 'not here');
      const [finding, ...others] = await refused(database, `sqlite:///${folder}/mlflow.db`);
      expect(others).toEqual([]);
      expect(finding?.found).toBe(`there is no folder ${folder}`);
      expect(finding?.fix).toContain(`mkdir -p '${folder}'`);
    });
  });
});
