/** Stores that MLflow wrote, with artifacts of their own in a folder of their own: to be collected, and looked at after. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { openArtifacts } from '../../src/artifacts/open.js';
import { artifactOptions } from '../../src/cli/artifacts.js';
import { collect } from '../../src/gc/collect.js';
import { databaseTrash } from '../../src/gc/database/open.js';
import { looking, removing } from '../../src/gc/effects.js';
import { Locations } from '../../src/gc/locations.js';
import type { GcOptions } from '../../src/gc/options.js';
import type { Report } from '../../src/gc/report.js';
import type { TrashSource } from '../../src/gc/source.js';
import { HEAD } from '../../src/schema/lineage.js';
import { mtrack, type Result, type RunOptions } from './cli.js';
import { opened, type Server, type TestDatabase } from './databases.js';
import { FIXTURES } from './fixtures.js';
import { insertRows } from './rows.js';
import { query, run, upgradeTo } from './state.js';

const exec = promisify(execFile);

/** What real MLflow read from a fixture: `expected` of the fixtures. */
export interface Expected {
  experiments: { readonly experiment_id: string; readonly lifecycle_stage: string }[];
  experiments_default_order: string[];
  runs: Record<string, { info: Record<string, unknown>; tags: Record<string, string>; artifacts?: unknown }>;
  runs_default_order: Record<string, string[]>;
  logged_models: Record<string, unknown>;
  traces: Record<string, unknown>;
  errors?: unknown;
}

export interface GcFixture {
  readonly uri: string;
  /** Where the artifacts are; of a file store, what `mlruns` is in. */
  readonly folder: string;
  readonly database: TestDatabase | null;
  readonly expected: Expected;
  /** Puts runs into the trash, as if they had been deleted at this time. */
  trash(runs: readonly string[], at: number): Promise<void>;
}

/** Columns that hold where artifacts are. */
const LOCATIONS: Readonly<Record<string, readonly string[]>> = {
  experiments: ['artifact_location'],
  runs: ['artifact_uri'],
  logged_models: ['artifact_location'],
  model_versions: ['source', 'storage_location'],
  trace_tags: ['value'],
};

/** A database of a release; its artifacts are unpacked for this test alone. */
export async function withDatabaseFixture<T>(
  server: Server,
  release: string,
  use: (fixture: GcFixture) => Promise<T>,
): Promise<T> {
  const folder = await unpacked(join('artifacts', `${release}.${server.dialect}.tar.gz`));
  const database = await server.load(release);
  try {
    const places = [`/tmp/mtrack-fixtures/${release}/${server.dialect}`, '.'].map((place) => [place, folder] as const);
    const live = await tablesOf(database);
    for (const [table, columns] of Object.entries(LOCATIONS)) {
      for (const column of columns.filter((each) => live.get(table)?.includes(each))) {
        for (const [from, to] of places) {
          const set = `REPLACE(${column}, '${from}/mlruns', '${to}/mlruns')`;
          await run(database, `UPDATE ${table} SET ${column} = ${set} WHERE ${column} LIKE '${from}/mlruns%'`);
        }
        const [[from, to] = ['', '']] = places;
        const set = `REPLACE(${column}, '${from}/elsewhere', '${to}/elsewhere')`;
        await run(database, `UPDATE ${table} SET ${column} = ${set} WHERE ${column} LIKE '%${from}/elsewhere%'`);
      }
    }
    return await use({
      uri: database.uri,
      folder,
      database,
      expected: expectedOf(release, server.dialect, folder),
      trash: async (runs, at) => {
        const dated = live.get('runs')?.includes('deleted_time') ? `, deleted_time = ${at}` : '';
        const ids = runs.map((id) => `'${id}'`).join(', ');
        await run(database, `UPDATE runs SET lifecycle_stage = 'deleted'${dated} WHERE run_uuid IN (${ids})`);
      },
    });
  } finally {
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A file store of a release, in a place of its own. */
export async function withFileFixture<T>(release: string, use: (fixture: GcFixture) => Promise<T>): Promise<T> {
  const folder = await unpacked(join('filestore', `${release}.tar.gz`));
  try {
    const root = join(folder, 'mlruns');
    const [from, to] = [`/tmp/mtrack-fixtures/${release}/filestore`, folder];
    for (const path of filesIn(root)) {
      const text = readFileSync(path, 'utf8');
      if (text.includes(from)) writeFileSync(path, text.replaceAll(from, to));
    }
    return await use({
      uri: root,
      folder,
      database: null,
      expected: expectedOf(release, 'filestore', folder),
      trash: async (runs, at) => {
        for (const path of filesIn(root).filter((each) => runs.some((id) => each.endsWith(`/${id}/meta.yaml`)))) {
          const lines = readFileSync(path, 'utf8')
            .split('\n')
            .filter((line) => !/^(?:lifecycle_stage|deleted_time):/.test(line));
          writeFileSync(path, `lifecycle_stage: deleted\ndeleted_time: ${at}\n${lines.join('\n')}`);
        }
      },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function unpacked(archive: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'mtrack-gc-'));
  if (existsSync(join(FIXTURES, archive))) await exec('tar', ['xzf', join(FIXTURES, archive), '-C', folder]);
  return folder;
}

function expectedOf(release: string, kind: string, folder: string): Expected {
  const place = ['expected-after-upgrade', 'expected'].map((each) =>
    join(FIXTURES, each, `${release}.${kind}.json.gz`),
  );
  const path = place.find((each) => existsSync(each));
  if (path === undefined) throw new Error(`nothing is recorded of ${release}.${kind}`);
  const text = gunzipSync(readFileSync(path)).toString('utf8');
  const moved = text
    .replaceAll(`/tmp/mtrack-fixtures/${release}/${kind}`, folder)
    .replaceAll('"./mlruns', `"${folder}/mlruns`);
  return JSON.parse(moved) as Expected;
}

/** What MLflow should read when these have gone. */
export function without(all: Expected, { runs, experiments, models, traces }: Report['removed']): Expected {
  const left = structuredClone(all);
  left.experiments = left.experiments.filter(({ experiment_id }) => !experiments.includes(experiment_id));
  for (const id of experiments) delete left.runs_default_order[id];
  left.experiments_default_order = left.experiments_default_order.filter((id) => !experiments.includes(id));
  for (const id of runs) delete left.runs[id];
  for (const [id, order] of Object.entries(left.runs_default_order)) {
    left.runs_default_order[id] = order.filter((each) => !runs.includes(each));
  }
  for (const id of models) delete left.logged_models[id];
  for (const id of traces) delete left.traces[id];
  return left;
}

/** The parts of what MLflow reads that gc has to do with. `artifacts` are looked at on the disk. */
export function compared(read: Expected): unknown {
  const { errors: _, ...rest } = structuredClone(read);
  for (const each of Object.values(rest.runs)) delete each.artifacts;
  return rest;
}

export async function gc(uri: string, args: readonly string[], options: RunOptions = {}): Promise<Report & Result> {
  const result = await mtrack(['gc', uri, '--json', ...args], options);
  const report = JSON.parse(result.stdout || '{}') as Report & { error?: unknown };
  if (report.error !== undefined || result.stdout === '') {
    throw new Error(`gc ended with ${result.code}: ${result.stdout}${result.stderr}`);
  }
  return { ...report, ...result };
}

/** A dry run and the real one, which must say the same; the dry run leaves everything as it is. */
export async function gcTwice(fixture: GcFixture, args: readonly string[], untouched: () => Promise<string>) {
  const before = await untouched();
  const dry = await gc(fixture.uri, [...args, '--dry-run']);
  expect(await untouched()).toBe(before);
  const real = await gc(fixture.uri, [...args, '--yes']);
  expect(real.stdout).toBe(dry.stdout);
  expect(real.code).toBe(dry.code);
  return real;
}

export async function tablesOf(database: TestDatabase): Promise<ReadonlyMap<string, readonly string[]>> {
  const db = await opened(database);
  const session = await db.reader(10_000);
  try {
    const { tables } = await db.dialect.readCatalog(session);
    return new Map([...tables].map(([name, { columns }]) => [name, columns.map((column) => column.name)]));
  } finally {
    await session.close();
  }
}

/** Each table and column in which one of these ids stands, by itself. */
export async function mentions(database: TestDatabase, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const db = await opened(database);
  const { id: quote } = db.dialect.words;
  const list = ids.map((id) => `'${id}'`).join(', ');
  const asText = (column: string) => `CAST(${column} AS ${db.dialect.name === 'mysql' ? 'CHAR' : 'TEXT'}) IN (${list})`;
  const found: string[] = [];
  const session = await db.reader(10_000);
  try {
    const { tables } = await db.dialect.readCatalog(session);
    for (const { name, columns } of tables.values()) {
      const counts = columns.map(
        (column, i) => `SUM(CASE WHEN ${asText(quote(column.name))} THEN 1 ELSE 0 END) AS c${i}`,
      );
      const [row = {}] = await session.rows<Record<string, unknown>>(`SELECT ${counts.join(', ')} FROM ${quote(name)}`);
      found.push(...columns.filter((_, i) => Number(row[`c${i}`]) > 0).map((column) => `${name}.${column.name}`));
    }
    return found;
  } finally {
    await session.close();
  }
}

/** Every file below a folder, with its content and when it was written. */
export const treeOf = (folder: string): string =>
  filesIn(folder)
    .map((path) => `${path} ${statSync(path).mtimeMs} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`)
    .join('\n');

/** Every file below a folder, sorted. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

// ---------------------------------------------------------------- small stores, made here

export interface SmallRun {
  readonly id: string;
  readonly experiment?: number;
  /** Deleted at this time; null where that was not written down. */
  readonly deletedAt?: number | null;
  readonly parent?: string;
  readonly location?: string | null;
  /** Names and contents below its artifacts. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface SmallStore {
  readonly database: TestDatabase;
  /** Of the artifacts: `EXPERIMENT/RUN/artifacts` in it, as MLflow has it. */
  readonly root: string;
  /** Runs in experiment 1, unless they say another; each with a metric, a param and a tag. */
  add(...runs: readonly SmallRun[]): Promise<void>;
  collect(options?: Partial<GcOptions>): Promise<Report>;
  look(options?: Partial<GcOptions>): Promise<Report>;
  runs(): Promise<string[]>;
}

/** An id as MLflow makes them. */
export const id = (n: number): string => n.toString(16).padStart(32, '0');

const DEFAULTS: Omit<GcOptions, 'signal' | 'onProgress'> = {
  olderThan: null,
  undated: 'skip',
  runIds: null,
  modelIds: null,
  jobIds: null,
  experimentIds: null,
  experimentNames: null,
  jobs: false,
  force: false,
  children: 'keep',
  concurrency: 8,
  maxRuns: null,
  maxDuration: null,
  throttle: null,
};
export const NO_WAIT = { patience: 5000, onWait: () => undefined };

const templates = new Map<string, Promise<TestDatabase>>();

/** Of the head's schema, made once for each dialect, and dropped with `dropTemplates`. */
function template(server: Server): Promise<TestDatabase> {
  const made =
    templates.get(server.dialect) ??
    (async () => {
      const database = await server.empty();
      await upgradeTo(database, HEAD);
      return database;
    })();
  templates.set(server.dialect, made);
  return made;
}

export async function dropTemplates(): Promise<void> {
  for (const made of templates.values()) await (await made).drop();
  templates.clear();
}

/** A store of the head's schema with the experiments 1 to 3, the third of them deleted long ago. */
export async function withSmallStore<T>(server: Server, use: (store: SmallStore) => Promise<T>): Promise<T> {
  const database = await server.copy(await template(server));
  const root = mkdtempSync(join(tmpdir(), 'mtrack-gc-'));
  try {
    await insertRows(database, {
      experiments: [1, 2, 3].map((n) => ({
        experiment_id: n,
        name: `experiment ${n}`,
        artifact_location: join(root, String(n)),
        lifecycle_stage: n === 3 ? 'deleted' : 'active',
        creation_time: 0,
        last_update_time: 0,
        workspace: 'default',
      })),
    });
    const db = await opened(database);
    const collected = async (options: Partial<GcOptions>, dry: boolean): Promise<Report> => {
      const artifacts = openArtifacts(artifactOptions({ timeout: 5000, retries: 0 }, {}));
      const given = { ...DEFAULTS, signal: new AbortController().signal, onProgress: () => undefined, ...options };
      const use = (source: TrashSource) =>
        collect(
          {
            source,
            locations: new Locations(artifacts.placeOf),
            effects: (isGone) => (dry ? looking : removing)(source, artifacts, isGone),
          },
          given,
        );
      const trash = databaseTrash(db);
      return dry ? trash.look(NO_WAIT, use) : trash.work(NO_WAIT, use);
    };
    return await use({
      database,
      root,
      add: (...runs) => addRuns(database, root, runs),
      collect: (options = {}) => collected(options, false),
      look: (options = {}) => collected(options, true),
      runs: async () => {
        const rows = await query<{ id: string }>(database, 'SELECT run_uuid AS id FROM runs ORDER BY run_uuid');
        return rows.map((row) => row.id);
      },
    });
  } finally {
    await database.drop();
    rmSync(root, { recursive: true, force: true });
  }
}

async function addRuns(database: TestDatabase, root: string, runs: readonly SmallRun[]): Promise<void> {
  const place = ({ id, experiment = 1 }: SmallRun) => join(root, String(experiment), id, 'artifacts');
  for (const run of runs) {
    for (const [name, content] of Object.entries(run.files ?? {})) {
      mkdirSync(dirname(join(place(run), name)), { recursive: true });
      writeFileSync(join(place(run), name), content);
    }
  }
  const parents = runs.filter(({ parent }) => parent !== undefined);
  await insertRows(database, {
    runs: runs.map((run) => ({
      run_uuid: run.id,
      name: `run ${run.id}`,
      source_type: 'LOCAL',
      status: 'FINISHED',
      start_time: 0,
      lifecycle_stage: run.deletedAt === undefined ? 'active' : 'deleted',
      artifact_uri: run.location === undefined ? place(run) : run.location,
      experiment_id: run.experiment ?? 1,
      deleted_time: run.deletedAt ?? null,
    })),
    metrics: runs.map((run) => ({ key: 'm', value: 1, timestamp: 1, run_uuid: run.id, step: 1, is_nan: false })),
    params: runs.map((run) => ({ key: 'p', value: 'v', run_uuid: run.id })),
    tags: [
      ...runs.map((run) => ({ key: 't', value: 'v', run_uuid: run.id })),
      ...parents.map((run) => ({ key: 'mlflow.parentRunId', value: run.parent ?? '', run_uuid: run.id })),
    ],
  });
}
