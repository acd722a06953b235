/** Pages that are longer than the list of values which a database binds. */
import { expect, test } from 'vitest';
import { run } from '../../support/state.js';
import { forEachDatabaseStore } from '../implementations.js';

const RUNS = 1100;

await forEachDatabaseStore('a long page', (implementation) => {
  test('of runs and of experiments', async () => {
    await using fresh = await implementation.fresh();
    const store = await fresh.open();
    const rows = Array.from(
      { length: RUNS },
      (_, at) => `('${String(at).padStart(32, '0')}', 'r', 'active', ${at}, 0)`,
    );
    const tags = Array.from({ length: RUNS }, (_, at) => `('k', '${at}', '${String(at).padStart(32, '0')}')`);
    const experiments = Array.from({ length: RUNS }, (_, at) => `(${at + 1}, 'e${at}', 'active', ${at})`);
    if (fresh.database === null) throw new Error('no database');
    const key = implementation.server.dialect === 'mysql' ? '`key`' : '"key"';
    await run(
      fresh.database,
      `INSERT INTO runs (run_uuid, name, lifecycle_stage, start_time, experiment_id) VALUES ${rows.join(', ')}`,
      `INSERT INTO tags (${key}, value, run_uuid) VALUES ${tags.join(', ')}`,
      `INSERT INTO experiments (experiment_id, name, lifecycle_stage, creation_time) VALUES ${experiments.join(', ')}`,
    );
    const found = await store.runs.search({ experiment_ids: ['0'], max_results: 50_000 });
    const times = found.items.map(({ info }) => info.start_time);
    expect(times).toEqual(Array.from({ length: RUNS }, (_, at) => RUNS - 1 - at));
    expect(found.items.map(({ data }) => data.tags[0]?.value)).toEqual(times.map(String));
    const all = await store.experiments.search({ max_results: 50_000, order_by: ['experiment_id'] });
    expect(all.items).toHaveLength(RUNS + 1);
    const page = await store.runs.search({
      experiment_ids: all.items.map(({ experiment_id }) => experiment_id),
      max_results: 3,
    });
    expect(page.items.map(({ info }) => info.start_time)).toEqual([RUNS - 1, RUNS - 2, RUNS - 3]);
  });
});
