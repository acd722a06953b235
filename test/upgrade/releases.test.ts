/**
 * What MLflow releases leave besides what their revisions declare: the same release makes other tables with another
 * SQLAlchemy. Found by running some 25 releases, from 0.9.1 to 3.16.1, on three dialects.
 */
import { expect, test } from 'vitest';
import { BASE, HEAD, positionOf, resolveTarget } from '../../src/schema/lineage.js';
import { mtrack } from '../support/cli.js';
import { SERVERS, type TestDatabase, withDatabase } from '../support/databases.js';
import { golden } from '../support/golden.js';
import { ALL_CONSENTS } from '../support/kill.js';
import { run, stateOf, upgradeTo } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';

/** MLflow 1.13 and 1.14, whose next revision gives `is_nan` the check that old SQLAlchemy had given it. */
const BEFORE_THE_CHECK = 'a8c4a736bde6';
const WITH_THE_CHECK = '39d1c3be5f05';

/** What MLflow 1.13.1 with SQLAlchemy 1.3.24 has more than with 1.4; nothing where booleans are a type. */
const FROM_OLD_SQLALCHEMY = {
  sqlite: [
    'DROP TABLE latest_metrics',
    `CREATE TABLE latest_metrics (
	"key" VARCHAR(250) NOT NULL, 
	value FLOAT NOT NULL, 
	timestamp BIGINT, 
	step BIGINT NOT NULL, 
	is_nan BOOLEAN NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT latest_metric_pk PRIMARY KEY ("key", run_uuid), 
	CHECK (is_nan IN (0, 1)), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
)`,
  ],
  mysql: ['ALTER TABLE latest_metrics ADD CHECK (is_nan IN (0, 1))'],
  postgresql: [],
} as const;

async function status({ uri }: TestDatabase): Promise<{ state: string; differences: unknown[]; steps?: unknown[] }> {
  return JSON.parse((await mtrack(['db', 'status', uri, '--json'])).stdout);
}

await forEachDialect('releases', (server) => {
  const old = async () => {
    const database = await server.empty();
    await upgradeTo(database, BEFORE_THE_CHECK);
    await run(database, ...FROM_OLD_SQLALCHEMY[server.dialect]);
    return database;
  };

  test('MLflow 1.13 with SQLAlchemy 1.3 is at its revision, not inside the next, and as it should be', async () => {
    await withDatabase(old, async (database) => {
      expect(await status(database)).toMatchObject({ revision: BEFORE_THE_CHECK, state: 'at', differences: [] });
      await upgradeTo(database, WITH_THE_CHECK);
      expect((await stateOf(database)).schema).toEqual(golden(server.goldens, WITH_THE_CHECK));
    });
  });

  test('MLflow 1.x, killed after what it does to a database of 0.9 before its first revision', async () => {
    await withDatabase(server.empty, async (database) => {
      await upgradeTo(database, BASE);
      await run(database, 'CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)');
      // The lineage of its own that MLflow 1.0 to 1.13 have for it (mlflow/temporary_db_migrations_for_pre_1_users).
      await run(database, "INSERT INTO alembic_version VALUES ('ff01da956556')");
      expect(await status(database)).toMatchObject({ revision: BASE, state: 'at', differences: [] });
      expect((await mtrack(['db', 'upgrade', database.uri, '--yes', ...ALL_CONSENTS])).code).toBe(0);
      const { version, schema } = await stateOf(database);
      expect(version).toEqual([HEAD]);
      expect(schema).toEqual(golden(server.goldens, HEAD));
    });
  });

  test('at the target, --sql writes a script that the client takes, and that does nothing', async () => {
    await withDatabase(server.empty, async (database) => {
      await upgradeTo(database, WITH_THE_CHECK);
      const before = await stateOf(database);
      const script = await mtrack(['db', 'upgrade', database.uri, '--to', WITH_THE_CHECK, '--sql']);
      expect(script).toMatchObject({ code: 0, stderr: '' });
      expect(script.stdout).toContain(WITH_THE_CHECK);
      await server.runScript(database, script.stdout);
      expect(await stateOf(database)).toEqual(before);
    });
  });
});

test.skipIf((await SERVERS.mysql.unavailable()) !== null)(
  'MySQL: with the other table of that revision altered, it is inside it',
  async () => {
    await withDatabase(SERVERS.mysql.empty, async (database) => {
      await upgradeTo(database, BEFORE_THE_CHECK);
      await run(
        database,
        ...FROM_OLD_SQLALCHEMY.mysql,
        'ALTER TABLE metrics MODIFY is_nan BOOL NOT NULL',
        'ALTER TABLE metrics ADD CHECK (is_nan IN (0, 1))',
      );
      expect(await status(database)).toMatchObject({ state: 'part-way', next: WITH_THE_CHECK });
    });
  },
);

test.skipIf((await SERVERS.postgresql.unavailable()) !== null)(
  'PostgreSQL: the check that MLflow 1.5 left, which refuses KILLED, is dropped where MLflow 1.6 dropped it',
  async () => {
    await withDatabase(SERVERS.postgresql.empty, async (database) => {
      await upgradeTo(database, 'cfd24bdc0731');
      await run(
        database,
        "ALTER TABLE runs ADD CONSTRAINT status CHECK (status IN ('SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING'))",
      );
      expect(await status(database)).toMatchObject({ revision: 'cfd24bdc0731', state: 'at' });
      await upgradeTo(database, '0a8213491aaa');
      expect((await stateOf(database)).schema).toEqual(golden('postgresql', '0a8213491aaa'));
    });
  },
);

test('every minor release of MLflow is a target, none before an older one', () => {
  const minors = (major: number, last: number) => Array.from({ length: last + 1 }, (_, minor) => `${major}.${minor}`);
  const heads = [...minors(1, 30), ...minors(2, 22), ...minors(3, 18)].map((release) =>
    positionOf(resolveTarget(`mlflow==${release}`)),
  );
  expect(heads).toEqual(heads.toSorted((a, b) => a - b));
});
