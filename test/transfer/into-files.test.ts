/**
 * Databases moved into file stores: real MLflow reads there what it read from the database, as far as files hold it, and what
 * they do not is told by name and count. Nothing that is there is deleted; a run that was killed goes on.
 */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { finished, mtrack, type RunOptions, start } from '../support/cli.js';
import { SERVERS, type Server, type TestDatabase, withDatabase } from '../support/databases.js';
import { EVERYTHING } from '../support/extent.js';
import { expectedAfterUpgrade, fileStoreReleases, releases, unpackFileStore } from '../support/fixtures.js';
import { random } from '../support/kill.js';
import { Oracle } from '../support/oracle.js';
import { query, run } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';

const missing = inject('oracleMissing');
const NEWEST = releases('sqlite').at(-1) ?? '';
const SEED = Number(process.env.SEED ?? 1);

let folder: string;
let oracle: Oracle;
let source: TestDatabase;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mtrack-into-files-'));
  source = await SERVERS.sqlite.load(NEWEST);
  if (missing === null) oracle = new Oracle();
});
afterAll(async () => {
  await oracle?.[Symbol.asyncDispose]();
  await source?.drop();
  rmSync(folder, { recursive: true, force: true });
});

let stores = 0;
const fresh = () => join(folder, `mlruns${stores++}`);

interface Imported {
  readonly tables: readonly {
    readonly table: string;
    readonly added: number;
    readonly equal: number;
    readonly updated: number;
    readonly kept: number;
    readonly leftBehind: number;
  }[];
  readonly problems: readonly {
    readonly kind: string;
    readonly where: string;
    readonly rows: Readonly<Record<string, number>>;
  }[];
  readonly unproven: readonly string[];
}

async function imported(from: string, to: string, ...flags: string[]): Promise<Imported> {
  const { code, stdout, stderr } = await mtrack(['import', '--from', from, '--to', to, '--yes', '--json', ...flags]);
  expect({ stderr, said: code === 0 || code === 21 ? '' : stdout }).toEqual({ stderr: '', said: '' });
  const found = JSON.parse(stdout) as Imported;
  expect(code).toBe(found.problems.length === 0 ? 0 : 21);
  expect(found.unproven).toEqual([]);
  return found;
}

const changed = ({ tables }: Imported) =>
  tables
    .filter(({ added, updated }) => added + updated > 0)
    .map(({ table, added, updated }) => ({ table, added, updated }));

/** Every file, with its content and its time. */
const everyFile = (root: string) =>
  execFileSync('bash', ['-c', 'find . -type f -printf "%p %T@ " -exec sha256sum {} \\; | sort'], {
    cwd: root,
    encoding: 'utf8',
  }).split('\n');

const alike = (one: string, other: string, ...without: string[]) =>
  execFileSync('diff', ['-r', ...without.flatMap((name) => ['-x', name]), one, other], { encoding: 'utf8' });

/** Nothing of ours is left. */
const leftovers = (root: string) =>
  execFileSync('find', [root, '-name', '*mtrack*'], { encoding: 'utf8' }).split('\n').filter(Boolean);

// ---------------------------------------------------------------- what MLflow reads

/** The one way in which files and databases say the same. */
function said(store: unknown): Record<string, unknown> {
  const read = structuredClone(store) as Record<string, Record<string, Record<string, unknown>>>;
  for (const noun of ['errors', 'evaluation_datasets', 'webhooks']) delete read[noun];
  for (const each of Object.values(read.runs ?? {})) {
    delete each.artifacts;
    const history = each.metric_history as Record<string, unknown[]>;
    for (const [key, points] of Object.entries(history))
      history[key] = (infinities(points) as unknown[]).map((point) => JSON.stringify(point)).sort();
  }
  for (const [name, model] of Object.entries(read.registered_models ?? {})) {
    // Its name is no name of a folder.
    if (name.includes('/')) {
      delete read.registered_models?.[name];
      continue;
    }
    if (model.aliases) model.aliases = texts(model.aliases);
    // The file store finds the aliases of a version by a text, and the database by a number.
    for (const each of Object.values((model.latest_versions ?? []) as { aliases?: unknown }[])) delete each.aliases;
  }
  for (const model of Object.values(read.logged_models ?? {})) model.metrics = latest((model.metrics ?? []) as Point[]);
  for (const trace of Object.values(read.traces ?? {})) {
    const { tags, assessments = [] } = trace.info as {
      tags: Record<string, unknown>;
      assessments?: { valid?: boolean }[];
    };
    // Spans of a database become artifacts.
    delete tags['mlflow.trace.spansLocation'];
    delete tags['mlflow.artifactLocation'];
    for (const each of assessments) if (each.valid === true) delete each.valid;
  }
  return infinities(read) as Record<string, unknown>;
}

const texts = (values: unknown) =>
  Object.fromEntries(Object.entries(values as object).map(([key, value]) => [key, String(value)]));

interface Point {
  readonly key: string;
  readonly step: number;
  readonly dataset_name: unknown;
}

/** A database gives all points of a logged model, files the latest. */
function latest(points: readonly Point[]): Point[] {
  const found = new Map<string, Point>();
  for (const point of points) {
    const key = JSON.stringify([point.key, point.dataset_name]);
    if ((found.get(key)?.step ?? -1) <= point.step) found.set(key, point);
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, point]) => point);
}

/** How MLflow's databases hold them. */
function infinities(value: unknown): unknown {
  if (value === Number.MAX_VALUE || value === -Number.MAX_VALUE) return value > 0 ? 'Infinity' : '-Infinity';
  if (Array.isArray(value)) return value.map(infinities);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, infinities(each)]));
}

/** One of each database; the newest of SQLite. */
const of = ({ dialect }: Server, at: number) =>
  releases(dialect).filter((release, n) => EVERYTHING || (at === 0 ? release === NEWEST : n % 3 === at));

await forEachDialect('into files, from', (server) => {
  const at = Object.values(SERVERS).indexOf(server);
  describe.skipIf(missing !== null)(missing === null ? 'real MLflow' : `NOT RUN, ${missing}`, () => {
    test.each(of(server, at))('what MLflow %s wrote', async (release) => {
      await withDatabase(
        () => server.load(release),
        async (database) => {
          const root = fresh();
          const done = await imported(database.uri, root);
          const read = await oracle.read(root);
          expect(Object.keys(read.runs ?? {}).length).toBeGreaterThan(0);
          expect(said(read)).toEqual(said(expectedAfterUpgrade(server.dialect, release)));
          await oracle.makeExperiment(root, 'made afterwards');
          if (release !== NEWEST) return;
          const left = Object.fromEntries(done.tables.map(({ table, leftBehind }) => [table, leftBehind]));
          for (const table of ['webhooks', 'jobs', 'secrets', 'evaluation_datasets']) {
            const [row] = await query<{ n: number }>(database, `SELECT COUNT(*) AS n FROM ${table}`);
            expect({ table, left: left[table] }).toEqual({ table, left: Number(row?.n) });
          }
        },
      );
    });
  });

  // MariaDB takes its time to make tables.
  test.skipIf(server.dialect === 'mysql' && !EVERYTHING)(
    'and back, the same rows; and files again, the same files',
    async () => {
      const root = fresh();
      await imported(source.uri, root);
      await withDatabase(
        () => server.empty(),
        async (database) => {
          await imported(root, database.uri);
          const again = fresh();
          await imported(database.uri, again);
          // Spans are artifacts by now, which an import leaves where they are.
          expect(alike(root, again, 'traces.json', 'artifacts')).toBe('');
          for (const [table, columns] of Object.entries(SAME)) {
            const rows = async (of: TestDatabase) =>
              (await query(of, `SELECT ${columns} FROM ${table}`)).map((row) => JSON.stringify(row, plain)).sort();
            expect({ table, rows: await rows(database) }).toEqual({ table, rows: await rows(source) });
          }
        },
      );
    },
  );
});

/** Numbers of 64 bits come as text from some drivers, and flags as numbers. */
const plain = (_: string, value: unknown) =>
  typeof value === 'boolean'
    ? Number(value)
    : typeof value === 'string' && /^-?\d{1,15}$/.test(value)
      ? Number(value)
      : value;

const SAME = {
  experiments: 'experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time',
  runs: 'run_uuid, name, source_type, user_id, status, start_time, end_time, lifecycle_stage, artifact_uri, experiment_id, deleted_time',
  datasets: 'experiment_id, name, digest, dataset_source_type, dataset_source, dataset_schema, dataset_profile',
  registered_models: 'name, creation_time, last_updated_time, description',
  model_versions:
    'name, version, creation_time, last_updated_time, description, user_id, current_stage, source, run_id, status, status_message, run_link, storage_location',
  registered_model_aliases: 'name, alias, version',
  logged_models:
    'model_id, experiment_id, name, artifact_location, creation_timestamp_ms, last_updated_timestamp_ms, status, lifecycle_stage, model_type, source_run_id',
  trace_info:
    'request_id, experiment_id, timestamp_ms, execution_time_ms, status, request_preview, session_id, trace_name',
};

/** What a database does not hold of files: points twice, datasets of points, the sign of zero, and models of versions. */
function once(store: Record<string, unknown>): unknown {
  const read = said(store) as {
    runs: Record<string, { metric_history: Record<string, string[]>; latest_metrics: Record<string, unknown>[] }>;
    registered_models: Record<
      string,
      { latest_versions: Record<string, unknown>[]; versions: Record<string, unknown>[] }
    >;
  };
  for (const run of Object.values(read.runs)) {
    for (const [key, points] of Object.entries(run.metric_history)) run.metric_history[key] = [...new Set(points)];
    for (const point of run.latest_metrics ?? []) for (const of of ['name', 'digest']) delete point[`dataset_${of}`];
    run.latest_metrics?.sort((a, b) => (String(a.key) < String(b.key) ? -1 : 1));
  }
  for (const model of Object.values(read.registered_models)) {
    for (const each of [...(model.latest_versions ?? []), ...(model.versions ?? [])]) {
      for (const of of ['model_id', 'metrics', 'params']) delete each[of];
    }
  }
  return JSON.parse(JSON.stringify(read, (_, value) => (value === 0 ? 0 : value)));
}

test.skipIf(missing !== null)('files through SQLite are what they were to MLflow', async () => {
  for (const release of EVERYTHING ? fileStoreReleases() : fileStoreReleases().slice(-1)) {
    const root = unpackFileStore(release, mkdtempSync(join(folder, 'store-')));
    await withDatabase(
      () => SERVERS.sqlite.empty(),
      async (database) => {
        await imported(root, database.uri);
        const again = fresh();
        await imported(database.uri, again);
        expect(once(await oracle.read(again))).toEqual(once(await oracle.read(root)));
      },
    );
  }
});

// ---------------------------------------------------------------- keys that are paths

describe('a key whose file would be in the way of another one', () => {
  const withKeys = async (use: (copy: TestDatabase, run_uuid: string) => Promise<void>) => {
    const copy = await SERVERS.sqlite.copy(source);
    try {
      const [row] = await query<{ run_uuid: string }>(copy, 'SELECT run_uuid FROM runs ORDER BY run_uuid LIMIT 1');
      await use(copy, row?.run_uuid ?? '');
    } finally {
      await copy.drop();
    }
  };
  const param = (key: string, id: string) =>
    `INSERT INTO params ("key", value, run_uuid) VALUES ('${key}', 'x', '${id}')`;
  const refused = ({ problems }: Pick<Imported, 'problems'>, id: string) =>
    problems.filter(({ where }) => where.includes(id) && /deep/.test(where));

  test('is named beforehand, with that one, and stays behind', async () => {
    await withKeys(async (copy, id) => {
      const point = (table: string) =>
        ['deep', 'deep/er'].map(
          (key) =>
            `INSERT INTO ${table} ("key", value, timestamp, run_uuid, step, is_nan) VALUES ('${key}', 0.5, 1, '${id}', 0, 0)`,
        );
      await run(copy, param('deep', id), param('deep/er/still', id), ...point('metrics'), ...point('latest_metrics'));
      const root = fresh();
      const named = ['params', 'metrics', 'latest_metrics'].map((table) => ({
        kind: 'not-held',
        where: expect.stringMatching(new RegExp(`^${table}, key "deep/er`)),
        reason: expect.stringContaining('"deep"'),
        rows: { [table]: 1 },
      }));
      const { stdout } = await mtrack(['import', '--from', copy.uri, '--to', root, '--dry-run', '--json']);
      expect(refused(JSON.parse(stdout) as Imported, id)).toEqual(expect.arrayContaining(named));
      expect(existsSync(root)).toBe(false);
      const found = refused(await imported(copy.uri, root), id);
      expect(found).toHaveLength(named.length);
      expect(found).toEqual(expect.arrayContaining(named));
      const [path = ''] = execFileSync('find', [root, '-path', `*${id}/params/deep`], { encoding: 'utf8' }).split('\n');
      expect(readFileSync(path, 'utf8')).toBe('x');
    });
  });

  test('does not take the place of one that is there', async () => {
    await withKeys(async (copy, id) => {
      const root = fresh();
      await run(copy, param('deep/er', id));
      await imported(copy.uri, root);
      const before = everyFile(root);
      await run(copy, param('deep', id));
      expect(refused(await imported(copy.uri, root), id)).toEqual([
        expect.objectContaining({
          where: expect.stringContaining('"deep"'),
          reason: expect.stringContaining('"deep/er"'),
        }),
      ]);
      expect(everyFile(root)).toEqual(before);
    });
  });
});

// ---------------------------------------------------------------- repeats, and what is there

describe('a second import', () => {
  test('of the same moves nothing, and touches no file', async () => {
    const root = fresh();
    const first = await imported(source.uri, root);
    expect(changed(first).length).toBeGreaterThan(10);
    const before = everyFile(root);
    const again = await imported(source.uri, root);
    expect(changed(again)).toEqual([]);
    expect(everyFile(root)).toEqual(before);
    expect(leftovers(root)).toEqual([]);
  });

  test('of a source that grew moves what is new', async () => {
    const root = fresh();
    const grown = await SERVERS.sqlite.copy(source);
    try {
      await imported(grown.uri, root);
      const before = new Set(everyFile(root));
      const [row] = await query<{ run_uuid: string; key: string }>(
        grown,
        'SELECT run_uuid, "key" FROM metrics WHERE is_nan = 0 LIMIT 1',
      );
      const { run_uuid = '', key = '' } = row ?? {};
      await run(
        grown,
        `INSERT INTO params ("key", value, run_uuid) VALUES ('grown/deep', 'x', '${run_uuid}')`,
        `INSERT INTO metrics ("key", value, timestamp, run_uuid, step, is_nan) VALUES ('${key}', 0.5, 1, '${run_uuid}', -7, 0)`,
      );
      const again = await imported(grown.uri, root);
      expect(changed(again)).toEqual([
        { table: 'metrics', added: 1, updated: 0 },
        { table: 'params', added: 1, updated: 0 },
      ]);
      const paths = everyFile(root).flatMap((line) => (before.has(line) ? [] : [line.split(' ')[0]]));
      expect(paths.sort()).toEqual(
        [expect.stringMatching(`${run_uuid}/metrics/`), expect.stringMatching(`${run_uuid}/params/grown/deep$`)].sort(),
      );
      expect(readFileSync(join(root, paths.find((path) => path?.includes('/metrics/')) ?? ''), 'utf8')).toMatch(
        /\n1 0\.5 -7\n$/,
      );
    } finally {
      await grown.drop();
    }
  });

  test('into a store that was moved since moves nothing but where the spans of its traces are', async () => {
    const [there, here] = [fresh(), fresh()];
    await imported(source.uri, there);
    renameSync(there, here);
    const locations = () =>
      execFileSync('grep', ['-rl', there, here], { encoding: 'utf8' }).split('\n').filter(Boolean);
    const moved = locations();
    expect(moved.length).toBeGreaterThan(0);
    expect(moved.filter((path) => !path.endsWith('/tags/mlflow.artifactLocation'))).toEqual([]);
    const others = everyFile(here).filter((line) => !line.includes('/tags/mlflow.artifactLocation '));
    expect(changed(await imported(source.uri, here))).toEqual([]);
    expect(everyFile(here).filter((line) => !line.includes('/tags/mlflow.artifactLocation '))).toEqual(others);
    expect(moved.map((path) => readFileSync(path, 'utf8'))).toEqual(
      moved.map((path) => join(path, '..', '..', 'artifacts')),
    );
  });

  test('that finds another value names it, and does as it is told', async () => {
    const root = fresh();
    await imported(source.uri, root);
    const [found] = execFileSync('find', [root, '-path', '*/params/*', '-type', 'f', '-size', '-20c'], {
      encoding: 'utf8',
    }).split('\n');
    const param = found ?? '';
    const value = readFileSync(param, 'utf8');
    writeFileSync(param, 'of somebody else');
    const before = everyFile(root);
    const { code, stdout } = await mtrack(['import', '--from', source.uri, '--to', root, '--yes', '--json']);
    expect(code).toBe(41);
    expect(JSON.parse(stdout).error.details.problems).toEqual([
      expect.objectContaining({ kind: 'different', where: expect.stringMatching(/^params, /) }),
    ]);
    expect(everyFile(root)).toEqual(before);
    const kept = await imported(source.uri, root, '--on-difference', 'target');
    expect(kept.tables.find(({ table }) => table === 'params')?.kept).toBe(1);
    expect(everyFile(root)).toEqual(before);
    const settled = await imported(source.uri, root, '--on-difference', 'source');
    expect(changed(settled)).toEqual([{ table: 'params', added: 0, updated: 1 }]);
    expect(readFileSync(param, 'utf8')).toBe(value);
  });
});

describe('a folder that is there', () => {
  test('with another store in it keeps every file as it is', async () => {
    const root = unpackFileStore(fileStoreReleases().at(-1) ?? '', mkdtempSync(join(folder, 'store-')));
    const before = everyFile(root);
    // Both have an experiment of some names.
    const { code } = await mtrack(['import', '--from', source.uri, '--to', root, '--yes', '--json']);
    expect(code).toBe(41);
    expect(everyFile(root)).toEqual(before);
    await imported(source.uri, root, '--on-conflict', 'rename', '--on-difference', 'target', '--skip-bad');
    const after = new Set(everyFile(root));
    expect(before.filter((line) => !after.has(line))).toEqual([]);
    expect(leftovers(root)).toEqual([]);
  });

  test('with the artifacts of the database gets the rest beside them', async () => {
    const root = fresh();
    const [row] = await query<{ run_uuid: string; experiment_id: number }>(
      source,
      'SELECT run_uuid, experiment_id FROM runs LIMIT 1',
    );
    const artifact = join(root, String(row?.experiment_id), row?.run_uuid ?? '', 'artifacts', 'model.bin');
    mkdirSync(join(artifact, '..'), { recursive: true });
    writeFileSync(artifact, 'weights');
    await imported(source.uri, root);
    const other = fresh();
    await imported(source.uri, other);
    expect(readFileSync(artifact, 'utf8')).toBe('weights');
    rmSync(artifact);
    // But for the place of the spans, which a tag names.
    expect(alike(root, other, 'mlflow.artifactLocation')).toBe('');
  });

  test('with something else in it is refused', async () => {
    const root = fresh();
    mkdirSync(root);
    writeFileSync(join(root, 'thesis.tex'), '');
    const { code, stderr } = await mtrack(['import', '--from', source.uri, '--to', root, '--yes']);
    expect({ code, stderr }).toEqual({ code: 44, stderr: expect.stringContaining('is no file store') });
  });

  test('is not made by looking', async () => {
    const root = fresh();
    const { code, stdout } = await mtrack(['import', '--from', source.uri, '--to', root, '--dry-run', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).rows.runs).toBeGreaterThan(10);
    expect((await mtrack(['import', '--from', source.uri, '--to', root])).code).toBe(7);
    expect(existsSync(root)).toBe(false);
  });
});

// ---------------------------------------------------------------- killed, and beside one another

const FILE_FAULTS = pathToFileURL(join(import.meta.dirname, '../support/fault-files-preload.ts')).href;
const killing = (env: NodeJS.ProcessEnv): RunOptions => ({ node: ['--import', FILE_FAULTS], env });

describe('an import into files', () => {
  let clean: string;
  let root: string;
  beforeAll(async () => {
    root = fresh();
    await imported(source.uri, root);
    clean = fresh();
    cpSync(root, clean, { recursive: true });
  });

  test('that is killed goes on, and ends as one that nothing disturbed', async () => {
    const log = join(folder, 'renames');
    rmSync(root, { recursive: true });
    await mtrack(['import', '--from', source.uri, '--to', root, '--yes'], killing({ MTRACK_FILE_LOG: log }));
    const renames = readFileSync(log, 'utf8').trimEnd().split('\n').length;
    expect(renames).toBeGreaterThan(50);
    const next = random(SEED);
    const times = EVERYTHING ? Array.from({ length: renames }, (_, at) => at + 1) : [1 + Math.floor(next() * renames)];
    for (const at of times) {
      rmSync(root, { recursive: true });
      // Twice: what a killed one left, killed again.
      for (const side of ['before', 'after']) {
        const env = { MTRACK_FILE_FAULT: side === 'before' ? `${at}:before` : '2:after' };
        const { signal, code } = await mtrack(['import', '--from', source.uri, '--to', root, '--yes'], killing(env));
        expect(signal === 'SIGKILL' || code === 21).toBe(true);
      }
      await imported(source.uri, root);
      expect(alike(clean, root)).toBe('');
      expect(leftovers(root)).toEqual([]);
    }
  }, 3_600_000);

  test('that is killed at any time goes on', async () => {
    const next = random(SEED + 1);
    for (let time = 0; time < (EVERYTHING ? 50 : 1); time++) {
      rmSync(root, { recursive: true, force: true });
      const child = start(['import', '--from', source.uri, '--to', root, '--yes']);
      const ended = finished(child);
      setTimeout(() => child.kill('SIGKILL'), 300 + next() * 1500);
      await ended;
      await imported(source.uri, root);
      expect(alike(clean, root)).toBe('');
    }
  }, 3_600_000);

  test('by two at once puts every row in once', async () => {
    rmSync(root, { recursive: true });
    const args = ['import', '--from', source.uri, '--to', root, '--yes', '--json'];
    const both = await Promise.all([finished(start(args)), finished(start(args))]);
    const added = both.map(({ stdout }) =>
      (JSON.parse(stdout) as Imported).tables.reduce((sum, table) => sum + table.added, 0),
    );
    expect(added.sort((a, b) => a - b)[0]).toBe(0);
    expect(alike(clean, root)).toBe('');
    expect(leftovers(root)).toEqual([]);
  });

  test('of a run that somebody is writing to loses none of its points', async () => {
    const [row] = await query<{ run_uuid: string; key: string }>(
      source,
      'SELECT run_uuid, "key" FROM metrics WHERE is_nan = 0 LIMIT 1',
    );
    const path = execFileSync('find', [root, '-path', `*${row?.run_uuid}/metrics/${row?.key}`], {
      encoding: 'utf8',
    }).trim();
    const child = finished(start(['import', '--from', source.uri, '--to', root, '--yes', '--on-difference', 'target']));
    let isOver = false;
    child.then(() => {
      isOver = true;
    });
    let points = 0;
    while (!isOver) {
      appendFileSync(path, `${1_800_000_000_000 + points} 1.0 ${1_000_000 + points++}\n`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect([0, 21]).toContain((await child).code);
    const lines = readFileSync(path, 'utf8').split('\n');
    expect(lines.filter((line) => / 1\.0 1\d{6}$/.test(line))).toHaveLength(points);
  });
});
