/**
 * The database store's hot paths: operations a second and CPU milliseconds an operation (of this process; SQLite works in it,
 * a server does not), at concurrency 1 and 16. Next to each the same statements, as they were recorded, run one after the
 * other on a connection of the driver itself: what is left to be gained without other SQL.
 *
 *   npm run build && node bench/store.ts                      # 10 k runs, three dialects
 *   RUNS=100000 DIALECTS=sqlite SECONDS=1 node bench/store.ts
 *
 * Needs PostgreSQL and MariaDB as for the tests.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONNECTION, fill, type Place, places } from './support/databases.ts';
import { type Measured, raw } from './support/statements.ts';

type Opening = typeof import('../src/store/open.js');
type Uris = typeof import('../src/uri.js');

const built = (path: string) => import(new URL(`../dist/src/${path}`, import.meta.url).href);
const { openStore } = (await built('store/open.js')) as Opening;
const { parseStoreUri } = (await built('uri.js')) as Uris;

const RUNS = Number(process.env.RUNS ?? 10_000);
const SECONDS = Number(process.env.SECONDS ?? 1);
const ONLY = process.env.ONLY ? new RegExp(process.env.ONLY) : /./;
const FOLDER = mkdtempSync(join(tmpdir(), 'mtrack-bench-'));

/** Whose statements cannot be run a second time as they are. */
const REPEATED = /^(?:create-run|log-param)/;

async function measure(work: () => Promise<unknown>, concurrency: number): Promise<Measured> {
  for (let at = 0; at < 3; at++) await work();
  const began = performance.now();
  const cpu = process.cpuUsage();
  let done = 0;
  const until = began + SECONDS * 1000;
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (performance.now() < until) {
        await work();
        done += 1;
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: done / seconds, cpu: (user + system) / 1000 / done };
}

const many = <Item>(count: number, item: (at: number) => Item) => Array.from({ length: count }, (_, at) => item(at));

async function bench(name: string, place: Place): Promise<void> {
  place.make();
  console.log(
    `${name.padEnd(11)}  ${'one at a time'.padStart(40)}  ${'sixteen'.padStart(20)}  ${'its statements alone'.padStart(20)}`,
  );
  const store = await openStore(parseStoreUri(place.uri), { connection: CONNECTION, artifactRoot: FOLDER, init: true });
  try {
    await fill(place.uri, place, RUNS);
    const { info } = await store.runs.create({ experiment_id: '0', tags: [], run_name: 'x', start_time: 1 });
    const id = info.run_id;
    for (let at = 0; at < 10; at++) {
      await store.runs.logBatch(id, {
        metrics: many(1000, (n) => ({ key: 'history', value: n, timestamp: at * 1000 + n, step: at * 1000 + n })),
        params: [],
        tags: [],
      });
    }
    for (const at of many(50, (n) => n))
      await store.experiments.create({ name: `e${at}`, tags: [{ key: 'a', value: 'b' }] });
    let n = 0;
    const batch = () => ({
      metrics: many(100, (at) => ({ key: `metric${at}`, value: at + n, timestamp: Date.now(), step: n++ })),
      params: many(20, (at) => ({ key: `param${at}`, value: 'value' })),
      tags: many(20, (at) => ({ key: `tag${at}`, value: `value ${n}` })),
    });
    const ids = many(64, () => store.runs.create({ experiment_id: '0', tags: [], run_name: 'x', start_time: 1 }));
    const targets = (await Promise.all(ids)).map((run) => run.info.run_id);
    const target = () => targets[n++ % targets.length] as string;
    const question = { experiment_ids: ['0'], max_results: 100 };
    const works: Readonly<Record<string, () => Promise<unknown>>> = {
      'log-batch': () => store.runs.logBatch(target(), batch()),
      'log-metric': () => store.runs.logMetric(target(), { key: 'm', value: n++, timestamp: n, step: n }),
      'log-param': () => store.runs.logParam(target(), { key: `p${n++}`, value: 'v' }),
      'set-tag': () => store.runs.setTag(target(), { key: `t${n++ % 10}`, value: 'v' }),
      'create-run': () => store.runs.create({ experiment_id: '0', tags: [{ key: 'a', value: 'b' }], start_time: 1 }),
      'update-run': () => store.runs.update(target(), { status: 'FINISHED', end_time: n++ }),
      'get-run': () => store.runs.get('42'.padStart(32, '0')),
      'get-run, big': () => store.runs.get(targets[0] as string),
      'search: latest 100': () => store.runs.search(question),
      'search: filter, order': () =>
        store.runs.search({
          ...question,
          filter: "params.p1 = 'v7' AND metrics.m0 > 0.5",
          order_by: ['metrics.m1 DESC'],
        }),
      'search: metric order': () => store.runs.search({ ...question, order_by: ['metrics.m1 DESC'] }),
      'search: rare param': () => store.runs.search({ ...question, filter: "params.p3 = 'v777'" }),
      'search: tag like': () => store.runs.search({ ...question, filter: "tags.t2 LIKE 'v12%'" }),
      'history of 10 k': () => store.metrics.history(id, 'history'),
      'history, a page': () => store.metrics.history(id, 'history', { max_results: 1000 }),
      'sampled history': () => store.metrics.historyInterval([id], 'history', 320),
      'search-experiments': () => store.experiments.search({}),
      'get-experiment': () => store.experiments.get('0'),
    };
    for (const [what, work] of Object.entries(works)) {
      if (!ONLY.test(what)) continue;
      const one = await measure(work, 1);
      const sixteen = await measure(work, 16);
      const alone = REPEATED.test(what)
        ? null
        : await raw(name, place.uri, work, /^log-/.test(what), (alone) => measure(alone, 1));
      console.log(
        [
          name.padEnd(11),
          what.padEnd(22),
          `${one.perSecond.toFixed(0).padStart(7)}/s ${one.cpu.toFixed(2).padStart(7)} ms`,
          `${sixteen.perSecond.toFixed(0).padStart(7)}/s ${sixteen.cpu.toFixed(2).padStart(7)} ms`,
          alone ? `${alone.perSecond.toFixed(0).padStart(7)}/s ${alone.cpu.toFixed(2).padStart(7)} ms` : '',
        ].join('  '),
      );
    }
  } finally {
    await store.close();
    place.drop();
  }
}

try {
  for (const [name, place] of Object.entries(places(FOLDER, 'store'))) {
    if (!(process.env.DIALECTS ?? name).split(',').includes(name)) continue;
    await bench(name, place);
  }
} finally {
  rmSync(FOLDER, { recursive: true, force: true });
}
