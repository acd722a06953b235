/** Parts of a store: what is named comes, with whatever it refers to, and nothing else. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mtrack } from '../support/cli.js';
import { SERVERS, type Server, type TestDatabase, withDatabase } from '../support/databases.js';
import { fileStoreReleases, releases, unpackFileStore } from '../support/fixtures.js';
import { query } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mtrack-selection-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The newest fixture of a database, for the tests of a suite. */
function loaded(server: Server): () => TestDatabase {
  let source: TestDatabase | undefined;
  beforeAll(async () => {
    source = await server.load(releases(server.dialect).at(-1) ?? '');
  });
  afterAll(async () => source?.drop());
  return () => {
    if (!source) throw new Error('not loaded');
    return source;
  };
}

/** The values of a query's only column, sorted. */
async function values(of: TestDatabase, text: string): Promise<string[]> {
  const rows = await query<Record<string, unknown>>(of, text);
  return rows.map((row) => String(Object.values(row)[0])).sort();
}

async function imported(from: string, to: string, ...flags: string[]): Promise<void> {
  const { code, stdout, stderr } = await mtrack(['import', '--from', from, '--to', to, '--yes', '--json', ...flags]);
  expect({ code, stderr, said: code === 0 ? '' : stdout }).toEqual({ code: 0, stderr: '', said: '' });
  expect((JSON.parse(stdout) as { unproven: unknown }).unproven).toEqual([]);
}

/** Tables of what a run has, by the column that names it. */
const OF_RUN = { params: 'run_uuid', tags: 'run_uuid', metrics: 'run_uuid', latest_metrics: 'run_uuid' };

/** Whether the target has these runs, with all that they have, and no others. */
async function hasRuns(source: TestDatabase, to: TestDatabase, runs: readonly string[]): Promise<void> {
  expect(await values(to, 'SELECT run_uuid FROM runs')).toEqual([...runs].sort());
  const among = runs.map((id) => `'${id}'`).join(', ');
  for (const [table, column] of Object.entries(OF_RUN)) {
    const of = `SELECT ${column} FROM ${table}`;
    expect(await values(to, of)).toEqual(await values(source, `${of} WHERE ${column} IN (${among})`));
  }
  const experiments = `SELECT DISTINCT experiment_id FROM runs WHERE run_uuid IN (${among})`;
  const there = await values(to, 'SELECT experiment_id FROM experiments');
  for (const id of await values(source, experiments)) expect(there).toContain(id);
}

await forEachDialect('of a database', (server) => {
  const from = loaded(server);
  const key = server.dialect === 'mysql' ? '`key`' : '"key"';
  const into = (flags: string[], check: (to: TestDatabase) => Promise<void>) =>
    withDatabase(
      () => SERVERS.sqlite.empty(),
      async (to) => {
        await imported(from().uri, to.uri, ...flags);
        await check(to);
      },
    );

  test('an experiment, by name or number, with all that is in it', async () => {
    const source = from();
    const [row] = await query<{ experiment_id: number; name: string }>(
      source,
      "SELECT experiment_id, name FROM experiments WHERE name = 'fluent'",
    );
    const id = String(row?.experiment_id);
    for (const named of ['fluent', id]) {
      await into(['--experiment', named], async (to) => {
        expect(await values(to, 'SELECT experiment_id FROM experiments')).toEqual([id]);
        await hasRuns(source, to, await values(source, `SELECT run_uuid FROM runs WHERE experiment_id = ${id}`));
        for (const table of ['trace_info', 'logged_models', 'datasets']) {
          const of = `SELECT experiment_id FROM ${table}`;
          expect(await values(to, of)).toEqual(await values(source, `${of} WHERE experiment_id = ${id}`));
        }
        expect(await values(to, 'SELECT webhook_id FROM webhooks')).toEqual([]);
      });
    }
  });

  test('a run that is in another one brings that, its datasets and its models', async () => {
    const source = from();
    const [nested] = await query<{ run_uuid: string; parent: string }>(
      source,
      `SELECT run_uuid, value AS parent FROM tags WHERE ${key} = 'mlflow.parentRunId' ORDER BY run_uuid LIMIT 1`,
    );
    const above = [nested?.run_uuid ?? ''];
    for (let id = above[0]; id !== undefined; ) {
      [id] = await values(source, `SELECT value FROM tags WHERE ${key} = 'mlflow.parentRunId' AND run_uuid = '${id}'`);
      if (id !== undefined) above.push(id);
    }
    expect(above.length).toBeGreaterThan(1);
    await into(['--run', nested?.run_uuid ?? ''], (to) => hasRuns(source, to, above));

    const [used] = await values(source, "SELECT destination_id FROM inputs WHERE source_type = 'DATASET'");
    await into(['--run', used ?? ''], async (to) => {
      for (const text of [
        `SELECT source_id FROM inputs WHERE destination_type = 'RUN' AND destination_id = '${used}'`,
        `SELECT d.dataset_uuid FROM datasets d JOIN inputs i ON i.source_id = d.dataset_uuid AND i.destination_id = '${used}'`,
        `SELECT m.model_id FROM logged_models m JOIN inputs i ON i.destination_id = m.model_id AND i.source_id = '${used}'`,
        `SELECT t.value FROM input_tags t JOIN inputs i ON i.input_uuid = t.input_uuid AND i.destination_id = '${used}'`,
      ])
        expect(await values(to, text)).toEqual(await values(source, text));
    });
  });

  test('a registered model, with its versions and their runs', async () => {
    const source = from();
    await into(['--model', 'full model'], async (to) => {
      expect(await values(to, 'SELECT name FROM registered_models')).toEqual(['full model']);
      for (const text of [
        "SELECT version FROM model_versions WHERE name = 'full model'",
        "SELECT value FROM model_version_tags WHERE name = 'full model'",
        "SELECT alias FROM registered_model_aliases WHERE name = 'full model'",
        "SELECT r.run_uuid FROM runs r JOIN model_versions v ON v.run_id = r.run_uuid AND v.name = 'full model'",
      ])
        expect(await values(to, text)).toEqual(await values(source, text));
    });
  });

  test('what began since', async () => {
    const source = from();
    const starts = await query<{ start_time: number }>(source, 'SELECT start_time FROM runs ORDER BY start_time');
    const since = Number(starts[Math.floor(starts.length / 2)]?.start_time);
    const recent = await values(source, `SELECT run_uuid FROM runs WHERE start_time >= ${since}`);
    await into(['--since', new Date(since).toISOString()], async (to) => {
      const there = await values(to, 'SELECT run_uuid FROM runs');
      for (const id of recent) expect(there).toContain(id);
      // Others came with what is recent.
      expect(there.length).toBeLessThan(starts.length);
      const traces = `SELECT request_id FROM trace_info WHERE timestamp_ms >= ${since}`;
      expect(await values(to, traces)).toEqual(await values(source, traces));
      expect(await values(to, 'SELECT experiment_id FROM experiments')).toEqual(
        await values(source, 'SELECT experiment_id FROM experiments'),
      );
    });
  });
});

describe('an archive', () => {
  const from = loaded(SERVERS.sqlite);
  test('of a part says so, and gives what a direct import of that part gives', async () => {
    const source = from();
    const archive = join(folder, 'part');
    const { code } = await mtrack(['export', '--from', source.uri, '--to', archive, '--experiment', 'fluent']);
    expect(code).toBe(0);
    const { selection, tables } = JSON.parse(readFileSync(join(archive, 'manifest.json'), 'utf8'));
    expect(selection).toEqual({ experiments: ['fluent'] });
    await withDatabase(
      () => SERVERS.sqlite.empty(),
      async (to) => {
        await imported(source.uri, to.uri, '--experiment', 'fluent');
        const again = join(folder, 'again');
        expect((await mtrack(['export', '--from', to.uri, '--to', again])).code).toBe(0);
        const sums = (list: { name: string; rows: number; checksum: string }[]) =>
          list.map(({ name, rows, checksum }) => `${name} ${rows} ${checksum}`).sort();
        expect(sums(JSON.parse(readFileSync(join(again, 'manifest.json'), 'utf8')).tables)).toEqual(sums(tables));
      },
    );
  });

  test('can be taken a part of', async () => {
    const source = from();
    const archive = join(folder, 'whole.tar.zst');
    expect((await mtrack(['export', '--from', source.uri, '--to', archive])).code).toBe(0);
    const [run = ''] = await values(source, 'SELECT run_uuid FROM runs WHERE experiment_id = 0');
    await withDatabase(
      () => SERVERS.sqlite.empty(),
      async (to) => {
        await imported(archive, to.uri, '--run', run);
        await hasRuns(source, to, [run]);
      },
    );
  });
});

test('of files: what is broken elsewhere does not matter', async () => {
  const root = unpackFileStore(fileStoreReleases().at(-1) ?? '', mkdtempSync(join(folder, 'store-')));
  const [good, bad] = readdirSync(root)
    .filter((name) => /^\d{18}$/.test(name))
    .sort();
  writeFileSync(join(root, bad ?? '', 'meta.yaml'), '');
  const args = (experiment: string, to: string) => [
    ...['import', '--from', root, '--to', to, '--yes', '--json'],
    ...['--experiment', experiment],
  ];
  await withDatabase(
    () => SERVERS.sqlite.empty(),
    async (to) => {
      expect((await mtrack(args(good ?? '', to.uri))).code).toBe(0);
      expect(await values(to, 'SELECT CAST(experiment_id AS TEXT) FROM experiments')).toEqual([good]);
    },
  );
});

test('what is not there is named', async () => {
  const root = unpackFileStore(fileStoreReleases().at(-1) ?? '', mkdtempSync(join(folder, 'store-')));
  const { code, stderr } = await mtrack([
    ...['export', '--from', root, '--to', join(folder, 'nothing')],
    ...['--experiment', 'nobody', '--run', 'abc', '--model', 'none'],
  ]);
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringMatching(/no experiment nobody, no run abc, no model none/),
  });
});
