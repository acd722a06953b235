/**
 * What `mtrack db plan --probe` says a step takes, next to what it took: on a database of MLflow's first schema, brought to
 * the head. The steps that took a second, or are said to, with the ratio of the two.
 *
 *   npm run bench:plan                                        # three dialects, 2 M metrics
 *   ROWS=400000 SAMPLE=20000 DIALECTS=sqlite npm run bench:plan
 *
 * Needs PostgreSQL and MariaDB as for the tests, their clients and sqlite3.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONNECTION } from './support/databases.ts';
import { firstSchemas, type Peer } from './support/first-schema.ts';

const built = (path: string) => import(new URL(`../dist/src/${path}`, import.meta.url).href);
const { parseStoreUri } = (await built('uri.js')) as typeof import('../src/uri.js');
const { openDatabase } = (await built('dialect/index.js')) as typeof import('../src/dialect/index.js');
const { assess } = (await built('upgrade/assess.js')) as typeof import('../src/upgrade/assess.js');
const { blockedTables } = (await built('upgrade/blocked.js')) as typeof import('../src/upgrade/blocked.js');
const { StepClock } = (await built('upgrade/clock.js')) as typeof import('../src/upgrade/clock.js');
const { costsOf, stepsOf } = (await built('upgrade/cost.js')) as typeof import('../src/upgrade/cost.js');
const { execute } = (await built('upgrade/execute.js')) as typeof import('../src/upgrade/execute.js');
const { HEAD } = (await built('schema/lineage.js')) as typeof import('../src/schema/lineage.js');
const { trialsOf } = (await built('probe/trial.js')) as typeof import('../src/probe/trial.js');
const { scaled } = (await built('probe/scale.js')) as typeof import('../src/probe/scale.js');

const POINTS = Number(process.env.ROWS ?? 2_000_000);
const SAMPLE = Number(process.env.SAMPLE ?? 200_000);
const FOLDER = mkdtempSync(join(tmpdir(), 'mtrack-bench-'));
const PATIENCE = 60_000;

async function opened(peer: Peer) {
  const uri = parseStoreUri(peer.uri);
  if (uri.kind !== 'database') throw new Error(`${peer.uri} is no database`);
  const database = await openDatabase(uri, CONNECTION);
  const reader = await database.reader(PATIENCE);
  const assessment = await assess(database, HEAD, reader).finally(() => reader.close());
  if (!assessment) throw new Error('there is nothing to upgrade');
  return { database, assessment };
}

/** Said and taken, in seconds; how long it was not known. */
function line(name: string, said: number | null, taken: number): string | null {
  if (said !== null && said < 1 && taken < 1) return null;
  const ratio = said === null ? 'not known' : (said / taken).toFixed(2);
  return `| ${[name, said?.toFixed(1) ?? '', taken.toFixed(1), ratio].join(' | ')} |`;
}

async function compare(peer: Peer): Promise<void> {
  peer.prepare();
  peer.reset();
  const { database, assessment } = await opened(peer);
  const signal = new AbortController().signal;
  const began = performance.now();
  const tried = await trialsOf(database, assessment, {
    signal,
    patience: PATIENCE,
    sampleRows: SAMPLE,
    onProgress: () => undefined,
  });
  const probing = (performance.now() - began) / 1000;
  const { plan, stats } = assessment;
  const costed = { plan, stats, measured: scaled(plan, tried.whole, tried.trials) };
  const costs = costsOf(costed);
  const clock = new StepClock();
  const options = { lockTimeout: PATIENCE, patience: PATIENCE, signal, onProgress: clock.tell };
  const { seconds } = await execute(database, plan, options);
  peer.drop();

  const taken = new Map(clock.steps.map((each) => [`${each.step.at} ${each.step.title}`, each.seconds]));
  const all = clock.steps.reduce((sum, each) => sum + each.seconds, 0);
  const steps = stepsOf(plan).map((step) => {
    const name = `${step.at} ${step.title}`;
    return line(name, costs.of(step).time.seconds, taken.get(name) ?? 0);
  });
  const blocked = blockedTables(costed, database.dialect)[0];
  console.log(
    [
      `\n${peer.name}: ${POINTS.toLocaleString('en')} metrics, probed in ${probing.toFixed(0)} s`,
      '',
      '| step | said | taken | ratio |',
      '| --- | --- | --- | --- |',
      ...steps.filter((each) => each !== null),
      line('the rest', costs.rest.seconds, seconds - all) ?? '',
      line(
        'all',
        stepsOf(plan).reduce((sum, step) => sum + (costs.of(step).time.seconds ?? 0), costs.rest.seconds ?? 0),
        seconds,
      ) ?? '',
      `longest: ${blocked?.table ?? 'all of the database'}, writers ${blocked?.writes.seconds?.toFixed(1)} s`,
    ].join('\n'),
  );
  if (process.env.RAW) {
    const raw = tried.trials.map((trial) => ({ rows: [...trial.rows], steps: [...trial.steps], rest: trial.rest }));
    writeFileSync(
      `${process.env.RAW}-${peer.name}.json`,
      JSON.stringify({
        rows: [...tried.whole.rows],
        bytes: [...tried.whole.bytes],
        memory: tried.whole.memory,
        trials: raw,
        taken: [...taken],
        rest: seconds - all,
      }),
    );
  }
}

const peers = firstSchemas(POINTS, FOLDER);
try {
  for (const name of (process.env.DIALECTS ?? Object.keys(peers).join(',')).split(',')) {
    const peer = peers[name];
    if (peer) await compare(peer);
  }
} finally {
  rmSync(FOLDER, { recursive: true, force: true });
}
