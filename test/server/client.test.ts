/** The real MLflow client does the same job against MLflow's server and against this one, on every kind of store. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SERVERS, type TestDatabase } from '../support/databases.js';
import { ORACLE_HEAD, PYTHON } from '../support/mlflow.js';
import { upgradeTo } from '../support/state.js';
import { type MlflowTarget, type RunningServer, startMlflow, startServer } from './processes.js';

const exec = promisify(execFile);
const KINDS = ['sqlite', 'postgresql', 'mysql'] as const;
type Kind = (typeof KINDS)[number];

/** What is not the same, and why: by kind of store, area, and what was asked. */
const DIFFERENT: Readonly<Partial<Record<string, string>>> = {
  "postgresql models status = 'READY'": 'MLflow compares a number with a text, which PostgreSQL refuses',
};

type Results = Readonly<Record<string, readonly unknown[]>>;

const cleanup: (() => Promise<void> | void)[] = [];
const results = new Map<Kind, { readonly theirs: Results; readonly ours: Results }>();

/** Two stores of the kind, both at the revision of MLflow 3.17: it runs beside it. */
async function twoStores(kind: Kind): Promise<readonly [MlflowTarget, MlflowTarget]> {
  const folders = [0, 1].map(() => mkdtempSync(join(tmpdir(), 'mtrack-client-')));
  cleanup.push(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
  const server = SERVERS[kind];
  const databases: TestDatabase[] = [await server.empty()];
  cleanup.push(async () => {
    for (const database of databases) await database.drop();
  });
  await upgradeTo(databases[0] as TestDatabase, ORACLE_HEAD);
  databases.push(await server.copy(databases[0] as TestDatabase));
  return databases.map(({ uri }, i) => ({ uri, destination: join(folders[i] ?? '', 'artifacts') })) as [
    MlflowTarget,
    MlflowTarget,
  ];
}

async function job(url: string): Promise<Results> {
  const cwd = mkdtempSync(join(tmpdir(), 'mtrack-client-'));
  mkdirSync(join(cwd, 'work'));
  try {
    const { stdout } = await exec(PYTHON, [join(import.meta.dirname, 'client', 'job.py'), `database=${url}`], {
      cwd,
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    });
    return (JSON.parse(stdout) as { results: Results }).results;
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

beforeAll(async () => {
  const stores = await Promise.all(KINDS.map(twoStores));
  const mlflow = await startMlflow(stores.map(([theirs]) => theirs));
  cleanup.push(async () => mlflow[Symbol.asyncDispose]());
  const servers: RunningServer[] = [];
  for (const [, { uri, destination }] of stores) {
    servers.push(
      await startServer(['--artifacts-destination', destination], { env: { MLFLOW_BACKEND_STORE_URI: uri } }),
    );
  }
  cleanup.push(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
  });
  for (const [i, kind] of KINDS.entries()) {
    // One core for each client, and its server waits while it works.
    const [theirs, ours] = await Promise.all([job(mlflow.urls[i] ?? ''), job(servers[i]?.url ?? '')]);
    results.set(kind, { theirs, ours });
  }
}, 900_000);

afterAll(async () => {
  for (const clean of cleanup.reverse()) await clean();
});

describe.each(KINDS)("MLflow's client on %s", (kind) => {
  test.each(['experiments', 'runs', 'artifacts', 'models', 'registry', 'traces'])('%s', (area) => {
    const { theirs, ours } = results.get(kind) ?? { theirs: {}, ours: {} };
    const [expected, actual] = [theirs[area] ?? [], ours[area] ?? []];
    expect(expected.length).toBeGreaterThan(10);
    expect(expected.filter((each) => typeof each === 'object' && each !== null && 'failed' in each)).toEqual([]);
    const same = (list: readonly unknown[]) =>
      list.map((each) => (Array.isArray(each) && DIFFERENT[`${kind} ${area} ${each[0]}`]) || each);
    expect(same(actual)).toEqual(same(expected));
  });
});
