/**
 * The database store's hot paths: operations a second and CPU milliseconds an operation (of this process; SQLite works in it,
 * a server does not), at concurrency 1 and 16. Next to each the same statements, as they were recorded, run one after the
 * other on a connection of the driver itself: what is left to be gained without other SQL.
 *
 *   npm run build && node bench/store.ts                      # 10 k runs, three dialects
 *   RUNS=100000 DIALECTS=sqlite SECONDS=1 node bench/store.ts
 *
 * Needs PostgreSQL and MariaDB as for the tests.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Opening = typeof import('../src/store/open.js');
type Uris = typeof import('../src/uri.js');
type Config = typeof import('../src/config.js');
type Dialects = typeof import('../src/dialect/index.js');

const built = (path: string) => import(new URL(`../dist/src/${path}`, import.meta.url).href);
const { openStore } = (await built('store/open.js')) as Opening;
const { parseStoreUri } = (await built('uri.js')) as Uris;
const { DEFAULT_POOL } = (await built('config.js')) as Config;
const { openDatabase } = (await built('dialect/index.js')) as Dialects;

const RUNS = Number(process.env.RUNS ?? 10_000);
const SECONDS = Number(process.env.SECONDS ?? 1);
const ONLY = process.env.ONLY ? new RegExp(process.env.ONLY) : /./;
const FOLDER = mkdtempSync(join(tmpdir(), 'mtrack-bench-'));
const CONNECTION = { pool: DEFAULT_POOL, mysqlTls: { ca: null, cert: null, key: null }, postgresql: {} };

/** Whose statements cannot be run a second time as they are. */
const REPEATED = /^(?:create-run|log-param)/;

interface Place {
  readonly uri: string;
  make(): void;
  drop(): void;
  /** Statements that let one that counts to `RUNS` run. */
  readonly settings: readonly string[];
}

const psql = (text: string) =>
  execFileSync('psql', ['-h', '127.0.0.1', '-U', 'postgres', '-qAt', '-c', text], { stdio: 'pipe' });
const mariadb = (text: string) => execFileSync('mariadb', ['-h', '127.0.0.1', '-u', 'root', '-e', text]);

const PLACES: Readonly<Record<string, Place>> = {
  sqlite: {
    uri: `sqlite:///${join(FOLDER, 'mlflow.db')}`,
    make: () => undefined,
    drop: () => undefined,
    settings: [],
  },
  postgresql: {
    uri: 'postgresql+psycopg2://postgres@127.0.0.1:5432/mtrack_bench_store',
    make: () => {
      psql('DROP DATABASE IF EXISTS mtrack_bench_store');
      psql('CREATE DATABASE mtrack_bench_store');
    },
    drop: () => void psql('DROP DATABASE IF EXISTS mtrack_bench_store WITH (FORCE)'),
    settings: [],
  },
  mysql: {
    uri: 'mysql+pymysql://root@127.0.0.1:3306/mtrack_bench_store',
    make: () => void mariadb('DROP DATABASE IF EXISTS mtrack_bench_store; CREATE DATABASE mtrack_bench_store'),
    drop: () => void mariadb('DROP DATABASE IF EXISTS mtrack_bench_store'),
    settings: ['SET SESSION max_recursive_iterations = 4294967295'],
  },
};

// ---------------------------------------------------------------- the statements themselves

interface Recorded {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** Receives what a driver is given to run. */
let recording: Recorded[] | null = null;

const require = createRequire(import.meta.url);

/** As much of the drivers as is used here; they are CommonJS, and without types of their own. */
interface Driver {
  connect(uri: string): Promise<{ run(statement: Recorded): unknown; close(): unknown }>;
}

type Query = (this: unknown, ...given: unknown[]) => unknown;

function recorded(prototype: { query: Query }): void {
  const { query } = prototype;
  prototype.query = function (...given) {
    const [first, second] = given;
    const config = first as { sql?: string; text?: string; values?: unknown[] };
    const sql = typeof first === 'string' ? first : (config.text ?? config.sql);
    const values = Array.isArray(second) ? second : config.values;
    if (recording && sql !== undefined) recording.push({ sql, values: values ?? [] });
    return query.apply(this, given);
  };
}

const { Client } = require('pg') as {
  Client: {
    new (options: object): { connect(): Promise<void>; query: Query; end(): void };
    prototype: { query: Query };
  };
};
recorded(Client.prototype);
const mysql = require('mysql2') as {
  createConnection(options: object): { query: Query; end(): void };
  Connection: { prototype: { query: Query } };
};
recorded(Object.getPrototypeOf(mysql.Connection.prototype) as { query: Query });

interface Prepared {
  readonly reader: boolean;
  all(values: readonly unknown[]): unknown;
  run(values: readonly unknown[]): unknown;
}
const Sqlite = require('better-sqlite3') as {
  new (path: string): { prepare(sql: string): Prepared; close(): void };
  prototype: { prepare(sql: string): Prepared };
};
const { prepare } = Sqlite.prototype;
Sqlite.prototype.prepare = function (sql) {
  const statement = prepare.call(this, sql);
  const watched =
    <Result>(run: (values: readonly unknown[]) => Result) =>
    (values: readonly unknown[]) => {
      recording?.push({ sql, values });
      return run(values);
    };
  return {
    reader: statement.reader,
    all: watched((values) => statement.all(values)),
    run: watched((values) => statement.run(values)),
  };
};

const DRIVERS: Readonly<Record<string, Driver>> = {
  sqlite: {
    connect: async (uri) => {
      const database = new Sqlite(uri.replace('sqlite:///', ''));
      const kept = new Map<string, Prepared>();
      const run = ({ sql, values }: Recorded) => {
        const statement = kept.get(sql) ?? prepare.call(database, sql);
        kept.set(sql, statement);
        return statement.reader ? statement.all(values) : statement.run(values);
      };
      run({ sql: 'PRAGMA case_sensitive_like = ON', values: [] });
      return { run, close: () => database.close() };
    },
  },
  postgresql: {
    connect: async (uri) => {
      const client = new Client({ connectionString: uri.replace('+psycopg2', '') });
      await client.connect();
      const names = new Map<string, string>();
      const run = ({ sql, values }: Recorded) => {
        if (values.length === 0) return client.query(sql);
        const name = names.get(sql) ?? `s${names.size}`;
        names.set(sql, name);
        return client.query({ name, text: sql, values });
      };
      return { run, close: () => client.end() };
    },
  },
  mysql: {
    connect: async (uri) => {
      const connection = mysql.createConnection({ uri: uri.replace('+pymysql', '') });
      const run = ({ sql, values }: Recorded) =>
        new Promise((resolve, reject) => {
          connection.query(sql, values, (error: unknown, rows: unknown) => (error ? reject(error) : resolve(rows)));
        });
      return { run, close: () => connection.end() };
    },
  },
};

/** Other times, steps and values each time: else nothing would be written. */
function later(value: unknown, by: number): unknown {
  if (Array.isArray(value)) return value.map((each) => later(each, by));
  // 0 and 1 may be booleans.
  return typeof value === 'number' && value > 1 ? value + by : value;
}

async function raw(name: string, uri: string, work: () => Promise<unknown>, writes: boolean): Promise<Measured | null> {
  const driver = DRIVERS[name];
  if (!driver) return null;
  await work();
  const statements: Recorded[] = [];
  recording = statements;
  await work();
  recording = null;
  // A param is written once only.
  const repeatable = statements.filter(({ sql }) => !/^insert into .params/i.test(sql));
  const connection = await driver.connect(uri);
  let time = 0;
  const measured = await measure(async () => {
    time += 1_000_000;
    for (const { sql, values } of repeatable) {
      await connection.run({ sql, values: writes ? values.map((value) => later(value, time)) : values });
    }
  }, 1);
  connection.close();
  return measured;
}

/** 20 metrics, 20 params and 20 tags would be much to make for 100 k runs: 4, 4 and 4 do for searches. */
async function fill(uri: string, { settings }: Place): Promise<void> {
  const parsed = parseStoreUri(uri);
  if (parsed.kind !== 'database') throw new Error(uri);
  const database = await openDatabase(parsed, CONNECTION);
  const session = await database.worker();
  const { id } = database.dialect.words;
  const mysql = database.dialect.name === 'mysql';
  const text = (parts: string) => (mysql ? `CONCAT(${parts.replaceAll('||', ',')})` : `(${parts})`);
  const numbers = `WITH RECURSIVE n AS (SELECT 0 AS i UNION ALL SELECT i + 1 FROM n WHERE i < ${RUNS - 1})`;
  const insert = (into: string, select: string) =>
    session.run(mysql ? `INSERT INTO ${into} ${numbers} ${select}` : `${numbers} INSERT INTO ${into} ${select}`);
  const padded =
    mysql || database.dialect.name === 'postgresql' ? "LPAD(CAST(i AS CHAR(32)), 32, '0')" : "printf('%032d', i)";
  for (const setting of settings) await session.run(setting);
  await insert(
    'runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, source_version, lifecycle_stage, artifact_uri, experiment_id)',
    `SELECT ${padded}, 'run', 'UNKNOWN', '', '', 'me', 'FINISHED', 1700000000000 + (i * 7919) % 1000003, '', 'active', ${text(`'s3://bucket/0/' || ${padded}`)}, 0 FROM n`,
  );
  for (const at of [0, 1, 2, 3]) {
    const value = `((i * ${7919 + at}) % 10007) / 10007.0`;
    await insert(
      `latest_metrics (run_uuid, ${id('key')}, value, ${id('timestamp')}, step, is_nan)`,
      `SELECT ${padded}, 'm${at}', ${value}, 1700000000000, 9, ${database.dialect.name === 'postgresql' ? 'FALSE' : '0'} FROM n`,
    );
    await insert(
      `params (run_uuid, ${id('key')}, value)`,
      `SELECT ${padded}, 'p${at}', ${text(`'v' || (i % ${10 ** (at + 1)})`)} FROM n`,
    );
    await insert(
      `tags (run_uuid, ${id('key')}, value)`,
      `SELECT ${padded}, 't${at}', ${text(`'v' || (i % ${10 ** (at + 1)})`)} FROM n`,
    );
  }
  await session.close();
}

interface Measured {
  readonly perSecond: number;
  readonly cpu: number;
}

async function measure(work: () => Promise<unknown>, concurrency: number): Promise<Measured> {
  for (let at = 0; at < 3; at++) await work();
  const began = performance.now();
  const cpu = process.cpuUsage();
  let done = 0;
  const until = began + SECONDS * 1000;
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (performance.now() < until) {
        await work();
        done += 1;
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: done / seconds, cpu: (user + system) / 1000 / done };
}

const many = <Item>(count: number, item: (at: number) => Item) => Array.from({ length: count }, (_, at) => item(at));

async function bench(name: string, place: Place): Promise<void> {
  place.make();
  console.log(
    `${name.padEnd(11)}  ${'one at a time'.padStart(40)}  ${'sixteen'.padStart(20)}  ${'its statements alone'.padStart(20)}`,
  );
  const store = await openStore(parseStoreUri(place.uri), { connection: CONNECTION, artifactRoot: FOLDER, init: true });
  try {
    await fill(place.uri, place);
    const { info } = await store.runs.create({ experiment_id: '0', tags: [], run_name: 'x', start_time: 1 });
    const id = info.run_id;
    for (let at = 0; at < 10; at++) {
      await store.runs.logBatch(id, {
        metrics: many(1000, (n) => ({ key: 'history', value: n, timestamp: at * 1000 + n, step: at * 1000 + n })),
        params: [],
        tags: [],
      });
    }
    for (const at of many(50, (n) => n))
      await store.experiments.create({ name: `e${at}`, tags: [{ key: 'a', value: 'b' }] });
    let n = 0;
    const batch = () => ({
      metrics: many(100, (at) => ({ key: `metric${at}`, value: at + n, timestamp: Date.now(), step: n++ })),
      params: many(20, (at) => ({ key: `param${at}`, value: 'value' })),
      tags: many(20, (at) => ({ key: `tag${at}`, value: `value ${n}` })),
    });
    const ids = many(64, () => store.runs.create({ experiment_id: '0', tags: [], run_name: 'x', start_time: 1 }));
    const targets = (await Promise.all(ids)).map((run) => run.info.run_id);
    const target = () => targets[n++ % targets.length] as string;
    const question = { experiment_ids: ['0'], max_results: 100 };
    const works: Readonly<Record<string, () => Promise<unknown>>> = {
      'log-batch': () => store.runs.logBatch(target(), batch()),
      'log-metric': () => store.runs.logMetric(target(), { key: 'm', value: n++, timestamp: n, step: n }),
      'log-param': () => store.runs.logParam(target(), { key: `p${n++}`, value: 'v' }),
      'set-tag': () => store.runs.setTag(target(), { key: `t${n++ % 10}`, value: 'v' }),
      'create-run': () => store.runs.create({ experiment_id: '0', tags: [{ key: 'a', value: 'b' }], start_time: 1 }),
      'update-run': () => store.runs.update(target(), { status: 'FINISHED', end_time: n++ }),
      'get-run': () => store.runs.get('42'.padStart(32, '0')),
      'get-run, big': () => store.runs.get(targets[0] as string),
      'search: latest 100': () => store.runs.search(question),
      'search: filter, order': () =>
        store.runs.search({
          ...question,
          filter: "params.p1 = 'v7' AND metrics.m0 > 0.5",
          order_by: ['metrics.m1 DESC'],
        }),
      'search: metric order': () => store.runs.search({ ...question, order_by: ['metrics.m1 DESC'] }),
      'search: rare param': () => store.runs.search({ ...question, filter: "params.p3 = 'v777'" }),
      'search: tag like': () => store.runs.search({ ...question, filter: "tags.t2 LIKE 'v12%'" }),
      'history of 10 k': () => store.metrics.history(id, 'history'),
      'history, a page': () => store.metrics.history(id, 'history', { max_results: 1000 }),
      'sampled history': () => store.metrics.historyInterval([id], 'history', 320),
      'search-experiments': () => store.experiments.search({}),
      'get-experiment': () => store.experiments.get('0'),
    };
    for (const [what, work] of Object.entries(works)) {
      if (!ONLY.test(what)) continue;
      const one = await measure(work, 1);
      const sixteen = await measure(work, 16);
      const alone = REPEATED.test(what) ? null : await raw(name, place.uri, work, /^log-/.test(what));
      console.log(
        [
          name.padEnd(11),
          what.padEnd(22),
          `${one.perSecond.toFixed(0).padStart(7)}/s ${one.cpu.toFixed(2).padStart(7)} ms`,
          `${sixteen.perSecond.toFixed(0).padStart(7)}/s ${sixteen.cpu.toFixed(2).padStart(7)} ms`,
          alone ? `${alone.perSecond.toFixed(0).padStart(7)}/s ${alone.cpu.toFixed(2).padStart(7)} ms` : '',
        ].join('  '),
      );
    }
  } finally {
    await store.close();
    place.drop();
  }
}

try {
  for (const [name, place] of Object.entries(PLACES)) {
    if (!(process.env.DIALECTS ?? name).split(',').includes(name)) continue;
    await bench(name, place);
  }
} finally {
  rmSync(FOLDER, { recursive: true, force: true });
}
