/**
 * mtrack, as two workers, and a process of MLflow write to one folder at the same time, and read and search it: no error on
 * either side, nothing is lost, and both read the same in the end. MTRACK_TESTS=all makes it last a minute.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Fault, openFileStore } from '../../../src/store/file/index.js';
import { Beside, nothingIsLost, SECONDS, work } from '../../support/beside.js';
import { Oracle } from '../../support/oracle.js';

test('mtrack and MLflow at the same time', { timeout: (SECONDS + 240) * 1000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mtrack-test-'));
  const root = join(folder, 'mlruns');
  try {
    const faults: Fault[] = [];
    const stores = [
      await openFileStore(root, { warn: (fault) => faults.push(fault) }),
      await openFileStore(root, { warn: (fault) => faults.push(fault) }),
    ] as const;
    const shared: string[] = [];
    for (const name of ['first', 'second']) {
      shared.push((await stores[0].runs.create({ experiment_id: '0', tags: [], run_name: name })).info.run_id);
    }
    await using beside = new Beside(root);
    expect(await beside.answer()).toEqual({ ready: true });
    beside.say({ shared });
    const end = performance.now() + SECONDS * 1000;
    const until = () => performance.now() > end;
    const [ours, others] = await Promise.all([
      work(stores[0], shared, 'ours', until),
      work(stores[1], shared, 'others', until),
    ]);
    beside.say({ stop: true });
    const { done: theirs, error } = await beside.answer();
    expect(error).toBeUndefined();
    if (theirs === undefined) throw new Error('MLflow told nothing');
    // What is half there while it is made is no fault, but for an experiment's folder, which has no other place to be made in.
    expect(faults.filter(({ reason }) => reason !== 'is missing')).toEqual([]);
    await using oracle = new Oracle();
    const all = [ours, others, theirs];
    // One that knows nothing yet, and one that has read and written all the time.
    const fresh = await openFileStore(root);
    await nothingIsLost([fresh, stores[0]], oracle, root, shared, all, { keepsAll: true });
    await fresh.close();
    const rounds = all.map((done) => done.runs.length);
    expect(Math.min(...rounds), `rounds of each: ${rounds}`).toBeGreaterThan(1);
    // No part of what was written is left anywhere.
    const parts = readdirSync(root, { recursive: true }).filter((path) => String(path).includes('.mtrack-'));
    expect(parts).toEqual([]);
    for (const store of stores) await store.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
