/**
 * How long an upgrade from MLflow's first schema to the head takes: mtrack, the same statements run by the database's
 * own client (`--sql`), and `mlflow db upgrade`, in turns on the same data. Prints medians and ratios.
 *
 *   npm run bench                                        # three dialects, 2 M metrics, three rounds
 *   ROWS=200000 ROUNDS=1 DIALECTS=sqlite npm run bench   # a quick look
 *
 * Needs PostgreSQL and MariaDB as for the tests, their clients and sqlite3, and MLflow as `npm test` installs it.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join as joinPath, resolve } from 'node:path';
import { type Measured, measured } from './process.ts';

const ROOT = resolve(import.meta.dirname, '..');
const MTRACK = [process.execPath, joinPath(ROOT, 'bin', 'run.js')];
const MLFLOW = joinPath(process.env.MTRACK_LAB ?? joinPath(homedir(), 'mtrack-lab'), 'mlflow-3.17.2', 'bin', 'mlflow');
const POINTS = Number(process.env.ROWS ?? 2_000_000);
const ROUNDS = Number(process.env.ROUNDS ?? 3);
/** Points of each run: 20 metrics logged once, and 4 logged 20 times. */
const POINTS_PER_RUN = 100;
const RUNS = Math.ceil(POINTS / POINTS_PER_RUN);
const FOLDER = mkdtempSync(joinPath(tmpdir(), 'mtrack-bench-'));
/** MLflow is stopped when it has taken this many times as long as mtrack: its way on SQLite is quadratic. */
const ENOUGH = 6;
const BIG = { maxBuffer: 1024 * 1024 * 1024 };

interface Peer {
  readonly name: string;
  readonly uri: string;
  /** Makes the old database once. */
  prepare(): void;
  /** Puts a fresh copy of it where `uri` points. */
  reset(): void;
  /** The client that reads a script from its input. */
  client(): string[];
  drop(): void;
}

function sqlite(): Peer {
  const base = joinPath(FOLDER, 'base.db');
  const path = joinPath(FOLDER, 'work.db');
  return {
    name: 'SQLite',
    uri: `sqlite:///${path}`,
    prepare: () => {
      execFileSync(MTRACK[0] ?? '', [MTRACK[1] ?? '', 'db', 'upgrade', `sqlite:///${base}`, '--to', 'base', '--yes'], {
        stdio: 'ignore',
      });
      const series = (n: string) =>
        `(WITH RECURSIVE s(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM s WHERE i < ${n} - 1) SELECT i FROM s)`;
      execFileSync('sqlite3', ['-bail', base], {
        input: `PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;\n${fill(series, (n) => `printf('%032x', (${n}) * 2654435761)`)}\nCOMMIT;`,
      });
    },
    reset: () => {
      for (const suffix of ['-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true });
      copyFileSync(base, path);
    },
    client: () => ['sqlite3', '-bail', path],
    drop: () => undefined,
  };
}

function postgresql(): Peer {
  const psql = ['-qAt', '-h', '127.0.0.1', '-U', 'postgres', '-v', 'ON_ERROR_STOP=1'];
  const admin = (...statements: string[]) =>
    execFileSync('psql', [...psql, '-d', 'postgres', ...statements.flatMap((sql) => ['-c', sql])], { stdio: 'pipe' });
  const drop = (name: string) => admin(`DROP DATABASE IF EXISTS ${name}`);
  return {
    name: 'PostgreSQL',
    uri: 'postgresql+psycopg2://postgres@127.0.0.1:5432/mtrack_bench',
    prepare: () => {
      drop('mtrack_bench_base');
      admin('CREATE DATABASE mtrack_bench_base');
      execFileSync(
        MTRACK[0] ?? '',
        [
          MTRACK[1] ?? '',
          'db',
          'upgrade',
          'postgresql://postgres@127.0.0.1/mtrack_bench_base',
          '--to',
          'base',
          '--yes',
        ],
        { stdio: 'ignore' },
      );
      const series = (n: string) => `(SELECT i FROM generate_series(0, ${n} - 1) i)`;
      execFileSync('psql', [...psql, '-d', 'mtrack_bench_base'], {
        input: `${fill(series, (n) => `md5((${n})::text)`)}\nVACUUM ANALYZE;`,
      });
    },
    reset: () => {
      drop('mtrack_bench');
      admin('CREATE DATABASE mtrack_bench TEMPLATE mtrack_bench_base', 'CHECKPOINT');
    },
    client: () => ['psql', ...psql, '-d', 'mtrack_bench'],
    drop: () => {
      drop('mtrack_bench');
      drop('mtrack_bench_base');
    },
  };
}

function mariadb(): Peer {
  const login = ['-h', '127.0.0.1', '-u', 'root'];
  const admin = (sql: string) => execFileSync('mariadb', [...login, '-e', sql], { stdio: 'pipe' });
  const fresh = (name: string) =>
    admin(`DROP DATABASE IF EXISTS ${name}; CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
  const dump = joinPath(FOLDER, 'base.sql');
  return {
    name: 'MariaDB',
    uri: 'mysql+pymysql://root@127.0.0.1:3306/mtrack_bench',
    prepare: () => {
      fresh('mtrack_bench');
      execFileSync(
        MTRACK[0] ?? '',
        [MTRACK[1] ?? '', 'db', 'upgrade', 'mysql://root@127.0.0.1/mtrack_bench', '--to', 'base', '--yes'],
        { stdio: 'ignore' },
      );
      const series = (n: string) =>
        `(WITH RECURSIVE s(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM s WHERE i < ${n} - 1) SELECT i FROM s)`;
      execFileSync('mariadb', [...login, 'mtrack_bench'], {
        input: `SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'; SET max_recursive_iterations = 100000000;\n${fill(
          series,
          (n) => `md5(${n})`,
          (text, number) => `concat(${text}, ${number})`,
        ).replaceAll('"', '`')}`,
      });
      writeFileSync(dump, execFileSync('mariadb-dump', [...login, '--no-autocommit', 'mtrack_bench'], BIG));
    },
    reset: () => {
      fresh('mtrack_bench');
      execFileSync('mariadb', [...login, 'mtrack_bench'], { input: readFileSync(dump) });
    },
    client: () => ['mariadb', ...login, 'mtrack_bench'],
    drop: () => admin('DROP DATABASE IF EXISTS mtrack_bench'),
  };
}

/** Ten experiments, and runs with their metrics, params and tags, as SQL that all three read alike. */
function fill(
  series: (n: string) => string,
  id: (n: string) => string,
  join = (text: string, number: string) => `${text} || (${number})`,
): string {
  const runs = series(String(RUNS));
  return `
INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage)
  SELECT e.i, concat_name('experiment ', e.i), './mlruns', 'active' FROM ${series('10')} e;
INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time, source_version, lifecycle_stage, artifact_uri, experiment_id)
  SELECT ${id('r.i')}, concat_name('run ', r.i), 'LOCAL', 'train.py', 'main', concat_name('user', r.i % 50), 'FINISHED', 1500000000000 + r.i, 1500000001000 + r.i, '', 'active', './mlruns/x', r.i % 10 FROM ${runs} r;
INSERT INTO metrics ("key", value, "timestamp", run_uuid)
  SELECT concat_name('final_', p.i), (p.i * 7919 % 1000) / 10.0, 1500000000000 + r.i, ${id('r.i')} FROM ${runs} r CROSS JOIN ${series('20')} p;
INSERT INTO metrics ("key", value, "timestamp", run_uuid)
  SELECT concat_name('curve_', p.i % 4), (p.i * 7919 % 1000) / 10.0, 1500000000000 + r.i + 1000 * p.i, ${id('r.i')} FROM ${runs} r CROSS JOIN ${series('80')} p;
INSERT INTO params ("key", value, run_uuid)
  SELECT concat_name('param_', p.i), concat_name('value ', p.i), ${id('r.i')} FROM ${runs} r CROSS JOIN ${series('10')} p;
INSERT INTO tags ("key", value, run_uuid)
  SELECT concat_name('tag_', p.i), concat_name('value ', p.i), ${id('r.i')} FROM ${runs} r CROSS JOIN ${series('5')} p;`.replaceAll(
    /concat_name\(('[^']*'), ([^)]*)\)/g,
    (_, text: string, number: string) => join(text, number),
  );
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const format = (seconds: number) => `${seconds.toFixed(2)} s`;

async function compare(peer: Peer): Promise<string[]> {
  console.log(`${peer.name}: ${POINTS.toLocaleString('en')} metrics, ${RUNS.toLocaleString('en')} runs`);
  peer.prepare();
  peer.reset();
  const script = execFileSync(MTRACK[0] ?? '', [MTRACK[1] ?? '', 'db', 'upgrade', peer.uri, '--sql'], {
    ...BIG,
    stdio: ['ignore', 'pipe', 'ignore'],
  }).toString();
  const plan = JSON.parse(
    spawnSync(
      MTRACK[0] ?? '',
      [MTRACK[1] ?? '', 'db', 'upgrade', peer.uri, '--dry-run', '--json'],
      BIG,
    ).stdout.toString(),
  ) as { consents: { revision: string }[] };
  const accepted = plan.consents.flatMap(({ revision }) => ['--accept', revision]);
  const results: Record<'mtrack' | 'client' | 'mlflow', Measured[]> = { mtrack: [], client: [], mlflow: [] };
  for (let round = 1; round <= ROUNDS; round++) {
    peer.reset();
    const own = await measured([...MTRACK, 'db', 'upgrade', peer.uri, '--yes', ...accepted]);
    results.mtrack.push(own);
    peer.reset();
    const client = await measured(peer.client(), { input: script });
    results.client.push(client);
    peer.reset();
    const other = await measured([MLFLOW, 'db', 'upgrade', peer.uri], { limit: ENOUGH * own.seconds });
    results.mlflow.push(other);
    console.log(
      `  round ${round}: mtrack ${format(own.seconds)} (${Math.round(own.peakMegabytes)} MB), client ${format(client.seconds)}, mlflow ${other.finished ? '' : 'more than '}${format(other.seconds)}`,
    );
  }
  peer.drop();
  const [own, client, other] = [results.mtrack, results.client, results.mlflow].map((each) =>
    median(each.map(({ seconds }) => seconds)),
  ) as [number, number, number];
  const all = results.mlflow.every(({ finished }) => finished);
  return [
    peer.name,
    format(own),
    `${Math.round(Math.max(...results.mtrack.map(({ peakMegabytes }) => peakMegabytes)))} MB`,
    format(client),
    (own / client).toFixed(2),
    `${all ? '' : '> '}${format(other)}`,
    `${all ? '' : '< '}${(own / other).toFixed(2)}`,
  ];
}

/** What every call pays: starting, and one query. */
async function startUp(): Promise<void> {
  const path = joinPath(FOLDER, 'head.db');
  execFileSync(MTRACK[0] ?? '', [MTRACK[1] ?? '', 'db', 'upgrade', `sqlite:///${path}`, '--yes'], { stdio: 'ignore' });
  for (const args of [['--help'], ['db', 'upgrade', `sqlite:///${path}`]]) {
    const times: number[] = [];
    for (let i = 0; i < 11; i++) times.push((await measured([...MTRACK, ...args])).seconds);
    console.log(
      `mtrack ${args.slice(0, 2).join(' ')}${args.length > 1 ? ' at the head' : ''}: ${format(median(times))}`,
    );
  }
}

const peers = { sqlite, postgresql, mariadb };
const wanted = (process.env.DIALECTS ?? 'sqlite,postgresql,mariadb').split(',') as (keyof typeof peers)[];
try {
  await startUp();
  const rows: string[][] = [];
  for (const name of wanted) rows.push(await compare(peers[name]()));
  const head = ['', 'mtrack', 'memory', 'own client', 'ratio', 'mlflow', 'ratio'];
  console.log(['', ...[head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)].join('\n'));
} finally {
  rmSync(FOLDER, { recursive: true, force: true });
}
