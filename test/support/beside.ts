/** Two of us and a process of MLflow that work on one store at the same time. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'vitest';
import type { Store } from '../../src/store/store.js';
import { PYTHON } from './mlflow.js';
import type { Call, Oracle } from './oracle.js';

/** How long they work, in seconds. */
export const SECONDS = process.env.MTRACK_TESTS === 'all' ? 60 : 6;

export interface Done {
  /** How often each shared run was written to. */
  readonly points: Record<string, number>;
  readonly params: Record<string, string[]>;
  readonly tags: Record<string, string>;
  readonly runs: string[];
  readonly traces: string[];
  readonly models: string[];
  readonly experiments: string[];
}

/** MLflow's side of it: see beside.py. */
export class Beside implements AsyncDisposable {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  #errors = '';

  /** @param root of files, or the URI of a database */
  constructor(root: string) {
    this.#process = spawn(PYTHON, [join(import.meta.dirname, 'beside.py'), root], {
      env: { ...process.env, PYTHONWARNINGS: 'ignore', PYTHONDONTWRITEBYTECODE: '1' },
    });
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-4000);
    });
    this.#answers = createInterface(this.#process.stdout)[Symbol.asyncIterator]();
  }

  async answer(): Promise<{ ready?: true; done?: Done; error?: string }> {
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`MLflow's process ended:\n${this.#errors}`);
    return JSON.parse(value) as { ready?: true; done?: Done; error?: string };
  }

  say(line: object): void {
    this.#process.stdin.write(`${JSON.stringify(line)}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }
}

const pair = (key: string, value: string) => ({ key, value });
const point = (key: string, at: number) => ({ key, value: at, timestamp: at, step: at });
const source = { source_type: 'HUMAN', source_id: 'us' };

/** Our side of it, as beside.py is theirs. */
export async function work(store: Store, shared: readonly string[], name: string, until: () => boolean): Promise<Done> {
  const done: Done = { points: {}, params: {}, tags: {}, runs: [], traces: [], models: [], experiments: [] };
  for (let at = 0; !until(); at++) {
    for (const run of shared) {
      await store.runs.logMetric(run, point('both', at));
      await store.runs.logBatch(run, { metrics: [point(name, at)], params: [], tags: [pair(name, String(at))] });
      done.points[run] = at + 1;
      done.tags[run] = String(at);
      await store.runs.logParam(run, pair('same', 'value'));
      if (at < 40) {
        await store.runs.logParam(run, pair(`${name}_${at}`, String(at)));
        done.params[run] = [...(done.params[run] ?? []), `${name}_${at}`];
      }
    }
    const { info } = await store.runs.create({ experiment_id: '0', tags: [pair('by', name)], run_name: `run ${at}` });
    const made = info.run_id;
    const batch = { metrics: [point('m', 1)], params: [pair('p', 'v')], tags: [pair('t', 'v')] };
    await store.runs.logBatch(made, batch);
    const dataset = { name: `d${at % 3}`, digest: '1', source_type: 'local', source: 's' };
    await store.runs.logInputs(made, [{ dataset, tags: [pair('k', 'v')] }], [{ model_id: `m-${at}` }]);
    await store.runs.logOutputs(made, [{ model_id: `m-${at}`, step: at }]);
    await store.runs.update(made, { status: 'FINISHED', end_time: at + 1, run_name: `renamed ${at}` });
    done.runs.push(made);
    if (at % 4 === 0) {
      const experiment = await store.experiments.create({ name: `${name} ${at} ${made}`, tags: [pair('k', 'v')] });
      await store.experiments.rename(experiment, `renamed ${name} ${at} ${made}`);
      await store.runs.create({ experiment_id: experiment, tags: [] });
      await store.experiments.delete(experiment);
      await store.experiments.restore(experiment);
      done.experiments.push(experiment);
      const model = await store.loggedModels.create({ experiment_id: '0', name, params: [pair('a', 'b')], tags: [] });
      done.models.push(model.info.model_id);
      const trace_id = `tr-${name}-${at}-${made}`;
      const rest = { request_time: at, state: 'OK', trace_metadata: { a: 'b' }, tags: {}, assessments: [] } as const;
      await store.traces.start({ trace_id, experiment_id: '0', ...rest });
      await store.traces.createAssessment({ trace_id, assessment_name: 'good', source, feedback: { value: 1 } });
      done.traces.push(trace_id);
    }
    for (const run of shared) {
      await expectSame(store, run);
      await store.metrics.history(run, 'both');
    }
    const question = { experiment_ids: ['0'], filter: 'metrics.both > 1', order_by: ['metrics.both DESC'] };
    await store.runs.search({ ...question, max_results: 50, run_view_type: 'ALL' });
    await store.experiments.search({ view_type: 'ALL' });
    await store.traces.search({ experiment_ids: ['0'] });
    await store.loggedModels.search({ experiment_ids: ['0'] });
  }
  return done;
}

/** MLflow empties the file before it writes the same to it, and may have to wait between the two. */
async function expectSame(store: Store, run: string): Promise<void> {
  const read = async () => (await store.runs.get(run)).data.params.find(({ key }) => key === 'same')?.value;
  expect(['', 'value']).toContain(await read());
  await expect.poll(read, { timeout: 10_000 }).toBe('value');
}

/** Every write that was acknowledged is there, read by stores of ours, and by MLflow. */
export async function nothingIsLost(
  [first, ...others]: readonly [Store, ...Store[]],
  oracle: Oracle,
  root: string,
  shared: readonly string[],
  all: readonly Done[],
  /** Whether a point that is logged twice is there twice. */
  { keepsAll }: { readonly keepsAll: boolean },
): Promise<void> {
  const runs = all.flatMap((done) => done.runs);
  const models = all.flatMap((done) => done.models);
  const traces = all.flatMap((done) => done.traces);
  const calls: Call[] = [
    ...shared.map((id): Call => ['runs.get', [id]]),
    ...shared.map((id): Call => ['metrics.history', [id, 'both']]),
    ...runs.map((id): Call => ['runs.get', [id]]),
    ...models.map((id): Call => ['loggedModels.get', [id]]),
    ...all.flatMap((done) => done.experiments).map((id): Call => ['experiments.get', [id]]),
    ...traces.map((id): Call => ['traces.getInfo', [id]]),
    ['runs.search', [{ experiment_ids: ['0'], max_results: 50_000 }]],
  ];
  const told = await oracle.script(root, root, Date.now(), calls);
  expect(told.filter((answer) => 'error' in answer)).toEqual([]);
  const names = ['ours', 'others', 'theirs'];
  for (const [at, id] of shared.entries()) {
    for (const store of [first, ...others]) {
      const { data } = await store.runs.get(id);
      const params = all.flatMap((done) => done.params[id] ?? []);
      expect(data.params.map(({ key }) => key).sort()).toEqual(['same', ...params].sort());
      for (const [which, done] of all.entries()) {
        expect(data.tags).toContainEqual(pair(names[which] ?? '', done.tags[id] ?? ''));
        const { items } = await store.metrics.history(id, names[which] ?? '');
        expect(items.map(({ value }) => value)).toEqual(Array.from({ length: done.points[id] ?? 0 }, (_, n) => n));
      }
      const { items } = await store.metrics.history(id, 'both');
      const counts = all.map((done) => done.points[id] ?? 0);
      expect(items).toHaveLength(keepsAll ? counts.reduce((sum, count) => sum + count) : Math.max(...counts));
      const theirs = told[shared.length + at] as { result: { items: { value: number }[] } };
      expect(theirs.result.items.map(({ value }) => value)).toEqual(items.map(({ value }) => value));
    }
  }
  const found = await first.runs.search({ experiment_ids: ['0'], max_results: 50_000 });
  expect(found.items.map(({ info }) => info.run_id).sort()).toEqual([...runs, ...shared].sort());
  const theirs = told.at(-1) as { result: { items: { info: { run_id: string } }[] } };
  expect(theirs.result.items.map(({ info }) => info.run_id)).toEqual(found.items.map(({ info }) => info.run_id));
  for (const run of found.items.filter(({ info }) => runs.includes(info.run_id))) {
    expect(run).toMatchObject({ info: { status: 'FINISHED', run_name: expect.stringContaining('renamed') } });
    expect([run.data.metrics.length, run.data.params.length, run.inputs.dataset_inputs.length]).toEqual([1, 1, 1]);
    expect(run.outputs.model_outputs).toHaveLength(1);
  }
  for (const id of models) expect((await first.loggedModels.get(id)).info.model_id).toBe(id);
  for (const id of traces) expect((await first.traces.getInfo(id)).trace_id).toBe(id);
  for (const id of all.flatMap((done) => done.experiments)) {
    expect(await first.experiments.get(id)).toMatchObject({
      lifecycle_stage: 'active',
      name: expect.stringContaining('renamed'),
    });
    expect((await first.runs.search({ experiment_ids: [id] })).items).toHaveLength(1);
  }
}
