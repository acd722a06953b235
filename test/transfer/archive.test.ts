/** Archives: the same store gives the same bytes, every database gives back what went in, and a broken one changes nothing. */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { finished, mtrack, ROOT, RUN, start } from '../support/cli.js';
import { SERVERS, type Server, type TestDatabase, withDatabase } from '../support/databases.js';
import { EVERYTHING } from '../support/extent.js';
import { fileStoreReleases, releases, unpackFileStore } from '../support/fixtures.js';
import { forEachDialect } from '../support/suites.js';
import { filesBeside } from '../support/untouched.js';

interface Manifest {
  readonly revision: string;
  readonly tables: readonly { readonly name: string; readonly rows: number; readonly checksum: string }[];
}

let folder: string;
let source: TestDatabase;
const NEWEST = releases('sqlite').at(-1) ?? '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mtrack-archives-'));
  source = await SERVERS.sqlite.load(NEWEST);
});
afterAll(async () => {
  await source?.drop();
  rmSync(folder, { recursive: true, force: true });
});

let archives = 0;
const fresh = (ending = '') => join(folder, `archive${archives++}${ending}`);

async function exported(uri: string, to: string): Promise<Manifest> {
  const { code, stdout, stderr } = await mtrack(['export', '--from', uri, '--to', to, '--json']);
  expect({ code, stderr, said: code === 0 ? '' : stdout }).toEqual({ code: 0, stderr: '', said: '' });
  return (JSON.parse(stdout) as { manifest: Manifest }).manifest;
}

const sums = ({ tables }: Manifest) => tables.map(({ name, rows, checksum }) => `${name} ${rows} ${checksum}`).sort();

describe('an archive', () => {
  test('of the same store has the same bytes, and the store is not touched', async () => {
    const before = filesBeside(source.name);
    for (const ending of ['', '.tar.zst', '.tar.gz', '.tar']) {
      const [one, other] = [fresh(ending), fresh(ending)];
      await exported(source.uri, one);
      await exported(source.uri, other);
      execFileSync('diff', ['-r', one, other]);
      expect(existsSync(`${one}.partial`)).toBe(false);
    }
    expect(filesBeside(source.name)).toBe(before);
  });

  test('can be read by other programs', async () => {
    const archive = fresh('.tar.gz');
    const { tables } = await exported(source.uri, archive);
    const lines = execFileSync('tar', ['xzOf', archive, 'tables/runs/000001.jsonl'], { encoding: 'utf8' });
    expect(lines.trimEnd().split('\n')).toHaveLength(tables.find(({ name }) => name === 'runs')?.rows ?? -1);
    for (const line of lines.trimEnd().split('\n')) expect(Array.isArray(JSON.parse(line))).toBe(true);
  });

  test('is never written over something', async () => {
    const archive = fresh('.tar.zst');
    await exported(source.uri, archive);
    const { code, stderr } = await mtrack(['export', '--from', source.uri, '--to', archive]);
    expect({ code, stderr }).toEqual({ code: 44, stderr: expect.stringContaining('is there already') });
  });

  test('of a file store goes through a pipe', async () => {
    const root = unpackFileStore(fileStoreReleases().at(-1) ?? '', mkdtempSync(join(folder, 'files-')));
    const manifest = await exported(root, fresh());
    await withDatabase(
      () => SERVERS.sqlite.empty(),
      async (database) => {
        const line = `node ${RUN} export --from ${root} --to - | node ${RUN} import - --to ${database.uri} --yes --json`;
        const piped = JSON.parse(
          execFileSync('bash', ['-c', `set -o pipefail; ${line}`], {
            cwd: ROOT,
            encoding: 'utf8',
            stdio: ['ignore', 'pipe', 'ignore'],
            env: { ...process.env, PATH: `${join(process.execPath, '..')}:${process.env.PATH}` },
          }),
        );
        expect(piped.unproven).toEqual([]);
        expect(
          piped.tables.map(({ table, added }: { table: string; added: number }) => `${table} ${added}`).sort(),
        ).toEqual(manifest.tables.map(({ name, rows }) => `${name} ${rows}`).sort());
      },
    );
  });
});

/** Every database that MLflow wrote; in a normal run one. */
const SOURCES = Object.values(SERVERS).flatMap((server) =>
  releases(server.dialect)
    .filter((release) => EVERYTHING || (server === SERVERS.sqlite && release === NEWEST))
    .map((release): [string, Server, string] => [`${server.dialect} of MLflow ${release}`, server, release]),
);

await forEachDialect('a round trip', (server) => {
  test.each(SOURCES)('of %s through an archive gives the same rows, and the same again', async (_, of, release) => {
    const archive = fresh('.tar.zst');
    const manifest = await withDatabase(
      () => of.load(release),
      ({ uri }) => exported(uri, archive),
    );
    await withDatabase(
      () => server.empty(),
      async (database) => {
        for (let time = 0; time < 2; time++) {
          expect((await mtrack(['import', archive, '--to', database.uri, '--yes'])).code).toBe(0);
          expect(sums(await exported(database.uri, fresh()))).toEqual(sums(manifest));
        }
      },
    );
  });
});

describe('an archive that is broken', () => {
  const refused = async (archive: string, exit: number, words: RegExp, ...flags: string[]) =>
    withDatabase(
      () => SERVERS.sqlite.empty(),
      async (database) => {
        const { code, stderr } = await mtrack(['import', archive, '--to', database.uri, '--yes', ...flags]);
        expect(stderr).toMatch(words);
        expect(code).toBe(exit);
        expect(existsSync(database.name)).toBe(false);
      },
    );
  const UNREADABLE = 43;
  const DAMAGED = 40;

  test('because its writing was cut off, is not one', async () => {
    const archive = fresh('.tar.zst');
    await exported(source.uri, archive);
    const whole = readFileSync(archive);
    for (const part of [0, 10, whole.length >> 1, whole.length - 20]) {
      writeFileSync(archive, whole.subarray(0, part));
      await refused(archive, UNREADABLE, /ARCHIVE_UNREADABLE/);
    }
  });

  test('in a chunk, is named by file, and goes on without it where that is wanted', async () => {
    const archive = fresh();
    await exported(source.uri, archive);
    const chunk = join(archive, 'tables/params/000001.jsonl.zst');
    writeFileSync(chunk, readFileSync(join(archive, 'tables/tags/000001.jsonl.zst')));
    await refused(archive, DAMAGED, /tables\/params\/000001\.jsonl has not the content that it was written with/);
    rmSync(chunk);
    await refused(archive, DAMAGED, /tables\/params\/000001\.jsonl/);
    await withDatabase(
      () => SERVERS.sqlite.empty(),
      async (database) => {
        const { code, stdout } = await mtrack([
          'import',
          archive,
          '--to',
          database.uri,
          '--yes',
          '--json',
          '--skip-bad',
        ]);
        expect(code).toBe(21);
        const { tables } = JSON.parse(stdout) as { tables: { table: string; added: number; leftBehind: number }[] };
        const params = tables.find(({ table }) => table === 'params');
        expect(params?.added).toBe(0);
        expect(params?.leftBehind).toBeGreaterThan(10);
      },
    );
  });

  test.each([
    ['of a newer version', { version: 2 }],
    ['of a revision that is not known', { revision: 'aaaaaaaaaaaa' }],
    ['of another program', { format: 'something' }],
    [
      'with a chunk outside',
      {
        tables: [
          {
            name: 'runs',
            columns: [],
            rows: 0,
            checksum: '',
            chunks: [{ file: '../x', rows: 0, bytes: 0, sha256: '' }],
          },
        ],
      },
    ],
    ['with other columns', { tables: [{ name: 'runs', columns: ['a'], rows: 0, checksum: '', chunks: [] }] }],
  ])('%s is refused', async (_, change) => {
    const archive = fresh();
    await exported(source.uri, archive);
    const path = join(archive, 'manifest.json');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...change }));
    await refused(archive, UNREADABLE, /ARCHIVE_UNREADABLE/);
  });
});

test('an export that is killed leaves nothing of that name, and the next one is whole', async () => {
  const archive = fresh();
  const child: ChildProcess = start(['export', '--from', source.uri, '--to', archive]);
  const ended = finished(child);
  while (!existsSync(`${archive}.partial`) && child.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 1));
  child.kill('SIGKILL');
  await ended;
  const left = readdirSync(folder).filter((name) => join(folder, name) === archive);
  if (child.signalCode === 'SIGKILL') expect(left).toEqual([]);
  rmSync(archive, { recursive: true, force: true });
  await exported(source.uri, archive);
  expect(readdirSync(folder).filter((name) => name.endsWith('.partial'))).toEqual([]);
});
