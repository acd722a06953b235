/** A database that is led finds the runs that it finds when it is left to itself. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Pool } from '../../../src/dialect/pool.js';
import { ENTITIES, type Tables } from '../../../src/store/database/entities/index.js';
import type { Tuning } from '../../../src/store/database/runs/led-search.js';
import { searchRuns } from '../../../src/store/database/runs/search.js';
import { Questions, Texts } from '../../../src/store/database/statements.js';
import { StoreError } from '../../../src/store/errors.js';
import type { Page, Run } from '../../../src/store/records.js';
import { DEFAULT_LIMITS } from '../../../src/store/validate.js';
import { opened, type TestDatabase } from '../../support/databases.js';
import { script } from '../../support/twin.js';
import { forEachDatabaseStore } from '../implementations.js';
import { madeRuns, runQuestion } from '../random-runs.js';

const SEED = Number(process.env.MTRACK_SEED ?? 4);

const TUNINGS: readonly Tuning[] = [
  { few: 0, sample: 1, many: 0 },
  { few: 3, sample: 1, many: 0 },
  { few: 0, sample: 3, many: 0 },
  { few: 1000, sample: 4, many: 0 },
];

await forEachDatabaseStore('led searches', (implementation) => {
  // PostgreSQL is left to itself.
  test.skipIf(implementation.server.dialect === 'postgresql')('find the same', async () => {
    await using store = await implementation.fresh();
    const answers = await script(store, madeRuns(60, SEED));
    expect(answers.filter((answer) => 'error' in answer)).toEqual([]);
    const pool = await (await opened(store.database as TestDatabase)).pool<Tables>(ENTITIES);
    const context = (words: Pool<Tables>['words']) => ({
      pool: { ...pool, words },
      artifactRoot: '',
      limits: DEFAULT_LIMITS,
      texts: new Texts(),
      questions: new Questions(),
      now: Date.now,
    });
    const plain = context({ ...pool.words, oneByOne: null });
    const led = context(pool.words);
    try {
      for (const question of fc.sample(runQuestion, { numRuns: 60, seed: SEED })) {
        for (const page_token of ['', 'eyJvZmZzZXQiOiAyfQ==']) {
          const asked = { ...question, page_token };
          const expected = await found(searchRuns(plain, asked));
          for (const tuning of TUNINGS) {
            expect({ asked, tuning, ...(await found(searchRuns(led, asked, tuning))) }).toEqual({
              asked,
              tuning,
              ...expected,
            });
          }
        }
      }
    } finally {
      await pool.close();
    }
  });
});

async function found(search: Promise<Page<Run>>): Promise<object> {
  try {
    const { items, next_page_token } = await search;
    return { ids: items.map(({ info }) => info.run_id), next_page_token };
  } catch (error) {
    if (error instanceof StoreError) return { error: error.message };
    throw error;
  }
}
