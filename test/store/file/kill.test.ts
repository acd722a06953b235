/**
 * A process that writes to a file store is killed (SIGKILL) at any moment: what it acknowledged is there, what it did not is
 * there in whole or not at all, and MLflow reads all of it. MTRACK_TESTS=all kills it fifty times.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Fault, openFileStore } from '../../../src/store/file/index.js';
import { ROOT } from '../../support/cli.js';
import { isThere, killed, TIMES } from '../../support/killed-store.js';
import { type Call, Oracle } from '../../support/oracle.js';

const OPENING = `
  const { openFileStore } = await import(${JSON.stringify(join(ROOT, 'dist/src/store/file/index.js'))});
  const store = await openFileStore(root);`;

test(`killed ${TIMES} times`, { timeout: 600_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mtrack-test-'));
  try {
    const root = join(folder, 'mlruns');
    const faults: Fault[] = [];
    const store = await openFileStore(root, { warn: (fault) => faults.push(fault) });
    const shared = (await store.runs.create({ experiment_id: '0', tags: [] })).info.run_id;
    let count = 0;
    for (let time = 0; time < TIMES; time++) {
      const name = `w${time}`;
      const told = await killed(OPENING, root, shared, name, 50 + Math.random() * 300);
      count += told.length;
      await isThere(store, shared, name, told);
    }
    expect(count).toBeGreaterThan(TIMES * 5);
    const { items } = await store.runs.search({ experiment_ids: ['0'], max_results: 50_000, run_view_type: 'ALL' });
    await store.experiments.search({ view_type: 'ALL', max_results: 50_000 });
    // A folder whose meta.yaml was not written any more is no experiment.
    expect(faults.filter(({ reason }) => reason !== 'is missing')).toEqual([]);
    await using oracle = new Oracle();
    const search = { experiment_ids: ['0'], max_results: 50_000, run_view_type: 'ALL' };
    const calls: Call[] = [
      ['runs.search', [search]],
      ['runs.get', [shared]],
      ['experiments.search', [{ max_results: 50_000 }]],
    ];
    const [theirs, ...rest] = await oracle.script(root, root, Date.now(), calls);
    expect(rest.filter((answer) => 'error' in answer)).toEqual([]);
    const found = theirs as { result: { items: { info: { run_id: string } }[] } };
    expect(found.result.items.map(({ info }) => info.run_id)).toEqual(items.map(({ info }) => info.run_id));
    await store.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
