/**
 * A process that writes to a database is killed (SIGKILL) at any moment: what it acknowledged is there, what it did not is
 * there in whole or not at all. MTRACK_TESTS=all kills it fifty times.
 */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../support/cli.js';
import { isThere, killed, TIMES as OFTEN } from '../../support/killed-store.js';
import { forEachDatabaseStore } from '../implementations.js';

/** Three databases share them. */
const TIMES = process.env.MTRACK_TESTS === 'all' ? OFTEN : OFTEN / 2;

const module = (path: string) => JSON.stringify(join(ROOT, 'dist/src', path));
const OPENING = `
  const { openStore } = await import(${module('store/open.js')});
  const { parseStoreUri } = await import(${module('uri.js')});
  const { DEFAULT_POOL } = await import(${module('config.js')});
  const connection = { pool: DEFAULT_POOL, mysqlTls: { ca: null, cert: null, key: null }, postgresql: {} };
  const store = await openStore(parseStoreUri(root), { connection, artifactRoot: '/nowhere' });`;

await forEachDatabaseStore('a writer', (implementation) => {
  test(`killed ${TIMES} times`, { timeout: 600_000 }, async () => {
    await using test = await implementation.fresh();
    const store = await test.open();
    const shared = (await store.runs.create({ experiment_id: '0', tags: [] })).info.run_id;
    let count = 0;
    for (let time = 0; time < TIMES; time++) {
      const name = `w${time}`;
      const told = await killed(OPENING, test.uri, shared, name, 50 + Math.random() * 300);
      count += told.length;
      await isThere(store, shared, name, told);
    }
    expect(count).toBeGreaterThan(TIMES * 5);
  });
});
