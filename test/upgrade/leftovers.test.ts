/**
 * Tables `_alembic_tmp_…` in a SQLite file: copies that Alembic was filling when it was killed. What a killed MLflow leaves
 * by itself is in half-done.test.ts; here are those that somebody should look at first, and tables that are gone.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mtrack } from '../support/cli.js';
import { SERVERS, type TestDatabase, withDatabase } from '../support/databases.js';
import { upgradeArgs } from '../support/kill.js';
import { oldest } from '../support/old-databases.js';
import { differences, query, run as runStatements, stateOf } from '../support/state.js';
import { type Undisturbed, undisturbed } from '../support/undisturbed.js';

const server = SERVERS.sqlite;
let old: Undisturbed;
beforeAll(async () => {
  old = await undisturbed(server, await oldest(server));
});
afterAll(() => old?.from.drop());
const copied = (use: (copy: TestDatabase) => Promise<void>) => withDatabase(() => server.copy(old.from), use);

const upgraded = async (copy: TestDatabase) => {
  const { code, stderr } = await mtrack(upgradeArgs(copy.uri));
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(differences(old.end, await stateOf(copy))).toEqual([]);
};

test('an empty copy beside its whole table is named, and dropped', async () => {
  await copied(async (copy) => {
    await runStatements(copy, 'CREATE TABLE _alembic_tmp_metrics AS SELECT * FROM metrics WHERE 0');
    const dry = await mtrack(['db', 'upgrade', copy.uri, '--dry-run']);
    expect(dry.stdout + dry.stderr).toMatch(/_alembic_tmp_metrics is an empty copy/);
    expect(dry.code).toBe(0);
    await upgraded(copy);
  });
});

test('a copy that holds rows is not touched: the upgrade is refused until somebody has looked', async () => {
  await copied(async (copy) => {
    await runStatements(copy, 'CREATE TABLE _alembic_tmp_params AS SELECT * FROM params');
    const before = await stateOf(copy);
    const { code, stderr } = await mtrack(upgradeArgs(copy.uri));
    expect(code).toBe(8);
    expect(stderr).toMatch(/^Error PREFLIGHT_FAILED: _alembic_tmp_params is left over .* holds 72 rows/m);
    expect(differences(before, await stateOf(copy))).toEqual([]);
    const [, advice = ''] = /drop it: (DROP TABLE \S+)/.exec(stderr) ?? [];
    await runStatements(copy, advice);
    await upgraded(copy);
  });
});

test('a copy whose table is gone: it says where the rows may be, and what it advises works', async () => {
  await copied(async (copy) => {
    // Without references followed, as Alembic does it.
    await runStatements(
      copy,
      'PRAGMA foreign_keys = OFF',
      'PRAGMA legacy_alter_table = ON',
      'ALTER TABLE tags RENAME TO _alembic_tmp_tags',
    );
    const rows = await query(copy, 'SELECT COUNT(*) AS n FROM _alembic_tmp_tags');
    const { code, stderr } = await mtrack(upgradeArgs(copy.uri));
    expect(code).toBe(15);
    expect(stderr).toMatch(/^Error DRIFTED: table tags is missing/m);
    expect(stderr).toMatch(/the rows of tags may be in _alembic_tmp_tags: look there, and rename it if they are/);
    expect(await query(copy, 'SELECT COUNT(*) AS n FROM _alembic_tmp_tags')).toEqual(rows);
    await runStatements(copy, 'PRAGMA legacy_alter_table = ON', 'ALTER TABLE _alembic_tmp_tags RENAME TO tags');
    await upgraded(copy);
  });
});

test('a table that is gone from a database with rows is not made anew', async () => {
  await copied(async (copy) => {
    await runStatements(copy, 'PRAGMA foreign_keys = OFF', 'DROP TABLE tags');
    const before = await stateOf(copy);
    const { code, stderr } = await mtrack(upgradeArgs(copy.uri));
    expect(code).toBe(8);
    expect(stderr).toMatch(
      /^Error PREFLIGHT_FAILED: there is no table tags, and there are rows in .*experiments, runs/m,
    );
    expect(stderr).toMatch(/restore tags from a backup/);
    expect(differences(before, await stateOf(copy))).toEqual([]);
  });
});
