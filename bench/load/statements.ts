/** The statements that mtrack sends for each row, by themselves on a connection of the driver. */
import { CONNECTION } from '../support/databases.ts';
import { type Measured, raw } from '../support/statements.ts';
import { BULK, HISTORY, ROWS, runId } from './rows.ts';

type Store = import('../../src/store/store.js').Store;
const built = (path: string) => import(new URL(`../../dist/src/${path}`, import.meta.url).href);
const { openStore } = (await built('store/open.js')) as typeof import('../../src/store/open.js');
const { parseStoreUri } = (await built('uri.js')) as typeof import('../../src/uri.js');

// The bodies of the rows are what the store takes.
const body = (name: string) => ROWS.find((row) => row.name === name)?.body?.() as never;
const { run_id: _, ...point } = body('log-metric') as Record<string, never>;

/** What is done for a row; a run cannot be made twice by the same statements. */
const WORKS: Readonly<Record<string, (store: Store) => Promise<unknown>>> = {
  'get-run': (store) => store.runs.get(runId(1042)),
  'search-runs: filters, order': (store) => store.runs.search(body('search-runs: filters, order')),
  'search-runs: latest 100': (store) => store.runs.search(body('search-runs: latest 100')),
  'history of 10 k points': (store) => store.metrics.history(HISTORY.run, HISTORY.key),
  'bulk history: 10 x 1 k points': async (store) => {
    for (const { run, key } of BULK) await store.metrics.history(run, key);
  },
  'search-experiments': (store) => store.experiments.search({ max_results: 100 }),
  'log-metric': (store) => store.runs.logMetric(runId(1), point as never),
  'log-batch: 100 + 20 + 20': (store) => {
    const { run_id, ...batch } = body('log-batch: 100 + 20 + 20') as { run_id: string };
    return store.runs.logBatch(run_id, batch as never);
  },
};

/** By row. @param seconds for each */
export async function statementsAlone(
  kind: string,
  uri: string,
  names: readonly string[],
  seconds: number,
): Promise<ReadonlyMap<string, Measured>> {
  const store = await openStore(parseStoreUri(uri), { connection: CONNECTION, artifactRoot: '/tmp', init: false });
  const all = new Map<string, Measured>();
  try {
    for (const name of names) {
      const work = WORKS[name];
      const alone =
        work &&
        (await raw(
          kind,
          uri,
          () => work(store),
          name.startsWith('log-'),
          (each) => timed(each, seconds),
        ));
      if (alone) all.set(name, alone);
    }
  } finally {
    await store.close();
  }
  return all;
}

async function timed(work: () => Promise<unknown>, seconds: number): Promise<Measured> {
  for (let at = 0; at < 3; at++) await work();
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  let done = 0;
  for (; performance.now() - began < seconds * 1000; done++) await work();
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: (done * 1000) / (performance.now() - began), cpu: (user + system) / 1000 / done };
}
