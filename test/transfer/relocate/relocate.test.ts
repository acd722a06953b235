/**
 * Artifacts that move, with the URIs of stores that MLflow wrote: on import with a copy into S3, and in place. Real MLflow then
 * finds them; and no column of any table says any more where they were.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { finished, mtrack, start } from '../../support/cli.js';
import { SERVERS, type TestDatabase, withDatabase } from '../../support/databases.js';
import { type Emulator, PYTHON_HOME } from '../../support/emulators.js';
import { expectedAfterUpgrade } from '../../support/fixtures.js';
import { until } from '../../support/kill.js';
import { ORACLE, PYTHON } from '../../support/mlflow.js';
import { Oracle } from '../../support/oracle.js';
import { differences, query, stateOf } from '../../support/state.js';
import { AWS_KEYS, S3 } from '../../support/stores.js';
import { forEachDialect } from '../../support/suites.js';

const missing = inject('oracleMissing');
const exec = promisify(execFile);
const FOLDER = mkdtempSync(join(tmpdir(), 'mtrack-relocate-'));
const OLD = (kind: string) => `/tmp/mtrack-fixtures/${ORACLE}/${kind}`;

let oracle: Oracle;
let s3: Emulator;
beforeAll(async () => {
  if (missing !== null) return;
  oracle = new Oracle();
  s3 = await S3.start();
  await S3.makeBucket(s3.url);
}, 600_000);
afterAll(async () => {
  await oracle?.[Symbol.asyncDispose]();
  await s3?.stop();
  rmSync(FOLDER, { recursive: true, force: true });
});

/** The files of each run, model and trace that has any, by MLflow's own client. */
const DOWNLOAD = `
import hashlib, json, os, sys, tempfile
sys.path.append(sys.argv[3])
import mlflow
from mlflow.artifacts import download_artifacts
mlflow.set_tracking_uri(sys.argv[1])
found = {}
for uri in json.loads(sys.argv[2]):
    with tempfile.TemporaryDirectory() as folder:
        path = download_artifacts(artifact_uri=uri, dst_path=folder)
        files = found[uri] = {}
        for root, _, names in os.walk(path):
            for name in names:
                file = os.path.join(root, name)
                files[os.path.relpath(file, path)] = hashlib.sha256(open(file, "rb").read()).hexdigest()
print(json.dumps(found))
`;

async function downloaded(store: string, uris: readonly string[], env: NodeJS.ProcessEnv): Promise<unknown> {
  const [packages] = globSync(join(PYTHON_HOME, 'lib', 'python3*', 'site-packages'));
  const { stdout } = await exec(PYTHON, ['-c', DOWNLOAD, store, JSON.stringify(uris), packages ?? ''], {
    env: { ...process.env, ...env, PYTHONWARNINGS: 'ignore', TQDM_DISABLE: '1' },
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

function filesIn(folder: string): Record<string, string> {
  const files = globSync(join(folder, '**', '*')).filter((path) => statSync(path).isFile());
  const sha = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
  return Object.fromEntries(files.map((path) => [relative(folder, path), sha(path)]));
}

/** Columns that still say it, found without knowing which do. */
async function columnsWith(database: TestDatabase, text: string): Promise<string[]> {
  const { rows } = await stateOf(database);
  return Object.entries(rows).flatMap(([table, all]) => (all.some((row) => row.includes(text)) ? [table] : []));
}

interface Report {
  readonly counts: Readonly<Record<string, number>>;
  readonly relocated: Readonly<Record<string, number>>;
  readonly artifacts: { readonly files: number; readonly there: number };
}

async function done(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Report> {
  const { code, stdout, stderr } = await mtrack([...args, '--json'], { env });
  expect({ code, said: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, said: '' });
  return JSON.parse(stdout) as Report;
}

const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((all, n) => all + n, 0);

await forEachDialect('artifacts', ({ dialect, load, empty }) => {
  describe.skipIf(missing !== null)(missing === null ? 'real MLflow' : `NOT RUN, ${missing}`, () => {
    test('are copied into S3 on import, and MLflow finds them there', () =>
      withDatabase(
        () => load(ORACLE),
        (from) =>
          withDatabase(empty, async (to) => {
            const env = { ...AWS_KEYS, ...S3.env(s3.url) };
            const place = S3.uri(`moved/${dialect}`);
            const args = ['import', '--from', from.uri, '--to', to.uri, '--yes', '--revision', `mlflow==${ORACLE}`];
            const move = ['--artifacts', 'copy', '--map', `${OLD(dialect)}=${place}`];
            const first = await done([...args, ...move], env);
            expect(first.artifacts.files).toBeGreaterThan(10);
            expect(await columnsWith(to, OLD(dialect))).toEqual([]);
            expect(await columnsWith(from, place)).toEqual([]);

            // One folder that has files for each kind of thing.
            const uris = await locations(to);
            const local = (uri: string) => uri.replace(place, OLD(dialect));
            const full = uris.filter((uri) => Object.keys(filesIn(local(uri))).length > 0);
            const expected = Object.fromEntries(full.map((uri) => [uri, filesIn(local(uri))]));
            expect(full.length).toBeGreaterThan(3);
            expect(await downloaded(to.uri, full, env)).toEqual(expected);

            const again = await done([...args, ...move], env);
            expect(again.artifacts).toMatchObject({ files: 0, there: first.artifacts.files });
            expect(
              await done(['verify', '--from', from.uri, '--to', to.uri, '--map', `${OLD(dialect)}=${place}`]),
            ).toMatchObject({ verified: true });
          }),
      ));

    test('that were moved are found again when the store is told', () =>
      withDatabase(
        () => load(ORACLE),
        async (database) => {
          const place = join(FOLDER, dialect);
          cpSync(OLD(dialect), place, { recursive: true });
          const args = [
            'artifacts',
            'relocate',
            '--backend-store-uri',
            database.uri,
            '--map',
            `${OLD(dialect)}=${place}`,
          ];
          const before = await stateOf(database);
          const runs = (before.rows.runs ?? []).filter((row) => row.includes(OLD(dialect)));
          const planned = await done([...args, '--dry-run']);
          expect(differences(before, await stateOf(database))).toEqual([]);
          expect(planned.counts['runs.artifact_uri']).toBe(runs.length);

          expect((await done([...args, '--yes'])).counts).toEqual(planned.counts);
          expect(await columnsWith(database, OLD(dialect))).toEqual([]);
          expect(sum((await done([...args, '--yes'])).counts)).toBe(0);

          const expected = expectedAfterUpgrade(dialect, ORACLE) as { runs: Record<string, { artifacts?: unknown }> };
          const read = (await oracle.read(database.uri)) as typeof expected;
          const listings = ({ runs }: typeof expected) => Object.entries(runs).map(([id, run]) => [id, run?.artifacts]);
          expect(listings(read)).toEqual(listings(expected));

          // And back: nothing else has changed.
          await done([...args.slice(0, -1), `${place}=${OLD(dialect)}`, '--yes']);
          expect(differences(before, await stateOf(database))).toEqual([]);
        },
      ));

    test('do not go where a column cannot follow, nor without an agreement', () =>
      withDatabase(
        () => load(ORACLE),
        async (database) => {
          const args = ['artifacts', 'relocate', database.uri, '--map'];
          const before = await stateOf(database);
          expect((await mtrack([...args, `${OLD(dialect)}=/tmp`])).code).toBe(7);
          if (dialect !== 'sqlite') {
            const { code, stderr } = await mtrack([...args, `${OLD(dialect)}=s3://${'x'.repeat(180)}`, '--yes']);
            expect(code).toBe(41);
            expect(stderr).toMatch(/runs, run_uuid "[\da-f]+": artifact_uri /);
          }
          expect(differences(before, await stateOf(database))).toEqual([]);
        },
      ));
  });
});

async function locations(database: TestDatabase): Promise<string[]> {
  const rows = await query<{ uri: string }>(
    database,
    `SELECT artifact_uri AS uri FROM runs UNION SELECT artifact_location FROM logged_models
     UNION SELECT storage_location FROM model_versions UNION SELECT value FROM trace_tags
     WHERE trace_tags.${database.uri.startsWith('mysql') ? '`key`' : '"key"'} = 'mlflow.artifactLocation'`,
  );
  return rows.flatMap(({ uri }) => (uri?.startsWith('s3:') ? [uri] : []));
}

describe.skipIf(missing !== null)('a copy that is killed', () => {
  test('goes on when it is made again, and no row is moved before it is whole', () =>
    withDatabase(
      () => SERVERS.sqlite.load(ORACLE),
      (from) =>
        withDatabase(SERVERS.sqlite.empty, async (to) => {
          const [before, after] = [join(FOLDER, 'before'), join(FOLDER, 'after')];
          cpSync(OLD('sqlite'), before, { recursive: true });
          await done(['artifacts', 'relocate', from.uri, '--map', `${OLD('sqlite')}=${before}`, '--yes']);
          const [uri = ''] = (await query<{ uri: string }>(from, 'SELECT artifact_uri AS uri FROM runs LIMIT 1')).map(
            (row) => row.uri,
          );
          const many = Array.from({ length: 600 }, (_, at) => join(uri, 'many', String(at)));
          mkdirSync(join(uri, 'many'), { recursive: true });
          for (const path of many) writeFileSync(path, path.repeat(100));

          const args = ['import', '--from', from.uri, '--to', to.uri, '--yes', '--concurrency', '2'];
          const copying = ['--artifacts', 'copy', '--map', `${before}=${after}`];
          const killed = start([...args, ...copying]);
          await until('some are copied', async () => globSync(join(after, '**', 'many', '*')).length > 20, 60_000);
          killed.kill('SIGKILL');
          await finished(killed);
          const there = many.map((path) => path.replace(before, after)).filter((path) => existsSync(path));
          expect(there.length).toBeLessThan(many.length);
          expect(existsSync(to.name)).toBe(false);

          const { artifacts } = await done([...args, ...copying]);
          expect(artifacts.there).toBeGreaterThanOrEqual(there.length);
          for (const path of many) expect(readFileSync(path.replace(before, after), 'utf8')).toBe(path.repeat(100));
          expect(await columnsWith(to, before)).toEqual([]);
        }),
    ));
});

describe.skipIf(missing !== null)('a file store', () => {
  test('that came from elsewhere is told where its artifacts are', async () => {
    const place = join(FOLDER, 'filestore');
    cpSync(OLD('filestore'), place, { recursive: true });
    const store = join(place, 'mlruns');
    const saying = () =>
      globSync(join(store, '**', '*')).filter(
        (path) =>
          statSync(path).isFile() && !path.includes('/artifacts/') && readFileSync(path).includes(OLD('filestore')),
      );
    expect(saying().length).toBeGreaterThan(10);
    const args = ['artifacts', 'relocate', store, '--map', `${OLD('filestore')}=${place}`];
    const planned = await done([...args, '--dry-run']);
    expect(saying().length).toBeGreaterThan(10);
    expect((await done([...args, '--yes'])).counts).toEqual(planned.counts);
    expect(saying()).toEqual([]);
    expect(sum((await done([...args, '--yes'])).counts)).toBe(0);

    const read = await oracle.read(store);
    const elsewhere = inPlace(await oracle.read(join(OLD('filestore'), 'mlruns')), OLD('filestore'), place);
    expect(read).toEqual(elsewhere);
  });
});

/** The same with another text in every text. */
function inPlace(value: unknown, from: string, to: string): unknown {
  if (typeof value === 'string') return value.replaceAll(from, to);
  if (Array.isArray(value)) return value.map((each) => inPlace(each, from, to));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, inPlace(each, from, to)]));
}
