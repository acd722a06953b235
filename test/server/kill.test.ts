/**
 * The server is killed (SIGKILL) under load, and started again: all that it acknowledged is there, and what it did not is there
 * in whole or not at all. MTRACK_TESTS=all kills it fifty times on each kind of store.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { SERVERS } from '../support/databases.js';
import { random } from '../support/kill.js';
import { type RunningServer, startServer, stopped } from './processes.js';

const TIMES = process.env.MTRACK_TESTS === 'all' ? 50 : 2;
const API = '/api/2.0/mlflow';

type Pair = { readonly key: string; readonly value: string };

interface Run {
  readonly info: { readonly run_id: string; readonly run_name: string; readonly status: string };
  readonly data: { readonly params?: readonly Pair[]; readonly tags: readonly Pair[] };
}

/** Of every answer, what is looked at. */
interface Answer {
  readonly metrics?: readonly { readonly step: number }[];
  readonly run: Run;
  readonly experiment_id: string;
  readonly experiment: { readonly tags: readonly Pair[] };
  readonly trace: { readonly trace_info: { readonly state: string } };
  readonly model_version: { readonly version: string };
}

async function asked(url: string, path: string, json?: object, method = json ? 'POST' : 'GET'): Promise<Answer> {
  const answer = await fetch(`${url}${path}`, {
    method,
    ...(json && { body: JSON.stringify(json), headers: { 'content-type': 'application/json' } }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path} ${answer.status}: ${text}`);
  return JSON.parse(text || '{}') as Answer;
}

/** What was acknowledged, each with a look whether it is there. */
type Promised = (url: string) => Promise<void>;

const steps = async (url: string, run_id: string, metric_key: string): Promise<number[]> => {
  const { metrics = [] } = await asked(
    url,
    `${API}/metrics/get-history?${new URLSearchParams({ run_id, metric_key })}`,
  );
  return metrics.map(({ step }) => step);
};

const numbers = (length: number) => Array.from({ length }, (_, i) => i);

/** Writers that go on until the server is gone; one more than was acknowledged may have been written. */
function writers(url: string, name: string, run_id: string, registry: boolean, promised: Promised[]) {
  let points = 0;
  let batches = 0;
  promised.push(async (again) => {
    const found = await steps(again, run_id, `${name}-point`);
    expect([points, points + 1]).toContain(found.length);
    expect(found).toEqual(numbers(found.length));
  });
  promised.push(async (again) => {
    const found = await steps(again, run_id, `${name}-batch`);
    expect([batches * 20, (batches + 1) * 20]).toContain(found.length);
    const { run } = await asked(again, `${API}/runs/get?run_id=${run_id}`);
    const params = run.data.params?.filter(({ key }) => key.startsWith(`${name}-`)) ?? [];
    expect(params.length).toBe(found.length / 20);
    if (batches > 0) expect([batches - 1, batches]).toContain(Number(tagOf(run, name)));
  });
  return {
    point: async (at: number) => {
      const value = { key: `${name}-point`, value: at, timestamp: at, step: at };
      await asked(url, `${API}/runs/log-metric`, { run_id, ...value });
      points += 1;
    },
    batch: async (at: number) => {
      await asked(url, `${API}/runs/log-batch`, {
        run_id,
        metrics: numbers(20).map((n) => ({ key: `${name}-batch`, value: n, timestamp: at, step: at * 20 + n })),
        params: [{ key: `${name}-${at}`, value: 'v'.repeat(100) }],
        tags: [{ key: name, value: String(at) }],
      });
      batches += 1;
    },
    run: async (at: number) => {
      const { run } = await asked(url, `${API}/runs/create`, { experiment_id: '0', run_name: `${name} ${at}` });
      const id = run.info.run_id;
      promised.push(async (again) => {
        expect((await asked(again, `${API}/runs/get?run_id=${id}`)).run.info.run_name).toBe(`${name} ${at}`);
      });
      await asked(url, `${API}/runs/update`, { run_id: id, status: 'FINISHED', end_time: 7 });
      promised.push(async (again) => {
        expect((await asked(again, `${API}/runs/get?run_id=${id}`)).run.info.status).toBe('FINISHED');
      });
    },
    experiment: async (at: number) => {
      const { experiment_id } = await asked(url, `${API}/experiments/create`, { name: `${name} ${at}` });
      await asked(url, `${API}/experiments/set-experiment-tag`, { experiment_id, key: 'k', value: name });
      const trace_location = { type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id } };
      const trace_id = `tr-${name}-${at}`;
      const trace = { trace_id, trace_location, request_time: '2026-01-02T03:04:05Z', state: 'OK' };
      await asked(url, '/api/3.0/mlflow/traces', { trace: { trace_info: trace } });
      promised.push(async (again) => {
        const found = await asked(again, `${API}/experiments/get?experiment_id=${experiment_id}`);
        expect(found.experiment.tags).toContainEqual({ key: 'k', value: name });
        expect((await asked(again, `/api/3.0/mlflow/traces/${trace_id}`)).trace.trace_info.state).toBe('OK');
      });
    },
    file: async (at: number) => {
      const path = `/api/2.0/mlflow-artifacts/artifacts/${name}/${at}`;
      const body = String(at).padStart(8, '0').repeat(20_000);
      const answer = await fetch(`${url}${path}`, { method: 'PUT', body });
      if (!answer.ok) throw new Error(`${path} ${answer.status}: ${await answer.text()}`);
      promised.push(async (again) => {
        expect((await (await fetch(`${again}${path}`)).text()) === body, `all of ${path}`).toBe(true);
      });
    },
    ...(registry && {
      version: async (at: number) => {
        if (at === 0) await asked(url, `${API}/registered-models/create`, { name });
        const { model_version } = await asked(url, `${API}/model-versions/create`, {
          name,
          source: 's3://bucket/model',
        });
        const { version } = model_version;
        await asked(url, `${API}/registered-models/alias`, { name, alias: `a${version}`, version });
        promised.push(async (again) => {
          const found = await asked(again, `${API}/registered-models/alias?name=${name}&alias=a${version}`);
          expect(found.model_version.version).toBe(version);
        });
      },
    }),
  };
}

const tagOf = (run: Run, key: string) => run.data.tags.find((tag) => tag.key === key)?.value;

/** Writes until it is killed. @returns what it has promised */
async function loaded(server: RunningServer, name: string, registry: boolean, afterMs: number): Promise<Promised[]> {
  const { run } = await asked(server.url, `${API}/runs/create`, { experiment_id: '0' });
  const promised: Promised[] = [];
  let alive = true;
  const loop = async (work: (at: number) => Promise<void>) => {
    for (let at = 0; alive; at++) {
      try {
        await work(at);
      } catch (error) {
        // An answer of the server, other than that it is gone.
        if (alive && !/fetch failed|terminated/.test((error as Error).message)) throw error;
        return;
      }
    }
  };
  const work = Object.values(writers(server.url, name, run.info.run_id, registry, promised)).map(loop);
  await Promise.race([sleep(afterMs), ...work]);
  await stopped(server.process, 'SIGKILL');
  alive = false;
  await Promise.all(work);
  return promised;
}

const kinds = [...Object.values(SERVERS).map(({ dialect }) => dialect), 'files'];

describe.each(kinds)('a server that is killed on %s', (kind) => {
  test(`keeps its promises, ${TIMES} times`, { timeout: 3_600_000 }, async ({ skip }) => {
    const database = Object.values(SERVERS).find(({ dialect }) => dialect === kind);
    const reason = await database?.unavailable();
    if (typeof reason === 'string') return skip(reason);
    const folder = mkdtempSync(join(tmpdir(), 'mtrack-killed-'));
    const empty = await database?.empty();
    const env = { MLFLOW_BACKEND_STORE_URI: empty?.uri ?? join(folder, 'mlruns') };
    const between = random(kinds.indexOf(kind));
    try {
      let promised: Promised[] = [];
      for (let round = 0; round <= TIMES; round++) {
        // Every other time there are two of them, and it is their primary that is killed.
        const args = ['--artifacts-destination', join(folder, 'files'), '--workers', String((round % 2) + 1)];
        const server = await startServer([...args, ...(round === 0 && database ? ['--init'] : [])], { env });
        for (const isThere of promised) await isThere(server.url);
        promised = [];
        if (round === TIMES) await server[Symbol.asyncDispose]();
        else promised = await loaded(server, `r${round}`, database !== undefined, 200 + between() * 1500);
      }
    } finally {
      await empty?.drop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
