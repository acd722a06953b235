/**
 * Runs, and whole experiments, to which every kind of row refers go with all of it, and with nothing else; and the same where
 * no foreign key has its cascade, as in databases that were made or repaired by hand.
 */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Server, TestDatabase } from '../support/databases.js';
import { compared, type Expected, type GcFixture, gc, mentions, withDatabaseFixture, without } from '../support/gc.js';
import { Oracle } from '../support/oracle.js';
import { query, run, stateOf } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';

const RELEASE = '3.17.2';
const LONG_AGO = Date.UTC(2020, 0, 1);

/** Where ids of runs that are gone may stand: in what belongs to others, and says where it came from. */
const ORIGINS = ['model_versions.run_id', 'logged_models.source_run_id', 'trace_request_metadata.value', 'tags.value'];

const NO_BUCKET = { MLFLOW_S3_ENDPOINT_URL: 'http://127.0.0.1:9', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' };

describe.skipIf(inject('oracleMissing') !== null)('everything that refers to it', async () => {
  let oracle: Oracle;
  beforeAll(() => {
    oracle = new Oracle();
  });
  afterAll(() => oracle?.[Symbol.asyncDispose]());

  await forEachDialect('goes', (server) => {
    test('with a run, and with an experiment; the same without cascades', async () => {
      const [as, by] = [await collected(server, oracle, false), await collected(server, oracle, true)];
      // The two databases are the same fixture: what is left must be the same rows.
      expect(by).toEqual(as);
    });
  });
});

/** @returns every row that is left */
async function collected(server: Server, oracle: Oracle, dropsCascades: boolean): Promise<unknown> {
  return withDatabaseFixture(server, RELEASE, async (fixture) => {
    const { database } = fixture;
    if (database === null) throw new Error('no database');
    if (dropsCascades) await dropCascades(server, database);

    // Runs with inputs, outputs, metrics of models, traces and an issue; those of the registry only by force.
    const rich = await query<{ id: string }>(
      database,
      `SELECT run_uuid AS id FROM runs WHERE run_uuid IN (SELECT destination_id FROM inputs UNION SELECT source_id FROM inputs UNION SELECT run_id FROM logged_model_metrics) ORDER BY run_uuid`,
    );
    const runs = rich.map(({ id }) => id);
    expect(runs.length).toBeGreaterThanOrEqual(3);
    await run(database, `UPDATE issues SET source_run_id = '${runs[0]}'`);
    await run(
      database,
      `UPDATE assessments SET run_id = '${runs[0]}' WHERE assessment_id = (SELECT MIN(assessment_id) FROM (SELECT assessment_id FROM assessments) a)`,
    );
    await fixture.trash(runs, LONG_AGO);
    const kept = await gcBoth(fixture, '--older-than', '30d', '--run-ids', runs.join(','));
    expect(kept.kept.length).toBeGreaterThan(0);
    expect(
      kept.kept.every(
        ({ reason, because }) => reason === 'needed' && /registered model "|logged model "/.test(because),
      ),
    ).toBe(true);
    const forced = await gcBoth(fixture, '--older-than', '30d', '--run-ids', runs.join(','), '--force');
    const gone = [...kept.removed.runs, ...forced.removed.runs];
    expect([...gone].sort()).toEqual([...runs].sort());
    expect((await mentions(database, gone)).filter((place) => !ORIGINS.includes(place))).toEqual([]);
    expect({ ...kept.rows, ...forced.rows }).toMatchObject({
      inputs: expect.any(Number),
      logged_model_metrics: 5,
      assessments: 1,
    });
    expect(await query(database, 'SELECT issue_id FROM issues WHERE source_run_id IS NOT NULL')).toEqual([]);

    const read = (await oracle.read(fixture.uri)) as unknown as Expected;
    const lineage = (all: Expected) =>
      JSON.parse(
        JSON.stringify(compared(all), (key, value) =>
          /^(?:metrics|outputs|assessments)$/.test(key) ? undefined : value,
        ),
      );
    expect(lineage(read)).toEqual(lineage(without(fixture.expected, { ...kept.removed, runs: gone })));

    // Experiments with traces, logged models, scorers, queues, schemas, datasets, issues and endpoints.
    await run(
      database,
      `UPDATE experiments SET lifecycle_stage = 'deleted', last_update_time = ${LONG_AGO} WHERE experiment_id <> 0`,
    );
    const hindered = await gcBoth(fixture, '--older-than', '30d', '--undated', 'treat-as-old', '--experiment-ids', '1');
    expect(hindered.kept).toMatchObject([{ kind: 'experiment', id: '1', reason: 'needed' }]);
    expect(hindered.kept[0]?.because).toMatch(/guardrail "guard" uses its scorer/);
    for (const table of ['guardrail_configs', 'guardrails', 'model_versions', 'model_version_tags']
      .reverse()
      .toSorted()) {
      await run(database, `DELETE FROM ${table}`).catch(() => undefined);
    }
    for (const table of ['guardrails', 'model_versions']) await run(database, `DELETE FROM ${table}`);
    await run(database, `UPDATE runs SET deleted_time = ${LONG_AGO} WHERE lifecycle_stage = 'deleted'`);
    const all = await gcBoth(fixture, '--older-than', '30d');
    // The bucket of experiment 4 is nowhere: what is in it stays, and with it the experiment.
    expect(all.failed.every(({ location }) => location?.startsWith('s3://fixture-bucket/'))).toBe(true);
    expect(all).toMatchObject({ kept: [{ kind: 'experiment', id: '4', reason: 'incomplete' }], code: 21 });
    const experiments = all.removed.experiments;
    expect(experiments.length).toBeGreaterThan(9);
    const { removed } = all;
    const ids = [...removed.runs, ...removed.models, ...removed.traces];
    expect((await mentions(database, ids)).filter((place) => !ORIGINS.includes(place))).toEqual([]);
    const state = await stateOf(database);
    // What is not of any experiment is all there.
    return JSON.parse(JSON.stringify(state.rows).replaceAll(fixture.folder, 'FOLDER'));
  });
}

async function gcBoth(fixture: GcFixture, ...args: readonly string[]) {
  const dry = await gc(fixture.uri, [...args, '--retries', '0', '--dry-run'], { env: NO_BUCKET });
  const real = await gc(fixture.uri, [...args, '--retries', '0', '--yes'], { env: NO_BUCKET });
  expect(real.stdout).toBe(dry.stdout);
  return real;
}

/** Every foreign key without what it does when its parent goes, and without its check. */
async function dropCascades(server: Server, database: TestDatabase): Promise<void> {
  switch (server.dialect) {
    case 'sqlite':
      await server.runScript(
        database,
        [
          'PRAGMA writable_schema = ON;',
          "UPDATE sqlite_master SET sql = REPLACE(REPLACE(sql, 'ON DELETE CASCADE', ''), 'ON DELETE SET NULL', '') WHERE type = 'table';",
        ].join('\n'),
      );
      return;
    case 'postgresql': {
      const keys = await query<{ t: string; c: string; d: string }>(
        database,
        `SELECT conrelid::regclass::text AS t, conname AS c, pg_get_constraintdef(oid) AS d FROM pg_constraint WHERE contype = 'f'`,
      );
      for (const { t, c, d } of keys) {
        const plain = d.replace(/ ON DELETE (?:CASCADE|SET NULL)/, '');
        await run(
          database,
          `ALTER TABLE ${t} DROP CONSTRAINT "${c}"`,
          `ALTER TABLE ${t} ADD CONSTRAINT "${c}" ${plain}`,
        );
      }
      return;
    }
    case 'mysql': {
      const keys = await query<{ t: string; c: string }>(
        database,
        `SELECT TABLE_NAME AS t, CONSTRAINT_NAME AS c FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE() AND DELETE_RULE <> 'RESTRICT' AND DELETE_RULE <> 'NO ACTION'`,
      );
      for (const { t, c } of keys) await run(database, `ALTER TABLE ${t} DROP FOREIGN KEY ${c}`);
    }
  }
}
