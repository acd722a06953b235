/**
 * Every database that an MLflow release wrote, upgraded: real MLflow 3.17.2 then reads what it reads after its own
 * upgrade, has nothing left to upgrade, and serves it; and from there the head of 3.18.0 is, schema and rows, what
 * MLflow's own code makes of it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { HEAD } from '../../src/schema/lineage.js';
import { type Expected, readsAs } from '../store/expected.js';
import { databaseStore } from '../store/implementations.js';
import { finished, upgrade } from '../support/cli.js';
import { type Server, type TestDatabase, withDatabase } from '../support/databases.js';
import { sample } from '../support/extent.js';
import { expectedAfterUpgrade, releases } from '../support/fixtures.js';
import { rawGolden } from '../support/golden.js';
import { GoldenReader } from '../support/golden-reader.js';
import { MLFLOW, NEWEST, ORACLE, ORACLE_HEAD } from '../support/mlflow.js';
import { Oracle } from '../support/oracle.js';
import { differences, stateOf } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';

const missing = inject('oracleMissing');
const isOlder = (release: string, than: string) => release.localeCompare(than, 'en', { numeric: true }) < 0;

let oracle: Oracle;
let newestOracle: Oracle;
let goldens: GoldenReader;
beforeAll(async () => {
  if (missing !== null) return;
  oracle = new Oracle();
  goldens = new GoldenReader();
  newestOracle = new Oracle(NEWEST);
});
afterAll(async () => {
  await Promise.all([oracle, newestOracle, goldens].map((each) => each?.[Symbol.asyncDispose]()));
});

await forEachDialect('fixtures', (server) => {
  const all = releases(server.dialect);
  /** Those on which the command is run; it takes seconds to start. On the others only the application behind it is. */
  const asCommand = sample(all, 1);

  test('there are some', () => expect(all.length).toBeGreaterThan(0));

  describe.skipIf(missing !== null)(missing === null ? 'real MLflow' : `NOT RUN, ${missing}`, () => {
    // A server's databases take the longest: the oldest and the newest in every run.
    const chosen = server.dialect === 'sqlite' ? all : sample(all, 2);
    test.each(chosen)('what MLflow %s wrote', async (release) => {
      await withDatabase(
        () => server.load(release),
        async (database) => {
          const old = await stateOf(database);
          // The release that is the oracle needs no upgrade to itself.
          const done = await upgrade(database.uri, `mlflow==${ORACLE}`);
          expect(done.stdout).toContain(ORACLE_HEAD);
          const upgraded = await stateOf(database);
          expect(upgraded.version).toEqual([ORACLE_HEAD]);
          if (old.version?.[0] === ORACLE_HEAD) expect(differences(old, upgraded)).toEqual([]);

          expect(schemaOf(await goldens.read(database.uri), server, release)).toEqual(
            schemaOf(rawGolden(server.goldens, ORACLE_HEAD), server, release),
          );

          const before = await server.copy(database);
          try {
            expect((await oracle.upgrade(database.uri)).code).toBe(0);
            expect(differences(upgraded, await stateOf(database))).toEqual([]);

            const read = readable(await oracle.read(database.uri), release);
            const expected = readable(expectedAfterUpgrade(server.dialect, release), release);
            expect(Object.keys(read.runs ?? {}).length).toBeGreaterThan(0);
            expect(read).toEqual(expected);

            // And the store of mtrack reads it.
            await readByStore(database, expected);

            // Reading has written nothing.
            expect(differences(upgraded, await stateOf(database))).toEqual([]);
            const names = (expected.experiments ?? []).map(({ name }) => name).sort();
            expect((await oracle.serves(database.uri)).sort()).toEqual(names);
            if (asCommand.includes(release)) expect((await served(database)).sort()).toEqual(names);
            await toTheHead(before, server);
          } finally {
            await before.drop();
          }
        },
      );
    });
  });
});

/** The store leaves the database as it is. */
async function readByStore(database: TestDatabase, expected: unknown): Promise<void> {
  await using store = databaseStore({ ...database, drop: async () => undefined });
  await readsAs(await store.open(), expected as Expected);
}

/** mtrack on the one and MLflow 3.18.0 on the other of two equal databases: they stay equal, but for the clock's values. */
async function toTheHead(database: TestDatabase, server: Server): Promise<void> {
  await withDatabase(
    () => server.copy(database),
    async (other) => {
      await upgrade(database.uri);
      expect((await newestOracle.upgrade(other.uri)).code).toBe(0);
      const ours = await stateOf(database);
      expect(ours.version).toEqual([HEAD]);
      expect(differences(await stateOf(other), ours)).toEqual([]);
    },
  );
}

interface Store {
  runs?: Record<string, { tags: Record<string, string> } | null>;
  experiments?: { name: string }[];
  [part: string]: unknown;
}

/** Without artifact listings, which depend on the working folder, and on files that others may have moved. */
function readable(store: unknown, release: string): Store {
  const read = structuredClone(store) as Store;
  for (const run of Object.values(read.runs ?? {})) {
    if (!run) continue;
    delete (run as { artifacts?: unknown }).artifacts;
    // MLflow gives the user tag to one run of each experiment (docs/differences.md).
    if (isOlder(release, '1.1')) delete run.tags['mlflow.user'];
  }
  return read;
}

interface RawSchema {
  tables: Record<string, { indexes: { name: string }[]; checks?: unknown }>;
}

/** What a fixture cannot have as on a new database; see schema-drift.json. */
function schemaOf(schema: unknown, server: Server, release: string): unknown {
  const found = structuredClone(schema) as RawSchema;
  const golden = rawGolden(server.goldens, ORACLE_HEAD) as RawSchema;
  for (const [name, table] of Object.entries(found.tables)) {
    const same = golden.tables[name];
    // In a database that is loaded from a dump, the indexes that MariaDB makes for foreign keys count as the user's.
    if (server.dialect === 'mysql')
      table.indexes = table.indexes.filter((index) => same?.indexes.some((other) => other.name === index.name));
    // MLflow 0.9 named both of its lifecycle checks alike.
    if (isOlder(release, '1.0')) table.checks = same?.checks;
  }
  // PostgreSQL respells casts in checks when a dump is loaded.
  return JSON.parse(
    JSON.stringify(found, (key, value) =>
      key === 'sql' && typeof value === 'string'
        ? value.replaceAll(/::(character varying|text)(\[\])?|[()\s]/g, '')
        : value,
    ),
  );
}

// ---------------------------------------------------------------- mlflow server

/** The names of all experiments, asked for over HTTP. */
async function served(database: TestDatabase): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mtrack-server-'));
  const port = await freePort();
  const args = [
    'server',
    '--backend-store-uri',
    database.uri,
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--workers',
    '1',
  ];
  const running = spawn(MLFLOW, args, {
    cwd: folder,
    detached: true,
    env: {
      ...process.env,
      PYTHONWARNINGS: 'ignore',
      MLFLOW_DISABLE_TELEMETRY: 'true',
      MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = finished(running);
  try {
    const url = `http://127.0.0.1:${port}`;
    expect(await (await answers(`${url}/health`, running)).text()).toBe('OK');
    const found = await fetch(`${url}/api/2.0/mlflow/experiments/search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ max_results: 1000, view_type: 'ALL' }),
    });
    expect(found.status).toBe(200);
    return ((await found.json()) as { experiments: { name: string }[] }).experiments.map(({ name }) => name);
  } finally {
    // With its workers: the group is its own.
    if (running.pid !== undefined && running.exitCode === null) process.kill(-running.pid, 'SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

async function answers(url: string, server: ChildProcess): Promise<Response> {
  for (let left = 400; left > 0 && server.exitCode === null; left--) {
    try {
      return await fetch(url);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  throw new Error(`mlflow server does not answer: ended with ${server.exitCode}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
