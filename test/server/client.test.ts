/** The real MLflow client does the same job against MLflow's server and against this one, on every kind of store. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SERVERS } from '../support/databases.js';
import { ORACLE_HEAD, PYTHON } from '../support/mlflow.js';
import { upgradeTo } from '../support/state.js';
import { type MlflowTarget, type RunningServer, startMlflow, startServer } from './processes.js';

const exec = promisify(execFile);
const JOB = join(import.meta.dirname, 'client', 'job.py');
const KINDS = ['sqlite', 'postgresql', 'mysql', 'files'] as const;
type Kind = (typeof KINDS)[number];

/** What is not the same, and why: by kind of store, area, and what was asked. */
const DIFFERENT: Readonly<Partial<Record<string, string>>> = {
  "postgresql models status = 'READY'": 'MLflow compares a number with a text, which PostgreSQL refuses',
};

type Results = Readonly<Record<string, readonly unknown[]>>;

const cleanup: (() => Promise<void> | void)[] = [];
const results = new Map<Kind, { readonly theirs: Results; readonly ours: Results }>();

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'mtrack-client-'));
  cleanup.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Two stores of the kind, databases at the revision of MLflow 3.17: it runs beside it. */
async function twoStores(kind: Kind): Promise<readonly [MlflowTarget, MlflowTarget]> {
  const target = (uri: string): MlflowTarget => ({ uri, destination: join(folder(), 'artifacts') });
  if (kind === 'files') return [target(join(folder(), 'mlruns')), target(join(folder(), 'mlruns'))];
  const server = SERVERS[kind];
  const first = await server.empty();
  cleanup.push(() => first.drop());
  await upgradeTo(first, ORACLE_HEAD);
  const second = await server.copy(first);
  cleanup.push(() => second.drop());
  return [target(first.uri), target(second.uri)];
}

async function job(kind: Kind, url: string): Promise<Results> {
  const cwd = mkdtempSync(join(tmpdir(), 'mtrack-client-'));
  mkdirSync(join(cwd, 'work'));
  try {
    const { stdout } = await exec(PYTHON, [JOB, `${kind === 'files' ? kind : 'database'}=${url}`], {
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
    const [theirs, ours] = await Promise.all([job(kind, mlflow.urls[i] ?? ''), job(kind, servers[i]?.url ?? '')]);
    results.set(kind, { theirs, ours });
  }
}, 900_000);

afterAll(async () => {
  for (const clean of cleanup.reverse()) await clean();
});

describe.each(KINDS)("MLflow's client on %s", (kind) => {
  const areas = ['experiments', 'runs', 'artifacts', 'models', 'registry', 'traces'];
  test.each(kind === 'files' ? areas.filter((area) => area !== 'registry') : areas)('%s', (area) => {
    const { theirs, ours } = results.get(kind) ?? { theirs: {}, ours: {} };
    const [expected, actual] = [theirs[area] ?? [], ours[area] ?? []];
    expect(expected.length).toBeGreaterThan(10);
    expect(expected.filter((each) => typeof each === 'object' && each !== null && 'failed' in each)).toEqual([]);
    const same = (list: readonly unknown[]) =>
      list.map((each) => (Array.isArray(each) && DIFFERENT[`${kind} ${area} ${each[0]}`]) || each);
    expect(same(actual)).toEqual(same(expected));
  });
});
