/**
 * How long it takes to move a store: mtrack, `mlflow migrate-filestore`, and the limit, which is the raw bulk load of the same
 * rows by the database's own client into the same tables (`.import` of sqlite3, `\copy` of psql), in turns on the same data.
 * Each run has 20 params, 20 metrics of 10 points and 10 tags.
 *
 *   npm run bench:transfer                                  # 5,000 runs
 *   RUNS=500 WAYS=files-sqlite npm run bench:transfer       # a quick look
 *   RUNS=100000 MLFLOW=no npm run bench:transfer            # 20 times that: five million files, some 25 GB
 *   PEER=yes npm run bench:transfer                         # mlflow-export-import (PyPI) beside, on PEER_RUNS runs
 *
 * Needs PostgreSQL as for the tests, its client and sqlite3, and MLflow as `npm test` installs it.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Measured, measured } from './process.ts';

const ROOT = resolve(import.meta.dirname, '..');
const MTRACK = [process.execPath, join(ROOT, 'bin', 'run.js')];
const LAB = process.env.MTRACK_LAB ?? join(homedir(), 'mtrack-lab');
const BIN = join(LAB, 'mlflow-3.17.2', 'bin');
/** The head of that release. */
const REVISION = 'dc11669786a5';
const RUNS = Number(process.env.RUNS ?? 5000);
const ROUNDS = Number(process.env.ROUNDS ?? 1);
const WAYS = (process.env.WAYS ?? 'files-sqlite,files-postgresql,sqlite-postgresql').split(',');
const WITH_MLFLOW = process.env.MLFLOW !== 'no';
const WITH_PEER = process.env.PEER === 'yes';
const PEER_RUNS = Number(process.env.PEER_RUNS ?? 50);
/** MLflow is stopped when it has taken this many times as long as mtrack. */
const ENOUGH = 30;
const PARAMS = 20;
const METRICS = 20;
const POINTS = 10;
const TAGS = 10;
const EXPERIMENT = '1';
const FOLDER = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), 'mtrack-bench-'));
const FILES = join(FOLDER, 'mlruns');
const ENV = { MLFLOW_ALLOW_FILE_STORE: 'true', PYTHONWARNINGS: 'ignore', DO_NOT_TRACK: 'true' };
const PG = ['-qAt', '-h', '127.0.0.1', '-U', 'postgres', '-v', 'ON_ERROR_STOP=1'];
const BIG = { maxBuffer: 1024 * 1024 * 1024 };

// ---------------------------------------------------------------- data

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at);
const yaml = (fields: object) =>
  Object.entries(fields)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('');

function makeFiles(root: string, runs: number): void {
  mkdirSync(join(root, '.trash'), { recursive: true });
  for (const [id, name] of [
    ['0', 'Default'],
    [EXPERIMENT, 'bench'],
  ] as const) {
    mkdirSync(join(root, id));
    const fields = { artifact_location: `file://${root}/${id}`, creation_time: 1_700_000_000_000 };
    const rest = { experiment_id: `'${id}'`, last_update_time: 1_700_000_000_000, lifecycle_stage: 'active', name };
    writeFileSync(join(root, id, 'meta.yaml'), yaml({ ...fields, ...rest }));
  }
  for (let number = 0; number < runs; number++) makeRun(root, number);
}

function makeRun(root: string, number: number): void {
  const id = (BigInt(number + 1) * 0x9e3779b97f4a7c15n).toString(16).padStart(32, '0').slice(-32);
  const folder = join(root, EXPERIMENT, id);
  for (const name of ['metrics', 'params', 'tags', 'artifacts']) mkdirSync(join(folder, name), { recursive: true });
  const start = 1_700_000_000_000 + number * 1000;
  const meta = {
    artifact_uri: `file://${root}/${EXPERIMENT}/${id}/artifacts`,
    end_time: start + 500,
    entry_point_name: "''",
    experiment_id: `'${EXPERIMENT}'`,
    lifecycle_stage: 'active',
    run_id: `'${id}'`,
    run_name: `run-${number}`,
    source_name: "''",
    source_type: 4,
    source_version: "''",
    start_time: start,
    status: 3,
    tags: '[]',
    user_id: 'bench',
  };
  writeFileSync(join(folder, 'meta.yaml'), yaml(meta));
  const value = (metric: number, step: number) => Math.sin(number * 7919 + metric * 104_729 + step) / 3;
  for (const metric of numbers(METRICS)) {
    const lines = numbers(POINTS).map((step) => `${start + step} ${value(metric, step)} ${step}\n`);
    writeFileSync(join(folder, 'metrics', `metric_${metric}`), lines.join(''));
  }
  for (const param of numbers(PARAMS))
    writeFileSync(join(folder, 'params', `param_${param}`), `value ${number * param}`);
  for (const tag of numbers(TAGS)) {
    const [key, text] = tag === 0 ? ['mlflow.runName', `run-${number}`] : [`tag_${tag}`, `something ${number % 100}`];
    writeFileSync(join(folder, 'tags', key), text);
  }
}

// ---------------------------------------------------------------- databases

interface Target {
  readonly uri: string;
  /** Puts an empty one there. */
  reset(): void;
  /** Writes the rows that are there into files of the client's own format, and a script that loads them into empty tables. */
  rawLoad(): { readonly command: readonly string[]; readonly script: string };
  drop(): void;
}

const tablesOf = (list: string) => list.split('\n').filter((name) => name !== '' && name !== 'alembic_version');

function sqlite(name: string): Target {
  const path = join(FOLDER, `${name}.db`);
  const client = (input: string) => execFileSync('sqlite3', ['-bail', path], { input, ...BIG }).toString();
  return {
    uri: `sqlite:///${path}`,
    reset: () => {
      for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true });
    },
    rawLoad: () => {
      const tables = tablesOf(
        client("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%';"),
      );
      const full = tables.filter((table) => client(`SELECT 1 FROM "${table}" LIMIT 1;`) !== '');
      const file = (table: string) => join(FOLDER, `${table}.csv`);
      for (const table of full) client(`.mode csv\n.output ${file(table)}\nSELECT * FROM "${table}";\n`);
      const loads = full.map((table) => `DELETE FROM "${table}";\n.import --csv ${file(table)} ${table}`);
      const script = ['PRAGMA foreign_keys = OFF;', 'PRAGMA cache_size = -32768;', 'BEGIN;', ...loads, 'COMMIT;'];
      return { command: ['sqlite3', path], script: `${script.join('\n')}\n` };
    },
    drop: () => undefined,
  };
}

function postgresql(): Target {
  const name = 'mtrack_bench_transfer';
  const admin = (...statements: string[]) =>
    execFileSync('psql', [...PG, '-d', 'postgres', ...statements.flatMap((sql) => ['-c', sql])], { stdio: 'pipe' });
  const client = (input: string) => execFileSync('psql', [...PG, '-d', name], { input, ...BIG }).toString();
  const drop = () => void admin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  return {
    uri: `postgresql://postgres@127.0.0.1:5432/${name}`,
    reset: () => {
      drop();
      admin(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`, 'CHECKPOINT');
    },
    rawLoad: () => {
      const tables = tablesOf(client("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"));
      const full = tables.filter((table) => client(`SELECT 1 FROM "${table}" LIMIT 1`) !== '');
      // So that a table comes after those that it refers to.
      const order = ['experiments', 'runs', ...full.filter((each) => !['experiments', 'runs'].includes(each))];
      const file = (table: string) => join(FOLDER, `${table}.copy`);
      client(order.map((table) => `\\copy "${table}" to '${file(table)}'`).join('\n'));
      const loads = order.map((table) => `\\copy "${table}" from '${file(table)}'`);
      const clear = `TRUNCATE ${order.map((table) => `"${table}"`).join(', ')} CASCADE;`;
      return { command: ['psql', ...PG, '-d', name], script: `BEGIN;\n${[clear, ...loads].join('\n')}\nCOMMIT;\n` };
    },
    drop,
  };
}

// ---------------------------------------------------------------- measuring

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const shown = (seconds: number) => `${seconds.toFixed(1)} s`;

async function makeTables({ uri }: Target): Promise<void> {
  await measured([...MTRACK, 'db', 'upgrade', uri, '--to', REVISION, '--yes']);
}

async function compare(way: string, from: string, target: Target, migrates: boolean): Promise<string[]> {
  const args = ['import', '--from', from, '--to', target.uri, '--yes', '--revision', REVISION];
  const own: Measured[] = [];
  const raw: Measured[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    target.reset();
    own.push(await measured([...MTRACK, ...args]));
    const { command, script } = target.rawLoad();
    target.reset();
    await makeTables(target);
    raw.push(await measured(command, { input: script }));
  }
  const [ours, limit] = [own, raw].map((all) => median(all.map(({ seconds }) => seconds))) as [number, number];
  const memory = Math.max(...own.map(({ peakMegabytes }) => peakMegabytes));
  console.log(`${way}: mtrack ${shown(ours)} (${memory.toFixed(0)} MB), raw ${shown(limit)}`);
  const other = migrates && WITH_MLFLOW ? await mlflow(target, ENOUGH * ours) : null;
  const least = other?.finished ? '' : '> ';
  return [
    way,
    shown(ours),
    `${memory.toFixed(0)} MB`,
    shown(limit),
    (ours / limit).toFixed(2),
    other ? `${least}${shown(other.seconds)}` : '',
    other ? `${least}${(other.seconds / ours).toFixed(1)}` : '',
  ];
}

async function mlflow(target: Target, limit: number): Promise<Measured> {
  target.reset();
  const command = [join(BIN, 'mlflow'), 'migrate-filestore', '--source', FOLDER, '--target', target.uri];
  const found = await measured(command, { limit, env: ENV });
  console.log(`  mlflow migrate-filestore ${shown(found.seconds)}, ${found.peakMegabytes.toFixed(0)} MB`);
  return found;
}

/** Its way is the client's API, run by run; so a few runs say what many would take. */
async function peer(): Promise<void> {
  const code = join(LAB, 'mlflow-export-import-1.2.0');
  const packages = ['mlflow-export-import==1.2.0', 'tabulate'];
  const pip = ['-m', 'pip', 'install', '-q', '--no-deps', '--target', code, ...packages];
  if (!existsSync(code)) execFileSync(join(BIN, 'python'), pip, { stdio: 'inherit' });
  const few = join(FOLDER, 'few', 'mlruns');
  makeFiles(few, PEER_RUNS);
  const target = sqlite('peer');
  target.reset();
  await makeTables(target);
  const exported = join(FOLDER, 'exported');
  const module = (name: string, args: readonly string[], uri: string) =>
    measured([join(BIN, 'python'), '-m', `mlflow_export_import.experiment.${name}`, ...args], {
      env: { ...ENV, PYTHONPATH: code, MLFLOW_TRACKING_URI: uri },
      cwd: FOLDER,
    });
  const out = await module('export_experiment', ['--experiment', 'bench', '--output-dir', exported], few);
  const into = await module('import_experiment', ['--experiment-name', 'bench', '--input-dir', exported], target.uri);
  const ours = sqlite('own');
  const args = ['import', '--from', few, '--to', ours.uri, '--yes', '--revision', REVISION];
  const own = await measured([...MTRACK, ...args]);
  console.log(
    `\n${PEER_RUNS} runs: mlflow-export-import 1.2.0 ${shown(out.seconds)} out and ${shown(into.seconds)} in; mtrack ${shown(own.seconds)}`,
  );
}

try {
  console.log(`${RUNS} runs`);
  makeFiles(FILES, RUNS);
  // Else the system would be writing them to the disk meanwhile; and files that were written just now may still change.
  execFileSync('sync');
  await new Promise((done) => setTimeout(done, 3000));
  const rows: string[][] = [];
  const source = sqlite('source');
  for (const way of WAYS) {
    const [from = '', to = ''] = way.split('-');
    const target = to === 'sqlite' ? sqlite('target') : postgresql();
    if (from === 'sqlite') {
      source.reset();
      const args = ['import', '--from', FILES, '--to', source.uri, '--yes', '--revision', REVISION];
      await measured([...MTRACK, ...args]);
    }
    const migrates = way === 'files-sqlite';
    rows.push(await compare(way, from === 'sqlite' ? source.uri : FILES, target, migrates));
    target.drop();
  }
  const head = ['', 'mtrack', 'memory', 'raw load', 'ratio', 'mlflow', 'times mtrack'];
  console.log(['', ...[head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)].join('\n'));
  if (WITH_PEER) await peer();
} finally {
  rmSync(FOLDER, { recursive: true, force: true });
}
