/**
 * The file store beside MLflow's own on the same folder, each within a process of its own and without a server: searches,
 * first by a process that has read nothing yet, then again, with the JSON of the answer; and what runs are made of, logged
 * and read. Prints milliseconds of wall and of CPU time, and ratios.
 *
 *   npm run bench:files                            # 1,600 runs, three rounds
 *   RUNS=100 ROUNDS=1 npm run bench:files          # a quick look
 *
 * The pages of the files are in the system's cache in all rounds. Needs MLflow as `npm test` installs it.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const PYTHON = join(process.env.MTRACK_LAB ?? join(homedir(), 'mtrack-lab'), 'mlflow-3.17.2', 'bin', 'python');
const RUNS = Number(process.env.RUNS ?? 1600);
const ROUNDS = Number(process.env.ROUNDS ?? 3);
/** How often what is short is done, to be told from the clock's own noise. */
const TIMES = 50;
const FOLDER = mkdtempSync(join(tmpdir(), 'mtrack-bench-'));
const STORE = join(FOLDER, 'mlruns');
const EXPERIMENT = '1';

/** Wall and CPU milliseconds of each time. */
type Times = Readonly<Record<string, { readonly wall: readonly number[]; readonly cpu: readonly number[] }>>;

const QUESTIONS = {
  'search: 1,000 of all runs': { filter: '', order_by: [], max_results: 1000 },
  'search: the last 100 runs': { filter: '', order_by: ['start_time DESC'], max_results: 100 },
  'search: filter and order': {
    filter: "metrics.loss < 0.5 AND params.optimizer = 'adam' AND tags.team LIKE 'r%'",
    order_by: ['metrics.accuracy DESC'],
    max_results: 100,
  },
};

const hex = (number: number) => number.toString(16).padStart(32, 'c');

/** A run has 12 metrics of 208 points together, 12 params and 8 tags: 32 files, and its meta.yaml. */
function makeRun(number: number): void {
  const id = hex(number);
  const folder = join(STORE, EXPERIMENT, id);
  for (const name of ['metrics', 'params', 'tags', 'artifacts']) mkdirSync(join(folder, name), { recursive: true });
  const start = 1_700_000_000_000 + number * 1000;
  const meta = {
    artifact_uri: `file://${STORE}/${EXPERIMENT}/${id}/artifacts`,
    end_time: start + 500,
    entry_point_name: "''",
    experiment_id: `'${EXPERIMENT}'`,
    lifecycle_stage: 'active',
    run_id: id,
    run_name: `run-${number}`,
    source_name: "''",
    source_type: 4,
    source_version: "''",
    start_time: start,
    status: 3,
    tags: '[]',
    user_id: 'bench',
  };
  writeFileSync(join(folder, 'meta.yaml'), lines(meta));
  for (let metric = 0; metric < 12; metric++) {
    const points = metric < 4 ? 50 : 1;
    const name = ['loss', 'accuracy'][metric] ?? `metric_${metric}`;
    const value = (step: number) => ((number * 7919 + metric * 104_729 + step) % 1000) / 1000;
    const text = Array.from({ length: points }, (_, step) => `${start + step} ${value(step)} ${step}\n`).join('');
    writeFileSync(join(folder, 'metrics', name), text);
  }
  for (let param = 0; param < 12; param++) {
    const [name, value] =
      param === 0 ? ['optimizer', number % 2 ? 'adam' : 'sgd'] : [`param_${param}`, `value ${number * param}`];
    writeFileSync(join(folder, 'params', name), value);
  }
  for (let tag = 0; tag < 8; tag++) {
    const [name, value] =
      [
        ['mlflow.runName', `run-${number}`],
        ['team', number % 3 ? 'red' : 'blue'],
      ][tag] ?? [];
    writeFileSync(join(folder, 'tags', name ?? `tag_${tag}`), value ?? 'something');
  }
}

const lines = (fields: object) =>
  Object.entries(fields)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('');

function makeStore(): void {
  mkdirSync(join(STORE, '.trash'), { recursive: true });
  for (const [id, name] of [
    ['0', 'Default'],
    [EXPERIMENT, 'bench'],
  ] as const) {
    mkdirSync(join(STORE, id));
    const fields = { artifact_location: `file://${STORE}/${id}`, creation_time: 1_700_000_000_000 };
    const rest = { experiment_id: `'${id}'`, last_update_time: 1_700_000_000_000, lifecycle_stage: 'active', name };
    writeFileSync(join(STORE, id, 'meta.yaml'), lines({ ...fields, ...rest }));
  }
  for (let number = 0; number < RUNS; number++) makeRun(number);
}

const MTRACK = `
import { openFileStore } from ${JSON.stringify(join(ROOT, 'dist/src/store/file/index.js'))};
const store = await openFileStore(process.argv[1]);
const times = {};
async function timed(name, work, count = 1) {
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  for (let at = 0; at < count; at++) await work(at);
  const used = process.cpuUsage(cpu);
  const time = (times[name] ??= { wall: [], cpu: [] });
  time.wall.push((performance.now() - began) / count);
  time.cpu.push((used.user + used.system) / 1000 / count);
}
const experiment_ids = ['${EXPERIMENT}'];
const first = process.argv[2];
const questions = ${JSON.stringify(QUESTIONS)};
const search = async (name) => JSON.stringify(await store.runs.search({ experiment_ids, ...questions[name] }));
if (first) await timed(first + ' (first)', () => search(first));
else {
  for (const name of Object.keys(questions)) {
    await search(name);
    for (let round = 0; round < ${ROUNDS}; round++) await timed(name, () => search(name));
  }
  const run = (await store.runs.create({ experiment_id: '0', tags: [], run_name: 'a' })).info.run_id;
  const point = (key, step) => ({ key, value: step / 7, timestamp: step, step });
  const pairs = (count, of) => Array.from({ length: count }, (_, at) => ({ key: of + at, value: 'v' }));
  await timed('create run', () => store.runs.create({ experiment_id: '0', tags: [], run_name: 'a' }), ${TIMES});
  await timed('log metric', (at) => store.runs.logMetric(run, point('one', at)), ${TIMES});
  await timed('log batch: 100 metrics, 20 params, 20 tags', (at) => store.runs.logBatch(run, {
    metrics: Array.from({ length: 100 }, (_, m) => point('m' + m, at)),
    params: pairs(20, 'p' + at + '_'), tags: pairs(20, 't') }), 10);
  await timed('get run', () => store.runs.get('${hex(1)}'), ${TIMES});
  for (let at = 0; at < 10; at++) await store.runs.logBatch(run, {
    metrics: Array.from({ length: 1000 }, (_, m) => point('long', at * 1000 + m)), params: [], tags: [] });
  await timed('history of 10,000 points', () => store.metrics.history(run, 'long'), 10);
}
await store.close();
console.log(JSON.stringify({ times, megabytes: process.memoryUsage().rss / 2 ** 20 }));
`;

const MLFLOW = `
import json, resource, sys, time
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.protos.service_pb2 import SearchRuns
from mlflow.store.tracking.file_store import FileStore
from mlflow.utils.proto_json_utils import message_to_json
store = FileStore(sys.argv[1])
times = {}
def timed(name, work, count=1):
    began, cpu = time.perf_counter(), time.process_time()
    for at in range(count):
        work(at)
    one = times.setdefault(name, {"wall": [], "cpu": []})
    one["wall"].append((time.perf_counter() - began) / count * 1000)
    one["cpu"].append((time.process_time() - cpu) / count * 1000)
for name, q in json.loads(sys.argv[2]).items():
    def search(at):
        found = store.search_runs(["${EXPERIMENT}"], q["filter"], ViewType.ACTIVE_ONLY, q["max_results"], q["order_by"])
        response = SearchRuns.Response()
        response.runs.extend([run.to_proto() for run in found])
        message_to_json(response)
    for _ in range(${ROUNDS}):
        timed(name, search)
run = store.create_run("0", "me", 0, [], "a").info.run_id
timed("create run", lambda at: store.create_run("0", "me", 0, [], "a"), ${TIMES})
timed("log metric", lambda at: store.log_metric(run, Metric("one", at / 7, at, at)), ${TIMES})
timed("log batch: 100 metrics, 20 params, 20 tags", lambda at: store.log_batch(run,
    [Metric("m%d" % m, at / 7, at, at) for m in range(100)], [Param("p%d_%d" % (at, p), "v") for p in range(20)],
    [RunTag("t%d" % t, "v") for t in range(20)]), 10)
timed("get run", lambda at: store.get_run("${hex(1)}"), ${TIMES})
for at in range(10):
    store.log_batch(run, [Metric("long", m / 7, m, at * 1000 + m) for m in range(1000)], [], [])
timed("history of 10,000 points", lambda at: store.get_metric_history(run, "long"), 10)
print(json.dumps({"times": times, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
`;

interface Measured {
  readonly times: Times;
  readonly megabytes: number;
}

const last = (output: string): Measured => JSON.parse(output.trim().split('\n').at(-1) ?? '') as Measured;

function mtrack(first: string | undefined): Measured {
  const args = ['--input-type=module', '--eval', MTRACK, '--', STORE, ...(first === undefined ? [] : [first])];
  return last(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

function mlflow(): Measured {
  const env = { ...process.env, MLFLOW_ALLOW_FILE_STORE: 'true', PYTHONWARNINGS: 'ignore', DO_NOT_TRACK: 'true' };
  return last(execFileSync(PYTHON, ['-c', MLFLOW, STORE, JSON.stringify(QUESTIONS)], { encoding: 'utf8', env }));
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const shown = (ms: number) => (ms < 100 ? ms.toFixed(2) : ms.toFixed(0));

function report(ours: Times, theirs: Times): void {
  console.log('|  | mtrack wall | CPU | MLflow wall | CPU | wall | CPU |\n| --- | --- | --- | --- | --- | --- | --- |');
  for (const [name, one] of Object.entries(ours)) {
    const other = theirs[name.replace(' (first)', '')];
    if (!other) continue;
    const [a, b, c, d] = [median(one.wall), median(one.cpu), median(other.wall), median(other.cpu)];
    console.log(
      `| ${name} | ${[a, b, c, d].map(shown).join(' | ')} | x ${(c / a).toFixed(1)} | x ${(d / b).toFixed(1)} |`,
    );
  }
}

try {
  makeStore();
  // Files that were touched a moment ago are not remembered.
  await new Promise((done) => setTimeout(done, 3000));
  const firsts: Record<string, { wall: number[]; cpu: number[] }> = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of Object.keys(QUESTIONS)) {
      for (const [title, { wall, cpu }] of Object.entries(mtrack(name).times)) {
        firsts[title] ??= { wall: [], cpu: [] };
        firsts[title].wall.push(...wall);
        firsts[title].cpu.push(...cpu);
      }
    }
  }
  const ours = mtrack(undefined);
  const theirs = mlflow();
  console.log(`${RUNS} runs, ${ROUNDS} rounds, milliseconds (medians)\n`);
  report({ ...firsts, ...ours.times }, theirs.times);
  console.log(`\nmemory: mtrack ${ours.megabytes.toFixed(0)} MB, MLflow ${theirs.megabytes.toFixed(0)} MB`);
} finally {
  rmSync(FOLDER, { recursive: true, force: true });
}
