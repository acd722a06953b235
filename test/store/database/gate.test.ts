/** Which databases are served, and which are refused: with the reason, and without a trace in them. */
import { describe, expect, test } from 'vitest';
import { MtrackError } from '../../../src/errors.js';
import { BASE, HEAD, revisions } from '../../../src/schema/lineage.js';
import { TABLES } from '../../../src/store/database/index.js';
import { type TestDatabase, withDatabase } from '../../support/databases.js';
import { query, run, upgradeTo } from '../../support/state.js';
import { forEachDialect } from '../../support/suites.js';
import { fingerprint } from '../../support/untouched.js';
import { databaseStore } from '../implementations.js';

/** How opening the store of a database fails; null when it does not. */
async function refusal(database: TestDatabase, init = false): Promise<MtrackError | null> {
  const store = databaseStore({ ...database, drop: async () => undefined });
  try {
    await store.open({ init });
    return null;
  } catch (error) {
    if (error instanceof MtrackError) return error;
    throw error;
  } finally {
    await store[Symbol.asyncDispose]();
  }
}

/** The revision before the last that changed a table which is served, and that one itself. */
const LAST_CHANGE = '75868b020152';
const BEFORE_IT = 'b7e2c1a4d9f3';

describe('the gate', () => {
  test('knows the last revision that changed what is served', () => {
    const at = (id: string) => revisions.findIndex((each) => each.id === id);
    expect(at(BEFORE_IT)).toBe(at(LAST_CHANGE) - 1);
    expect(TABLES).toContain('trace_info');
  });
});

await forEachDialect('the gate', (server) => {
  const refused = async (database: TestDatabase, code: string, init = false): Promise<MtrackError> => {
    const before = await fingerprint(server, database);
    const error = await refusal(database, init);
    expect(error?.code).toBe(code);
    expect(await fingerprint(server, database)).toBe(before);
    if (error === null) throw new Error('not refused');
    return error;
  };

  test('refuses what is empty, and makes its tables when asked to', async () => {
    await withDatabase(server.empty, async (database) => {
      const error = await refused(database, 'DATABASE_EMPTY');
      expect(error.failure.fix?.join('\n')).toContain(`mtrack db upgrade ${shown(database)}`);
      // By several at the same time, it is made once.
      expect(await Promise.all([1, 2, 3].map(() => refusal(database, true)))).toEqual([null, null, null]);
      expect(await query(database, 'SELECT version_num FROM alembic_version')).toEqual([{ version_num: HEAD }]);
      const experiments = await query<{ experiment_id: number; name: string }>(database, 'SELECT * FROM experiments');
      expect(experiments.map(({ experiment_id, name }) => [Number(experiment_id), name])).toEqual([[0, 'Default']]);
    });
  });

  test('serves the last release beside the newest, and refuses what is older, with the way out', async () => {
    await withDatabase(server.empty, async (database) => {
      await upgradeTo(database, BEFORE_IT);
      const error = await refused(database, 'UPGRADE_PENDING');
      const pending = revisions.length - 1 - revisions.findIndex(({ id }) => id === BEFORE_IT);
      expect(error.failure.found).toContain(BEFORE_IT);
      expect(error.failure.found).toContain(`${pending} revisions behind`);
      expect(error.failure.expected).toContain(HEAD);
      expect(error.failure.fix).toEqual([
        `take a backup first: mtrack db backup ${shown(database)}`,
        `mtrack db upgrade ${shown(database)}`,
      ]);
      await upgradeTo(database, 'dc11669786a5');
      expect(await refusal(database)).toBeNull();
      expect(await query(database, 'SELECT version_num FROM alembic_version')).toEqual([
        { version_num: 'dc11669786a5' },
      ]);
    });
  });

  test('refuses what is newer, foreign, part-way, without a version, in workspaces, or broken', async () => {
    await withDatabase(server.empty, async (database) => {
      await upgradeTo(database, HEAD);
      expect(await refusal(database)).toBeNull();
      await run(database, "UPDATE alembic_version SET version_num = 'ffffffffffff'");
      await refused(database, 'DATABASE_NEWER');
      await run(database, "UPDATE alembic_version SET version_num = 'v3.0.0.a'");
      await refused(database, 'DATABASE_FOREIGN', true);
      await run(database, `UPDATE alembic_version SET version_num = '${revisions.at(-4)?.id}'`);
      await refused(database, 'PART_WAY');
      await run(database, 'DELETE FROM alembic_version');
      await refused(database, 'UNVERSIONED', true);
      await run(database, `INSERT INTO alembic_version (version_num) VALUES ('${HEAD}')`);
      expect(await refusal(database)).toBeNull();
      await run(database, `DROP INDEX index_params_run_uuid${server.dialect === 'mysql' ? ' ON params' : ''}`).catch(
        () => undefined,
      );
      expect(await refusal(database)).toBeNull();
      await run(
        database,
        "INSERT INTO experiments (experiment_id, name, lifecycle_stage, workspace) VALUES (7, 'x', 'active', 'team')",
      );
      await refused(database, 'WORKSPACES');
      await run(database, 'ALTER TABLE input_tags DROP COLUMN value');
      const error = await refused(database, 'DRIFTED');
      expect(error.failure.found).toContain('input_tags');
    });
  });

  test('refuses the five tables of MLflow 0.9', async () => {
    await withDatabase(server.empty, async (database) => {
      await upgradeTo(database, BASE);
      await refused(database, 'UPGRADE_PENDING', true);
    });
  });
});

const shown = ({ uri }: TestDatabase) => uri;
