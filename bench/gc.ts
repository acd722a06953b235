/**
 * How long it takes to remove deleted runs: mtrack, `mlflow gc`, and the limit, which is one set-based DELETE for each
 * table by the database's own client plus one `rm` of the folders, in turns on the same data. Half of the runs are deleted;
 * each has 50 metrics of 20 steps, 20 params, 20 tags and 3 files.
 *
 *   npm run bench:gc                                         # 2,000 runs: three databases and files
 *   RUNS=10000 STORES=sqlite,postgresql npm run bench:gc     # larger, and only some
 *   ROUNDS=3 MLFLOW=no npm run bench:gc                      # mtrack against the limit alone
 *   WHAT=memory npm run bench:gc                             # peak memory of mtrack at 1,000, 10,000 and 100,000 small runs
 *
 * Needs PostgreSQL and MariaDB as for the tests, their clients and sqlite3, and MLflow as `npm test` installs it.
 */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Measured, measured } from './process.ts';

const ROOT = resolve(import.meta.dirname, '..');
const MTRACK = [process.execPath, join(ROOT, 'bin', 'run.js')];
const MLFLOW = join(process.env.MTRACK_LAB ?? join(homedir(), 'mtrack-lab'), 'mlflow-3.17.2', 'bin', 'mlflow');
/** The head of that release: a newer schema it would refuse. */
const REVISION = 'dc11669786a5';
const RUNS = Number(process.env.RUNS ?? 2000);
const ROUNDS = Number(process.env.ROUNDS ?? 1);
const WITH_MLFLOW = process.env.MLFLOW !== 'no';
const STORES = (process.env.STORES ?? 'sqlite,postgresql,mariadb,files').split(',');
const FOLDER = mkdtempSync(join(tmpdir(), 'mtrack-bench-gc-'));
const ARTIFACTS = join(FOLDER, 'artifacts');
const PG = ['-qAt', '-h', '127.0.0.1', '-U', 'postgres', '-v', 'ON_ERROR_STOP=1'];
const MY = ['-h', '127.0.0.1', '-u', 'root'];

interface Store {
  readonly name: string;
  readonly uri: string;
  /** Makes the data once. */
  prepare(runs: number, shape: Shape): void;
  /** Puts a fresh copy of it in place. */
  reset(): void;
  /** A command that removes the rows of deleted runs, and its input; null where there are none. */
  limit(): { readonly command: readonly string[]; readonly input: string } | null;
  drop(): void;
}

interface Shape {
  readonly metrics: number;
  readonly steps: number;
  readonly params: number;
  readonly tags: number;
  readonly files: number;
}
const FULL: Shape = { metrics: 50, steps: 20, params: 20, tags: 20, files: 3 };

/** Every second run is deleted. */
const runId = (i: number): string => i.toString(16).padStart(8, '0').repeat(4);
const isDeleted = (i: number): boolean => i % 2 === 0;

function upgraded(uri: string): void {
  execFileSync(MTRACK[0] ?? '', [MTRACK[1] ?? '', 'db', 'upgrade', uri, '--to', REVISION, '--yes'], {
    stdio: 'ignore',
  });
}

// ---------------------------------------------------------------- data

const place = (id: string): string => join(ARTIFACTS, '1', id);

/** Each table as lines with tabs. */
function writeTables(folder: string, runs: number, shape: Shape): readonly string[] {
  const tables: Record<string, (write: (...values: readonly (string | number)[]) => void, i: number) => void> = {
    runs: (write, i) => {
      const stage = isDeleted(i) ? 'deleted' : 'active';
      const uri = join(place(runId(i)), 'artifacts');
      const at = isDeleted(i) ? 1_577_836_800_000 : NULL;
      write(runId(i), `run ${i}`, 'LOCAL', '', '', 'bench', 'FINISHED', 0, 1, '', stage, uri, 1, at);
    },
    metrics: (write, i) => {
      for (let k = 0; k < shape.metrics; k++) {
        for (let step = 0; step < shape.steps; step++) write(`metric ${k}`, step / 7, step, runId(i), step, 0);
      }
    },
    latest_metrics: (write, i) => {
      for (let k = 0; k < shape.metrics; k++) write(`metric ${k}`, 1, 19, 19, 0, runId(i));
    },
    params: (write, i) => {
      for (let k = 0; k < shape.params; k++) write(`param ${k}`, `value ${k}`, runId(i));
    },
    tags: (write, i) => {
      for (let k = 0; k < shape.tags; k++) write(`tag ${k}`, `value ${k}`, runId(i));
    },
  };
  for (const [table, rows] of Object.entries(tables)) {
    const file = openSync(join(folder, table), 'w');
    let lines: string[] = [];
    const flush = () => {
      writeSync(file, lines.join(''));
      lines = [];
    };
    for (let i = 0; i < runs; i++) {
      rows((...values) => lines.push(`${values.join('\t')}\n`), i);
      if (lines.length > 20_000) flush();
    }
    flush();
    closeSync(file);
  }
  return Object.keys(tables);
}

const NULL = '\\N';
const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  runs: [
    'run_uuid',
    'name',
    'source_type',
    'source_name',
    'entry_point_name',
    'user_id',
    'status',
    'start_time',
    'end_time',
    'source_version',
    'lifecycle_stage',
    'artifact_uri',
    'experiment_id',
    'deleted_time',
  ],
  metrics: ['key', 'value', 'timestamp', 'run_uuid', 'step', 'is_nan'],
  latest_metrics: ['key', 'value', 'timestamp', 'step', 'is_nan', 'run_uuid'],
  params: ['key', 'value', 'run_uuid'],
  tags: ['key', 'value', 'run_uuid'],
};
const EXPERIMENT = `INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time, workspace) VALUES (1, 'bench', '${ARTIFACTS}/1', 'active', 0, 0, 'default')`;
const IN_TRASH = "(SELECT run_uuid FROM runs WHERE lifecycle_stage = 'deleted')";
const LIMIT = [
  ...['metrics', 'latest_metrics', 'params', 'tags'].map(
    (table) => `DELETE FROM ${table} WHERE run_uuid IN ${IN_TRASH};`,
  ),
  "DELETE FROM runs WHERE lifecycle_stage = 'deleted';",
].join('\n');

function writeArtifacts(folder: string, runs: number, files: number): void {
  for (let i = 0; i < runs; i++) {
    const artifacts = join(folder, '1', runId(i), 'artifacts');
    mkdirSync(artifacts, { recursive: true });
    for (let k = 0; k < files; k++) writeFileSync(join(artifacts, `file ${k}`), 'x'.repeat(1000));
  }
}

function copied(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  execFileSync('cp', ['-a', from, to]);
}

// ---------------------------------------------------------------- stores

function sqlite(): Store {
  const [base, path] = [join(FOLDER, 'base.db'), join(FOLDER, 'work.db')];
  return {
    name: 'SQLite',
    uri: `sqlite:///${path}`,
    prepare: (runs, shape) => {
      upgraded(`sqlite:///${base}`);
      const tables = writeTables(FOLDER, runs, shape);
      const imports = tables.map((table) => `.import '${join(FOLDER, table)}' ${table}`).join('\n');
      const input = `PRAGMA journal_mode = OFF;\nPRAGMA synchronous = OFF;\n${EXPERIMENT};\n.mode tabs\n${imports}\nUPDATE runs SET deleted_time = NULL WHERE lifecycle_stage = 'active';\nPRAGMA journal_mode = DELETE;\n`;
      execFileSync('sqlite3', ['-bail', base], { input, stdio: ['pipe', 'ignore', 'inherit'] });
    },
    reset: () => {
      for (const suffix of ['-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true });
      copyFileSync(base, path);
    },
    limit: () => ({ command: ['sqlite3', '-bail', path], input: `BEGIN;\n${LIMIT}\nCOMMIT;\n` }),
    drop: () => undefined,
  };
}

function postgresql(): Store {
  const [base, name] = ['mtrack_bench_gc_base', 'mtrack_bench_gc'];
  const psql = (database: string, input: string) =>
    execFileSync('psql', [...PG, '-d', database], { input, stdio: ['pipe', 'ignore', 'inherit'] });
  const drop = (database: string) => psql('postgres', `DROP DATABASE IF EXISTS ${database};`);
  return {
    name: 'PostgreSQL',
    uri: `postgresql+psycopg2://postgres@127.0.0.1:5432/${name}`,
    prepare: (runs, shape) => {
      drop(base);
      psql('postgres', `CREATE DATABASE ${base};`);
      upgraded(`postgresql://postgres@127.0.0.1/${base}`);
      const tables = writeTables(FOLDER, runs, shape);
      const copies = tables.map((table) => {
        const columns = (COLUMNS[table] ?? []).map((column) => `"${column}"`).join(', ');
        return `\\copy ${table} (${columns}) FROM '${join(FOLDER, table)}'`;
      });
      psql(base, `${EXPERIMENT};\n${copies.join('\n')}\nVACUUM ANALYZE;\n`);
    },
    reset: () => {
      drop(name);
      psql('postgres', `CREATE DATABASE ${name} TEMPLATE ${base};\nCHECKPOINT;`);
    },
    limit: () => ({ command: ['psql', ...PG, '-d', name], input: `BEGIN;\n${LIMIT}\nCOMMIT;\n` }),
    drop: () => {
      drop(name);
      drop(base);
    },
  };
}

function mariadb(): Store {
  const name = 'mtrack_bench_gc';
  const client = (input: string, ...args: string[]) =>
    execFileSync('mariadb', [...MY, '--local-infile=1', ...args], { input, stdio: ['pipe', 'ignore', 'inherit'] });
  let tables: readonly string[] = [];
  return {
    name: 'MariaDB',
    uri: `mysql+pymysql://root@127.0.0.1:3306/${name}`,
    prepare: (runs, shape) => {
      tables = writeTables(FOLDER, runs, shape);
    },
    reset: () => {
      client(`DROP DATABASE IF EXISTS ${name}; CREATE DATABASE ${name} CHARACTER SET utf8mb4;`);
      upgraded(`mysql://root@127.0.0.1/${name}`);
      const loads = tables.map((table) => {
        const columns = (COLUMNS[table] ?? []).map((column) => `\`${column}\``).join(', ');
        return `LOAD DATA LOCAL INFILE '${join(FOLDER, table)}' INTO TABLE ${table} (${columns});`;
      });
      client(`SET unique_checks = 0;\n${EXPERIMENT};\n${loads.join('\n')}\nANALYZE TABLE runs, metrics;`, name);
    },
    limit: () => ({ command: ['mariadb', ...MY, name], input: `BEGIN;\n${LIMIT}\nCOMMIT;\n` }),
    drop: () => client(`DROP DATABASE IF EXISTS ${name};`),
  };
}

function files(): Store {
  const [base, root] = [join(FOLDER, 'mlruns base'), ARTIFACTS];
  return {
    name: 'files',
    uri: root,
    prepare: (runs, shape) => {
      const experiment = join(base, '1');
      writeArtifacts(base, runs, shape.files);
      const meta = (fields: Record<string, string | number | null>) =>
        Object.entries(fields)
          .map(([key, value]) => `${key}: ${value}\n`)
          .join('');
      writeFileSync(
        join(experiment, 'meta.yaml'),
        meta({
          artifact_location: `${ARTIFACTS}/1`,
          experiment_id: "'1'",
          lifecycle_stage: 'active',
          name: 'bench',
          creation_time: 0,
          last_update_time: 0,
        }),
      );
      for (let i = 0; i < runs; i++) {
        const folder = join(experiment, runId(i));
        for (const sub of ['metrics', 'params', 'tags']) mkdirSync(join(folder, sub));
        const points = Array.from({ length: shape.steps }, (_, step) => `${step} ${step / 7} ${step}\n`).join('');
        for (let k = 0; k < shape.metrics; k++) writeFileSync(join(folder, 'metrics', `metric ${k}`), points);
        for (let k = 0; k < shape.params; k++) writeFileSync(join(folder, 'params', `param ${k}`), `value ${k}`);
        for (let k = 0; k < shape.tags; k++) writeFileSync(join(folder, 'tags', `tag ${k}`), `value ${k}`);
        writeFileSync(
          join(folder, 'meta.yaml'),
          meta({
            artifact_uri: join(place(runId(i)), 'artifacts'),
            end_time: null,
            entry_point_name: "''",
            experiment_id: "'1'",
            lifecycle_stage: isDeleted(i) ? 'deleted' : 'active',
            run_id: `'${runId(i)}'`,
            run_name: `run ${i}`,
            run_uuid: `'${runId(i)}'`,
            source_name: "''",
            source_type: 4,
            source_version: "''",
            start_time: 0,
            status: 3,
            tags: '[]',
            user_id: 'bench',
            ...(isDeleted(i) && { deleted_time: 1_577_836_800_000 }),
          }),
        );
      }
    },
    reset: () => copied(base, root),
    limit: () => null,
    drop: () => undefined,
  };
}

// ---------------------------------------------------------------- the measuring

const mtrack = (store: Store, ...args: string[]) =>
  measured(
    [...MTRACK, 'gc', store.uri, '--older-than', '30d', '--yes', '--history-file', join(FOLDER, 'history'), ...args],
    { cwd: FOLDER },
  );

const mlflow = (store: Store) =>
  measured([MLFLOW, 'gc', '--backend-store-uri', store.uri, '--older-than', '30d'], {
    cwd: FOLDER,
    env: { MLFLOW_TRACKING_URI: store.uri, MLFLOW_ALLOW_FILE_STORE: 'true', MLFLOW_DISABLE_TELEMETRY: 'true' },
  });

/** The rows by one statement for each table, and the folders by `rm`. */
async function limit(store: Store, runs: number): Promise<Measured> {
  const rows = store.limit();
  const first = rows === null ? { seconds: 0 } : await measured(rows.command, { input: rows.input });
  const folders = Array.from({ length: runs }, (_, i) => i)
    .filter(isDeleted)
    .map((i) => place(runId(i)));
  const second = await measured(['xargs', '-0', 'rm', '-rf'], { input: folders.join('\0') });
  return { seconds: first.seconds + second.seconds, peakMegabytes: 0, finished: true };
}

async function compare(make: () => Store): Promise<void> {
  const store = make();
  const base = join(FOLDER, 'artifacts base');
  store.prepare(RUNS, FULL);
  if (store.name !== 'files' && !existsSync(base)) writeArtifacts(base, RUNS, FULL.files);
  const reset = () => {
    if (store.name !== 'files') copied(base, ARTIFACTS);
    store.reset();
  };
  const times = {
    mtrack: [] as Measured[],
    limit: [] as Measured[],
    mlflow: [] as Measured[],
    nothing: [] as Measured[],
  };
  for (let round = 0; round < ROUNDS; round++) {
    reset();
    times.mtrack.push(await mtrack(store));
    if (existsSync(place(runId(0))) || !existsSync(place(runId(1))))
      throw new Error('mtrack removed the wrong folders');
    times.nothing.push(await mtrack(store));
    reset();
    times.limit.push(await limit(store, RUNS));
    if (!WITH_MLFLOW || round > 0) continue;
    reset();
    times.mlflow.push(await mlflow(store));
  }
  store.drop();
  const median = (all: readonly Measured[]) =>
    all.map(({ seconds }) => seconds).sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;
  const [ours, least, theirs] = [median(times.mtrack), median(times.limit), median(times.mlflow)];
  const memory = Math.max(...times.mtrack.map(({ peakMegabytes }) => peakMegabytes));
  const ratio = (by: number) => (by === 0 ? '' : (ours / by).toFixed(2));
  console.log(
    `| ${store.name} | ${RUNS} | ${ours.toFixed(2)} s | ${memory.toFixed(0)} MB | ${least.toFixed(2)} s | ${ratio(least)} | ${theirs === 0 ? '' : `${theirs.toFixed(2)} s`} | ${theirs === 0 ? '' : (theirs / ours).toFixed(1)} | ${median(times.nothing).toFixed(2)} s |`,
  );
}

async function memory(): Promise<void> {
  console.log('| runs, half of them deleted | peak memory | seconds |\n| --- | --- | --- |');
  const small: Shape = { metrics: 2, steps: 2, params: 2, tags: 2, files: 0 };
  for (const runs of [1000, 10_000, 100_000]) {
    rmSync(join(FOLDER, 'base.db'), { force: true });
    const store = sqlite();
    store.prepare(runs, small);
    store.reset();
    const { peakMegabytes, seconds } = await mtrack(store);
    console.log(`| ${runs} | ${peakMegabytes.toFixed(0)} MB | ${seconds.toFixed(1)} |`);
  }
}

try {
  if (process.env.WHAT === 'memory') await memory();
  else {
    console.log(
      '| store | runs | mtrack | memory | limit | mtrack / limit | mlflow gc | mlflow / mtrack | gc of nothing |',
    );
    console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- |');
    const makers: Record<string, () => Store> = { sqlite, postgresql, mariadb, files };
    for (const name of STORES) {
      const make = makers[name];
      if (!make) throw new Error(`STORES: ${name} is none of ${Object.keys(makers).join(', ')}`);
      await compare(make);
    }
  }
} finally {
  rmSync(FOLDER, { recursive: true, force: true });
}
