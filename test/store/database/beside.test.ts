/**
 * mtrack, as two servers, and a process of MLflow write to one database at the same time, and read and search it: no error on
 * either side, nothing is lost, and both read the same in the end. MTRACK_TESTS=all makes it last a minute.
 */
import { expect, test } from 'vitest';
import { Beside, SECONDS as LONG, nothingIsLost, work } from '../../support/beside.js';
import { ORACLE_HEAD } from '../../support/mlflow.js';
import { Oracle } from '../../support/oracle.js';
import { forEachDatabaseStore } from '../implementations.js';

/** Three databases share the time. */
const SECONDS = process.env.MTRACK_TESTS === 'all' ? LONG : LONG / 2;

await forEachDatabaseStore('mtrack and MLflow', (implementation) => {
  test('at the same time', { timeout: (SECONDS + 240) * 1000 }, async () => {
    await using database = await implementation.fresh(ORACLE_HEAD);
    const stores = [await database.open(), await database.open()] as const;
    const shared: string[] = [];
    for (const run_name of ['first', 'second']) {
      shared.push((await stores[0].runs.create({ experiment_id: '0', tags: [], run_name })).info.run_id);
    }
    await using beside = new Beside(database.uri);
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
    const all = [ours, others, theirs];
    await using oracle = new Oracle();
    await nothingIsLost(stores, oracle, database.uri, shared, all, { keepsAll: false });
    const rounds = all.map((done) => done.runs.length);
    expect(Math.min(...rounds), `rounds of each: ${rounds}`).toBeGreaterThan(0);
  });
});
