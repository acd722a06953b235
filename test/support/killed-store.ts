/** A process that writes to a store until it is killed, and what has to be there then. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { expect } from 'vitest';
import type { Store } from '../../src/store/store.js';

/** How often it is killed. */
export const TIMES = process.env.MTRACK_TESTS === 'all' ? 50 : 6;

/** Many things at a time; each is told when its promise resolves. @param opening code that makes `store` of `root` */
const writer = (opening: string) => `
import { writeSync } from 'node:fs';
const [root, shared, name] = process.argv.slice(1);
${opening}
// It waits where nobody reads: process.stdout would keep what was told in this process, and die with it.
const tell = (what, value) => writeSync(1, JSON.stringify([what, value]) + '\\n');
const pair = (key, value) => ({ key, value });
async function loop(work) { for (let at = 0; ; at++) await work(at); }
tell('ready');
await Promise.all([
  loop(async (at) => {
    await store.runs.logMetric(shared, { key: name, value: at, timestamp: at, step: at });
    tell('point', at);
  }),
  loop(async (at) => {
    await store.runs.logBatch(shared, {
      metrics: Array.from({ length: 20 }, (_, n) => ({ key: name + '_batch', value: n, timestamp: at, step: at * 20 + n })),
      params: [pair(name + '_' + at, 'v'.repeat(100))], tags: [pair(name, String(at))] });
    tell('batch', at);
  }),
  loop(async (at) => {
    const { info } = await store.runs.create({ experiment_id: '0', tags: [pair('n', String(at))], run_name: name });
    tell('run', info.run_id);
    await store.runs.update(info.run_id, { status: 'FINISHED', end_time: 7 });
    tell('finished', info.run_id);
  }),
  loop(async (at) => {
    const id = await store.experiments.create({ name: name + ' ' + at, tags: [] });
    tell('experiment', id);
    await store.experiments.rename(id, name + ' renamed ' + at);
    tell('renamed', id);
    const trace = { trace_id: 'tr-' + name + '-' + at, experiment_id: id, request_time: at, state: 'OK' };
    await store.traces.start({ ...trace, trace_metadata: {}, tags: { a: 'b' }, assessments: [] });
    tell('trace', trace.trace_id);
  }),
]);
`;

export type Told = readonly [what: string, value: string | number];

/** Lets it work for some time, and kills it. @returns what it has told */
export async function killed(
  opening: string,
  root: string,
  shared: string,
  name: string,
  afterMs: number,
): Promise<Told[]> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', writer(opening), '--', root, shared, name]);
  let errors = '';
  child.stderr.on('data', (text: Buffer) => {
    errors += text.toString();
  });
  const told: Told[] = [];
  for await (const line of createInterface(child.stdout)) {
    const each = JSON.parse(line) as Told;
    if (each[0] === 'ready') setTimeout(() => child.kill('SIGKILL'), afterMs);
    told.push(each);
  }
  expect(errors).toBe('');
  return told;
}

const all = <Value>(told: readonly Told[], what: string) =>
  told.filter(([each]) => each === what).map(([, value]) => value as Value);

/** All that was told, and of what was not told yet the whole or nothing. */
export async function isThere(store: Store, shared: string, name: string, told: readonly Told[]): Promise<void> {
  const { data } = await store.runs.get(shared);
  const values = async (key: string) => (await store.metrics.history(shared, key)).items.map(({ step }) => step);
  const points = all<number>(told, 'point').length;
  // One more may have been written, and not acknowledged any more.
  expect([points, points + 1]).toContain((await values(name)).length);
  expect(await values(name)).toEqual(Array.from(await values(name), (_, at) => at));
  const batches = all<number>(told, 'batch').length;
  const steps = await values(`${name}_batch`);
  expect([batches * 20, (batches + 1) * 20]).toContain(steps.length);
  expect(steps).toEqual(Array.from(steps, (_, at) => at));
  for (let at = 0; at < batches; at++) {
    expect(data.params).toContainEqual({ key: `${name}_${at}`, value: 'v'.repeat(100) });
  }
  if (batches > 0) {
    const tag = Number(data.tags.find(({ key }) => key === name)?.value);
    expect([batches - 1, batches]).toContain(tag);
  }
  for (const id of all<string>(told, 'run')) {
    const run = await store.runs.get(id);
    expect(run.data.tags.map(({ key }) => key).sort()).toEqual(['mlflow.runName', 'n']);
    if (all(told, 'finished').includes(id)) expect(run.info).toMatchObject({ status: 'FINISHED', end_time: 7 });
  }
  for (const id of all<string>(told, 'experiment')) {
    const experiment = await store.experiments.get(id);
    expect(experiment.name).toMatch(name);
    if (all(told, 'renamed').includes(id)) expect(experiment.name).toMatch(`${name} renamed`);
  }
  for (const id of all<string>(told, 'trace')) expect((await store.traces.getInfo(id)).tags.a).toBe('b');
}
