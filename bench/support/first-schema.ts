/** Databases of MLflow's first schema, filled by their own clients: what an upgrade to the head has most to do on. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join as joinPath, resolve } from 'node:path';

const MTRACK = [process.execPath, resolve(import.meta.dirname, '..', '..', 'bin', 'run.js')];
/** Points of each run: 20 metrics logged once, and 4 logged 20 times. */
const POINTS_PER_RUN = 100;
const BIG = { maxBuffer: 1024 * 1024 * 1024 };

export interface Peer {
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

function sqlite(runs: number, folder: string): Peer {
  const base = joinPath(folder, 'base.db');
  const path = joinPath(folder, 'work.db');
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
        input: `PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;\n${fill(runs, series, (n) => `printf('%032x', (${n}) * 2654435761)`)}\nCOMMIT;`,
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

function postgresql(runs: number): Peer {
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
        input: `${fill(runs, series, (n) => `md5((${n})::text)`)}\nVACUUM ANALYZE;`,
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

function mariadb(runs: number, folder: string): Peer {
  const login = ['-h', '127.0.0.1', '-u', 'root'];
  const admin = (sql: string) => execFileSync('mariadb', [...login, '-e', sql], { stdio: 'pipe' });
  const fresh = (name: string) =>
    admin(`DROP DATABASE IF EXISTS ${name}; CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
  const dump = joinPath(folder, 'base.sql');
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
          runs,
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
  count: number,
  series: (n: string) => string,
  id: (n: string) => string,
  join = (text: string, number: string) => `${text} || (${number})`,
): string {
  const runs = series(String(count));
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

/** By the names of their dialects. @param points how many metrics each is to have @param folder for files */
export function firstSchemas(points: number, folder: string): Readonly<Record<string, Peer>> {
  const runs = Math.ceil(points / POINTS_PER_RUN);
  return { sqlite: sqlite(runs, folder), postgresql: postgresql(runs), mariadb: mariadb(runs, folder) };
}
