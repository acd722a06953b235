/** Histories by the page: together the pages are the whole, whoever made their tokens. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Metric } from '../../../src/store/records.js';
import { encodePageToken } from '../../../src/store/search/index.js';
import { forEachStore } from '../implementations.js';

const point: fc.Arbitrary<Metric> = fc.record({
  key: fc.constant('m'),
  value: fc.constantFrom(0, 1, -1, Number.NaN),
  timestamp: fc.integer({ min: 0, max: 3 }),
  step: fc.integer({ min: -1, max: 1 }),
});

await forEachStore('histories', (implementation) => {
  test('page by page', async () => {
    await using fresh = await implementation.fresh();
    const { runs, metrics } = await fresh.open();
    for (const points of fc.sample(fc.array(point, { minLength: 1, maxLength: 40 }), { numRuns: 4, seed: 5 })) {
      const { info } = await runs.create({ experiment_id: '0', user_id: 'me', start_time: 1, tags: [] });
      // Another run has points of the same metric in between.
      const other = await runs.create({ experiment_id: '0', user_id: 'me', start_time: 1, tags: [] });
      for (const { run_id } of [info, other.info]) {
        await runs.logBatch(run_id, { metrics: points, params: [], tags: [] });
      }
      const whole = (await metrics.history(info.run_id, 'm')).items;
      for (const max_results of [1, 2, 5, 1000]) {
        const pages: Metric[] = [];
        const byOffset: Metric[] = [];
        let token: string | undefined;
        do {
          const page = await metrics.history(info.run_id, 'm', { max_results, page_token: token });
          const same = await metrics.history(info.run_id, 'm', {
            max_results,
            page_token: pages.length === 0 ? undefined : encodePageToken(pages.length),
          });
          pages.push(...page.items);
          byOffset.push(...same.items);
          token = page.next_page_token;
        } while (token !== undefined);
        expect(pages).toEqual(whole);
        expect(byOffset).toEqual(whole);
      }
    }
  });
});
