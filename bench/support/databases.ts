/** Databases for benchmarks, filled by the database itself. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

type Uris = typeof import('../../src/uri.js');
type Config = typeof import('../../src/config.js');
type Dialects = typeof import('../../src/dialect/index.js');

const built = (path: string) => import(new URL(`../../dist/src/${path}`, import.meta.url).href);
const { parseStoreUri } = (await built('uri.js')) as Uris;
const { DEFAULT_POOL } = (await built('config.js')) as Config;
const { openDatabase } = (await built('dialect/index.js')) as Dialects;

export const CONNECTION = { pool: DEFAULT_POOL, mysqlTls: { ca: null, cert: null, key: null }, postgresql: {} };

export interface Place {
  readonly uri: string;
  make(): void;
  drop(): void;
  /** What the database does by itself when it has been filled, only later. */
  settle(): void;
  /** Statements that let one that counts to `RUNS` run. */
  readonly settings: readonly string[];
}

const psql = (text: string, database = 'postgres') =>
  execFileSync('psql', ['-h', '127.0.0.1', '-U', 'postgres', '-d', database, '-qAt', '-c', text], { stdio: 'pipe' });
const mariadb = (text: string) => execFileSync('mariadb', ['-h', '127.0.0.1', '-u', 'root', '-e', text]);

/** A database that is made for a benchmark, and dropped after it. */
export const places = (folder: string, name: string): Readonly<Record<string, Place>> => ({
  sqlite: {
    uri: `sqlite:///${join(folder, `${name}.db`)}`,
    make: () => undefined,
    drop: () => undefined,
    settle: () => undefined,
    settings: [],
  },
  postgresql: {
    uri: `postgresql+psycopg2://postgres@127.0.0.1:5432/mtrack_bench_${name}`,
    make: () => {
      psql(`DROP DATABASE IF EXISTS mtrack_bench_${name}`);
      psql(`CREATE DATABASE mtrack_bench_${name}`);
    },
    drop: () => void psql(`DROP DATABASE IF EXISTS mtrack_bench_${name} WITH (FORCE)`),
    settle: () => void psql('VACUUM ANALYZE', `mtrack_bench_${name}`),
    settings: [],
  },
  mysql: {
    uri: `mysql+pymysql://root@127.0.0.1:3306/mtrack_bench_${name}`,
    make: () => void mariadb(`DROP DATABASE IF EXISTS mtrack_bench_${name}; CREATE DATABASE mtrack_bench_${name}`),
    drop: () => void mariadb(`DROP DATABASE IF EXISTS mtrack_bench_${name}`),
    settle: () => undefined,
    settings: ['SET SESSION max_recursive_iterations = 4294967295'],
  },
});

/** 20 metrics, 20 params and 20 tags would be much to make for 100 k runs: 4, 4 and 4 do for searches. */
export async function fill(uri: string, { settings }: Pick<Place, 'settings'>, runs: number): Promise<void> {
  await on(uri, settings, async (run, { id, text, numbers, padded, no }) => {
    const insert = (into: string, select: string) => run(numbers(runs)(`INSERT INTO ${into}`, `${select} FROM n`));
    await insert(
      'runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, source_version, lifecycle_stage, artifact_uri, experiment_id)',
      `SELECT ${padded}, 'run', 'UNKNOWN', '', '', 'me', 'FINISHED', 1700000000000 + (i * 7919) % 1000003, '', 'active', ${text(`'s3://bucket/0/' || ${padded}`)}, 0`,
    );
    for (const at of [0, 1, 2, 3]) {
      const value = `((i * ${7919 + at}) % 10007) / 10007.0`;
      const cycle = text(`'v' || (i % ${10 ** (at + 1)})`);
      await insert(
        `latest_metrics (run_uuid, ${id('key')}, value, ${id('timestamp')}, step, is_nan)`,
        `SELECT ${padded}, 'm${at}', ${value}, 1700000000000, 9, ${no}`,
      );
      await insert(`params (run_uuid, ${id('key')}, value)`, `SELECT ${padded}, 'p${at}', ${cycle}`);
      await insert(`tags (run_uuid, ${id('key')}, value)`, `SELECT ${padded}, 't${at}', ${cycle}`);
    }
  });
}

/** What differs between the dialects in statements that fill. */
interface Words {
  id(name: string): string;
  /** Of parts with `||` between them. */
  text(parts: string): string;
  /** An INSERT of a SELECT from `n`, whose `i` goes from 0 to the count. */
  numbers(count: number): (insert: string, select: string) => string;
  /** `i` as an id of 32 digits. */
  readonly padded: string;
  readonly no: string;
}

async function on(
  uri: string,
  settings: readonly string[],
  work: (run: (statement: string) => Promise<unknown>, words: Words) => Promise<void>,
): Promise<void> {
  const parsed = parseStoreUri(uri);
  if (parsed.kind !== 'database') throw new Error(uri);
  const { dialect, worker } = await openDatabase(parsed, CONNECTION);
  const session = await worker();
  const mysql = dialect.name === 'mysql';
  const numbers = (count: number) =>
    `WITH RECURSIVE n AS (SELECT 0 AS i UNION ALL SELECT i + 1 FROM n WHERE i < ${count - 1})`;
  try {
    for (const setting of settings) await session.run(setting);
    await work((statement) => session.run(statement), {
      id: (name) => dialect.words.id(name),
      text: (parts) => (mysql ? `CONCAT(${parts.replaceAll('||', ',')})` : `(${parts})`),
      numbers: (count) => (insert, select) =>
        mysql ? `${insert} ${numbers(count)} ${select}` : `${numbers(count)} ${insert} ${select}`,
      padded: dialect.name === 'sqlite' ? "printf('%032d', i)" : "LPAD(CAST(i AS CHAR(32)), 32, '0')",
      no: dialect.name === 'postgresql' ? 'FALSE' : '0',
    });
  } finally {
    await session.close();
  }
}

/** The default experiment and so many others, which a store makes that is opened the first time. */
export async function fillExperiments(
  uri: string,
  { settings }: Pick<Place, 'settings'>,
  count: number,
): Promise<void> {
  await on(uri, settings, async (run, { id }) => {
    for (let at = 0; at <= count; at++) {
      const values = `${at}, '${at === 0 ? 'Default' : `experiment ${at}`}', 's3://bucket/${at}', 'active', 1, ${at}`;
      // MySQL takes 0 for "the next one".
      if (at === 0 && uri.startsWith('mysql')) await run("SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'");
      await run(
        `INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time) VALUES (${values})`,
      );
      // FastTrackML fails on a tag of the experiment 0.
      if (at > 0)
        await run(`INSERT INTO experiment_tags (${id('key')}, value, experiment_id) VALUES ('team', 'a', ${at})`);
    }
  });
}

/** So many points of one metric for one run. */
export async function fillHistory(
  uri: string,
  { settings }: Pick<Place, 'settings'>,
  { run: runId, key, points }: { readonly run: string; readonly key: string; readonly points: number },
): Promise<void> {
  await on(uri, settings, async (run, { id, numbers, no }) => {
    const columns = `run_uuid, ${id('key')}, value, ${id('timestamp')}, step, is_nan`;
    const values = (i: string) =>
      `'${runId}', '${key}', (${i} * 7919 % 10007) / 10007.0, 1700000000000 + ${i}, ${i}, ${no}`;
    await run(numbers(points)(`INSERT INTO metrics (${columns})`, `SELECT ${values('i')} FROM n`));
    await run(`INSERT INTO latest_metrics (${columns}) VALUES (${values(String(points - 1))})`);
  });
}
