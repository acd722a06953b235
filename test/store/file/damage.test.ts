/**
 * Files that are empty, cut off, garbage, not UTF-8 or not what they should be: one record is refused with the path, a listing
 * goes on without what is damaged and says so, and a file that is being written is waited for.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StoreError } from '../../../src/store/errors.js';
import { type Fault, openFileStore } from '../../../src/store/file/index.js';
import {
  type Damage,
  datasetsIn,
  disk,
  experimentsIn,
  filesBelow,
  modelsIn,
  readExperimentTags,
  readHistory,
  readInputs,
  readModelHistory,
  readOutputs,
  readValues,
  runsIn,
  strictly,
  traceInfo,
  tracesIn,
} from '../../../src/store/file/reader.js';
import type { Store } from '../../../src/store/store.js';

let folder: string;
let root: string;
let faults: Fault[];
let store: Store;
/** Paths from the root of what is in the store twice: one is damaged, the other one stays. */
let ids: { run: string; other: string; model: string; trace: string; experiment: string };

const pair = (key: string, value: string) => ({ key, value });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mtrack-test-'));
  root = join(folder, 'mlruns');
  faults = [];
  store = await openFileStore(root, { warn: (fault) => faults.push(fault) });
  const experiment = await store.experiments.create({ name: 'one', tags: [pair('t', 'x')] });
  const [run, other] = [await newRun(), await newRun()];
  const model = await newModel();
  await newModel();
  const trace = await newTrace('tr-1');
  await newTrace('tr-2');
  await store.runs.logInputs(run, [dataset], []);
  await store.runs.logOutputs(run, [{ model_id: model, step: 1 }]);
  await store.runs.logBatch(run, {
    metrics: [point('m', 1), point('m', 2), point('n', 3)],
    params: [pair('p', 'v')],
    tags: [pair('t', 'x')],
  });
  await store.runs.logMetric(run, { ...point('of a model', 1), model_id: model });
  await store.traces.createAssessment({
    trace_id: trace,
    assessment_name: 'good',
    source: { source_type: 'HUMAN', source_id: 'me' },
    feedback: { value: true },
  });
  ids = { run, other, model, trace, experiment };
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const point = (key: string, value: number) => ({ key, value, timestamp: 1, step: value });
const dataset = { tags: [], dataset: { name: 'd', digest: '1', source_type: 'local', source: 's' } };

async function newRun(): Promise<string> {
  return (await store.runs.create({ experiment_id: '0', tags: [], run_name: 'run' })).info.run_id;
}
async function newModel(): Promise<string> {
  return (await store.loggedModels.create({ experiment_id: '0', name: 'model', params: [], tags: [] })).info.model_id;
}
async function newTrace(trace_id: string): Promise<string> {
  const rest = { request_time: 1, state: 'OK', trace_metadata: {}, tags: { t: 'x' }, assessments: [] } as const;
  return (await store.traces.start({ trace_id, experiment_id: '0', ...rest })).trace_id;
}

const DAMAGES: Readonly<Record<string, (text: string) => string | Buffer>> = {
  empty: () => '',
  'cut off': (text) => text.slice(0, text.length / 3),
  garbage: () => 'a: [b, {c: d\n\x00\x01',
  'not UTF-8': () => Buffer.from([0x61, 0xff, 0xfe, 0x3a, 0x20, 0x80, 0x0a]),
  'another thing': () => '- a\n- b\n',
};

/** Long ago: nobody is at it any more. */
function damage(path: string, content: string | Buffer): void {
  writeFileSync(path, content);
  utimesSync(path, 1000, 1000);
}

async function refusal(call: () => Promise<unknown>): Promise<StoreError> {
  try {
    await call();
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

interface Target {
  path(): string;
  get(): Promise<unknown>;
  /** How many are listed. */
  list(): Promise<number>;
  readonly listed: readonly [before: number, after: number];
  /** Where what is damaged is a value like any other. */
  readonly unless?: readonly string[];
}

const listRuns = async () => (await store.runs.search({ experiment_ids: ['0'] })).items.length;
const getRun = () => store.runs.get(ids.run);
const only = (place: string) => {
  const [name = ''] = filesBelow(place);
  return join(place, name);
};

const TARGETS: Readonly<Record<string, Target>> = {
  'an experiment': {
    path: () => join(root, ids.experiment, 'meta.yaml'),
    get: () => store.experiments.get(ids.experiment),
    list: async () => (await store.experiments.search({})).items.length,
    listed: [2, 1],
  },
  'a run': { path: () => join(root, '0', ids.run, 'meta.yaml'), get: getRun, list: listRuns, listed: [2, 1] },
  'a metric': {
    path: () => join(root, '0', ids.run, 'metrics/m'),
    get: getRun,
    list: listRuns,
    listed: [2, 2],
    // What is left of a line can be a point.
    unless: ['cut off'],
  },
  'a param': {
    path: () => join(root, '0', ids.run, 'params/p'),
    get: getRun,
    list: listRuns,
    listed: [2, 2],
    unless: ['empty', 'cut off', 'garbage', 'another thing'],
  },
  'a tag': {
    path: () => join(root, '0', ids.run, 'tags/t'),
    get: getRun,
    list: listRuns,
    listed: [2, 2],
    unless: ['empty', 'cut off', 'garbage', 'another thing'],
  },
  'an input': { path: () => only(join(root, '0', ids.run, 'inputs')), get: getRun, list: listRuns, listed: [2, 2] },
  'an output': { path: () => only(join(root, '0', ids.run, 'outputs')), get: getRun, list: listRuns, listed: [2, 2] },
  'a dataset': { path: () => only(join(root, '0/datasets')), get: getRun, list: listRuns, listed: [2, 2] },
  'a logged model': {
    path: () => join(root, '0/models', ids.model, 'meta.yaml'),
    get: () => store.loggedModels.get(ids.model),
    list: async () => (await store.loggedModels.search({ experiment_ids: ['0'] })).items.length,
    listed: [2, 1],
  },
  'a metric of a logged model': {
    path: () => only(join(root, '0/models', ids.model, 'metrics')),
    get: () => store.loggedModels.get(ids.model),
    list: async () => (await store.loggedModels.search({ experiment_ids: ['0'] })).items.length,
    listed: [2, 2],
    unless: ['cut off'],
  },
  'a trace': {
    path: () => join(root, '0/traces', ids.trace, 'trace_info.yaml'),
    get: () => store.traces.getInfo(ids.trace),
    list: async () => (await store.traces.search({ experiment_ids: ['0'] })).items.length,
    listed: [2, 1],
  },
  'an assessment': {
    path: () => only(join(root, '0/traces', ids.trace, 'assessments')),
    get: () => store.traces.getInfo(ids.trace),
    list: async () => (await store.traces.search({ experiment_ids: ['0'] })).items.length,
    listed: [2, 2],
  },
};

/** Every fault that a reader of all that there is tells of. */
function faultsOfReader(): Fault[] {
  const found: Fault[] = [];
  const report = ({ fault }: Damage) => found.push(fault);
  for (const experiment of experimentsIn(disk, root, report)) {
    readExperimentTags(disk, experiment.folder, report);
    for (const run of runsIn(disk, experiment.folder, report)) {
      for (const kind of ['params', 'tags']) readValues(disk, join(run.folder, kind), report);
      const metrics = join(run.folder, 'metrics');
      for (const key of filesBelow(metrics)) orFault(found, () => readHistory(join(metrics, key), report));
      readInputs(disk, run.folder, report);
      readOutputs(disk, run.folder, report);
    }
    for (const model of modelsIn(disk, experiment.folder, report)) {
      const metrics = join(model.folder, 'metrics');
      for (const key of filesBelow(metrics)) orFault(found, () => readModelHistory(join(metrics, key), report));
    }
    for (const trace of tracesIn(disk, experiment.folder, report)) traceInfo(disk, trace, report);
    for (const _ of datasetsIn(disk, experiment.folder, report));
  }
  return found;
}

function orFault(found: Fault[], read: () => unknown): void {
  try {
    read();
  } catch (error) {
    found.push((error as Damage).fault);
  }
}

describe.each(Object.entries(TARGETS))('%s', (_, { path, get, list, listed, unless = [] }) => {
  const damages = Object.entries(DAMAGES).filter(([name]) => !unless.includes(name));
  test.each(damages)('that is %s', async (_name, content) => {
    const file = path();
    const [before, after] = listed;
    expect(await list()).toBe(before);
    await get();
    const whole = readFileSync(file, 'utf8');
    damage(file, content(whole));
    const { code, message } = await refusal(get);
    expect(code).toBe('INTERNAL_ERROR');
    expect(message).toContain(file);
    expect(await list()).toBe(after);
    expect(faults.map((fault) => fault.path)).toContain(file);
    // Once is enough.
    const told = faults.length;
    expect(await list()).toBe(after);
    expect(faults).toHaveLength(told);
    expect(faultsOfReader().map((fault) => fault.path)).toContain(file);
    // And all is well when it is mended.
    damage(file, whole);
    await get();
    expect(await list()).toBe(before);
    expect(faultsOfReader()).toEqual([]);
  });

  test('that is a folder', async () => {
    const file = path();
    rmSync(file);
    mkdirSync(file);
    const [before] = listed;
    expect(await list()).toBeLessThanOrEqual(before);
  });
});

describe('a metric', () => {
  const lines = (...all: readonly string[]) => all.map((line) => `${line}\n`).join('');
  test('with lines that cannot be read is told by line, and listed with the others', async () => {
    const file = join(root, '0', ids.run, 'metrics/m');
    damage(file, lines('1 0.5 1', 'x 0.5 2', '3 0.25 3', '', '5 0.5'));
    const { message } = await refusal(getRun);
    expect(message).toBe(`${file}, line 2, holds "x" where the time of a point should be`);
    const { items } = await store.runs.search({ experiment_ids: ['0'], filter: 'metrics.m = 0.25' });
    expect(items.map(({ info }) => info.run_id)).toEqual([ids.run]);
    expect(items[0]?.data.metrics.find(({ key }) => key === 'm')).toMatchObject({ value: 0.25, step: 3 });
    expect(faults).toEqual([
      { path: file, line: 2, reason: 'holds "x" where the time of a point should be' },
      { path: file, line: 4, reason: 'is blank, where a point of a metric should be' },
    ]);
    expect(faultsOfReader()).toEqual(faults);
    expect(() => readHistory(file, strictly)).toThrow(`${file}, line 2`);
  });

  test('whose last line was cut off is not spoilt by the next point', async () => {
    const file = join(root, '0', ids.run, 'metrics/m');
    damage(file, '1 0.5 1\n2 0.75');
    await store.runs.logMetric(ids.run, point('m', 7));
    expect(readFileSync(file, 'utf8')).toBe('1 0.5 1\n2 0.75\n1 7.0 7\n');
    const { items } = await store.metrics.history(ids.run, 'm');
    expect(items.map(({ value }) => value)).toEqual([0.5, 0.75, 7]);
  });
});

describe('names', () => {
  test('that no key can have are told of', async () => {
    const file = join(root, '0', ids.run, 'tags/what?');
    damage(file, 'x');
    expect((await refusal(getRun)).message).toContain(file);
    expect(await listRuns()).toBe(2);
    expect(faults.map(({ path }) => path)).toEqual([file]);
  });

  test('of folders that are no records are left out without a word', async () => {
    mkdirSync(join(root, '0/some artifacts/more'), { recursive: true });
    mkdirSync(join(root, '0/traces/none'));
    mkdirSync(join(root, '0/models/none'));
    expect(await listRuns()).toBe(2);
    expect((await store.traces.search({ experiment_ids: ['0'] })).items).toHaveLength(2);
    expect((await store.loggedModels.search({ experiment_ids: ['0'] })).items).toHaveLength(2);
    expect(faults).toEqual([]);
  });

  test('of experiments without a meta.yaml are told of', async () => {
    mkdirSync(join(root, '777'));
    mkdirSync(join(root, 'not an experiment'));
    expect((await store.experiments.search({})).items).toHaveLength(2);
    expect(faults.map(({ path, reason }) => [path, reason])).toEqual([
      [join(root, '777/meta.yaml'), 'is missing'],
      [join(root, 'not an experiment/meta.yaml'), 'is missing'],
    ]);
    expect((await refusal(() => store.experiments.get('777'))).message).toContain(join(root, '777/meta.yaml'));
  });

  test('of a run that belongs elsewhere are told of', async () => {
    const file = join(root, '0', ids.run, 'meta.yaml');
    damage(file, readFileSync(file, 'utf8').replace(`run_id: ${ids.run}`, `run_id: ${ids.other}`));
    expect(await listRuns()).toBe(1);
    expect(faults).toEqual([{ path: file, reason: `belongs to run ${ids.other}` }]);
  });
});

describe('a file that is being written', () => {
  test.each(['a run', 'a metric', 'a param', 'a trace', 'an assessment'] as const)(
    'is waited for: %s',
    async (name) => {
      const { path, get, list, listed } = TARGETS[name] as Target;
      const file = path();
      const whole = readFileSync(file, 'utf8');
      const before = JSON.stringify(await get());
      for (const read of [get, list]) {
        writeFileSync(file, '');
        const reading = read();
        await new Promise((done) => setTimeout(done, 20));
        writeFileSync(file, whole);
        expect(read === get ? JSON.stringify(await reading) : await reading).toEqual(read === get ? before : listed[0]);
      }
      expect(faults).toEqual([]);
    },
  );

  test('is not waited for forever', async () => {
    writeFileSync(join(root, '0', ids.run, 'meta.yaml'), '');
    expect((await refusal(getRun)).message).toMatch(/meta\.yaml is empty$/);
    expect(await listRuns()).toBe(1);
    expect(faults).toHaveLength(1);
  });
});
