/** Samples of a database: whole runs with what belongs to them, in scratch databases, and nothing of it stays. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { trialsOf } from '../../src/probe/trial.js';
import { BASE } from '../../src/schema/lineage.js';
import { assess } from '../../src/upgrade/assess.js';
import { mtrack } from '../support/cli.js';
import { opened, type TestDatabase } from '../support/databases.js';
import { scratchOf } from '../support/scratch.js';
import { run, upgradeTo } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';
import { fingerprint } from '../support/untouched.js';

const RUNS = 400;
const METRICS = 10;
const PARAMS = 4;
/** Behind the steps that copy metrics, and make a table of the latest. */
const TARGET = 'bd07f7e963c5';

const numbers = (n: number) => Array.from({ length: n }, (_, i) => i);
/** Runs that follow one another have ids that do not. */
const idOf = (run: number) => ((run * 2_654_435_761) % 2 ** 32).toString(16).padStart(32, '0');

/** MLflow's first schema, with runs that have equally many metrics and params. */
async function filled(database: TestDatabase): Promise<void> {
  await upgradeTo(database, BASE);
  const { dialect } = await opened(database);
  const key = dialect.words.id('key');
  const each = (n: number, tuple: (run: number, i: number) => string) =>
    numbers(RUNS).flatMap((run) => numbers(n).map((i) => tuple(run, i)));
  await run(
    database,
    "INSERT INTO experiments (experiment_id, name, lifecycle_stage) VALUES (1, 'one', 'active')",
    `INSERT INTO runs (run_uuid, name, source_type, entry_point_name, user_id, status, start_time, lifecycle_stage, experiment_id) VALUES ${each(1, (run) => `('${idOf(run)}', 'run', 'LOCAL', '', 'me', 'FINISHED', ${run}, 'active', 1)`)}`,
    `INSERT INTO metrics (${key}, value, timestamp, run_uuid) VALUES ${each(METRICS, (run, i) => `('metric${i % 2}', ${i}, ${i}, '${idOf(run)}')`)}`,
    `INSERT INTO params (${key}, value, run_uuid) VALUES ${each(PARAMS, (run, i) => `('param${i}', 'x', '${idOf(run)}')`)}`,
  );
}

await forEachDialect('a plan timed on a sample', (server) => {
  let database: TestDatabase;
  let folder: string;
  let before: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mtrack-test-'));
    database = await server.empty();
    await filled(database);
    before = await fingerprint(server, database);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await database.drop();
  });

  const untouched = async () => {
    expect(await fingerprint(server, database)).toBe(before);
    expect(await scratchOf(server, folder)).toEqual([]);
  };

  async function tried(onProgress: (abort: () => void) => void) {
    const db = await opened(database);
    const reader = await db.reader(10_000);
    const assessment = await assess(db, TARGET, reader).finally(() => reader.close());
    if (!assessment) throw new Error('nothing to do');
    const stop = new AbortController();
    return trialsOf(db, assessment, {
      signal: stop.signal,
      patience: 10_000,
      sampleRows: (RUNS * METRICS) / 10,
      onProgress: () => onProgress(() => stop.abort(new Error('stopped'))),
    });
  }

  test('has whole runs, so many as their share, and the steps that work on them', async () => {
    const { whole, trials } = await tried(() => undefined);
    expect(whole.rows.get('metrics')).toBe(RUNS * METRICS);
    expect(trials.map((trial) => trial.rows.get('runs'))).toEqual([1, RUNS / 10, RUNS / 10]);
    for (const trial of trials) {
      const runs = trial.rows.get('runs') ?? 0;
      expect(trial.rows.get('metrics')).toBe(runs * METRICS);
      expect(trial.rows.get('params')).toBe(runs * PARAMS);
      expect(trial.rows.get('experiments')).toBe(1);
      expect([...trial.steps.keys()].some((name) => name.includes('alter metrics'))).toBe(true);
    }
    await untouched();
  });

  test('that is stopped leaves nothing', async () => {
    await expect(tried((abort) => abort())).rejects.toThrow('stopped');
    await untouched();
  });

  test('is what --probe shows, every time of it known: of few rows, all are tried', async () => {
    const args = ['db', 'plan', database.uri, '--to', TARGET, '--json'];
    interface PlanJson {
      readonly revisions: readonly {
        readonly steps: readonly {
          readonly seconds: number | null;
          readonly basis: string;
          readonly atMost?: number;
        }[];
      }[];
      readonly blocked: readonly { readonly writesSeconds: number | null; readonly basis: string }[];
      readonly sample?: { readonly table: string; readonly rows: number; readonly of: number };
      readonly unknown?: { readonly because: string; readonly command: string };
    }
    const asked = async (...more: string[]) => {
      const { code, stdout } = await mtrack([...args, ...more], { env: { TMPDIR: folder } });
      expect(code).toBe(0);
      return JSON.parse(stdout) as PlanJson;
    };
    const without = await asked();
    const times = ({ revisions }: PlanJson) => revisions.flatMap(({ steps }) => steps);
    expect(new Set(times(without).map(({ basis }) => basis))).toEqual(new Set(['documented', 'unknown']));
    for (const { seconds, basis, atMost } of times(without)) {
      expect(seconds).toBe(basis === 'unknown' ? null : 0);
      expect(typeof atMost).toBe(basis === 'unknown' ? 'number' : 'undefined');
    }
    expect(without.blocked[0]).toMatchObject({ writesSeconds: null, basis: 'unknown' });
    expect(without.unknown?.command).toBe(`mtrack db plan ${database.uri} --probe`);

    const probed = await asked('--probe');
    expect(new Set(times(probed).map(({ basis }) => basis))).toEqual(new Set(['documented', 'probed']));
    for (const { seconds } of times(probed)) expect(typeof seconds).toBe('number');
    for (const { writesSeconds } of probed.blocked) expect(typeof writesSeconds).toBe('number');
    expect(probed.unknown).toBeUndefined();
    expect(probed.sample).toEqual({ table: 'metrics', rows: RUNS * METRICS, of: RUNS * METRICS });
    await untouched();
  });
});
