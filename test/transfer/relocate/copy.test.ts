/** Artifacts from one object store into the next, and back to a folder: real SDK calls to emulators. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Artifacts, openArtifacts } from '../../../src/artifacts/open.js';
import type { ArtifactRepository } from '../../../src/artifacts/repository.js';
import { artifactOptions } from '../../../src/cli/artifacts.js';
import { type CopyOptions, copyArtifacts } from '../../../src/transfer/relocate/copy.js';
import type { Emulator } from '../../support/emulators.js';
import { AWS_KEYS, AZURE, GOOGLE, S3 } from '../../support/stores.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'mtrack-copy-'));
const RUN = join(FOLDER, 'run', 'artifacts');
/** One is larger than one part of an upload. */
const FILES: Readonly<Record<string, Buffer>> = {
  'a.txt': Buffer.from('alpha'),
  empty: Buffer.alloc(0),
  'model/data/weights.bin': randomBytes(9 * 1024 * 1024),
  'with blank/ü.json': Buffer.from('{}'),
};
const emulators: Emulator[] = [];
let artifacts: Artifacts;

beforeAll(async () => {
  for (const [path, content] of Object.entries(FILES)) {
    mkdirSync(join(RUN, path, '..'), { recursive: true });
    writeFileSync(join(RUN, path), content);
  }
  Object.assign(process.env, AWS_KEYS);
  for (const store of [S3, GOOGLE, AZURE]) {
    const emulator = await store.start();
    emulators.push(emulator);
    Object.assign(process.env, store.env(emulator.url));
    await store.makeBucket(emulator.url);
  }
  artifacts = openArtifacts(artifactOptions({ timeout: 20_000, retries: 1 }));
}, 600_000);
afterAll(async () => {
  await artifacts?.close();
  await Promise.all(emulators.map((each) => each.stop()));
  rmSync(FOLDER, { recursive: true, force: true });
});

const OPTIONS: CopyOptions = {
  ...{ concurrency: 4, sameBy: 'checksum' },
  signal: new AbortController().signal,
  onProgress: () => undefined,
};
const copy = (from: string, to: string, options: Partial<CopyOptions> = {}) =>
  copyArtifacts(new Map([[from, to]]), artifacts, artifacts, { ...OPTIONS, ...options });
const withRepository = async <T>(uri: string, use: (repository: ArtifactRepository) => Promise<T>) => {
  const repository = await artifacts.open(uri);
  return use(repository).finally(() => repository.close());
};
const BYTES = Object.values(FILES).reduce((sum, { length }) => sum + length, 0);
const ALL = { files: 4, bytes: BYTES, there: 0, failed: [] };

test('go from a folder through S3, Google and Azure back into a folder, as they are', async () => {
  const back = join(FOLDER, 'back', 'artifacts');
  const stops = [RUN, S3.uri('r/artifacts'), GOOGLE.uri('r/artifacts'), AZURE.uri('r/artifacts'), `file://${back}`];
  for (const [at, to] of stops.slice(1).entries()) expect(await copy(stops[at] ?? '', to), to).toEqual(ALL);
  const sha = (content: Buffer) => createHash('sha256').update(content).digest('hex');
  for (const [path, content] of Object.entries(FILES)) {
    expect(sha(readFileSync(join(back, path))), path).toBe(sha(content));
  }
});

test('that are there already are not copied again, and what is missing is', async () => {
  const to = S3.uri('again/artifacts');
  await copy(RUN, to);
  await withRepository(to, (repository) => repository.delete('a.txt'));
  expect(await copy(RUN, to)).toEqual({ files: 1, bytes: 5, there: 3, failed: [] });
  expect(await copy(RUN, to, { sameBy: 'size' })).toEqual({ files: 0, bytes: 0, there: 4, failed: [] });
});

test('take no other file’s place', async () => {
  const to = S3.uri('taken/artifacts');
  const theirs = Buffer.from('omega');
  await withRepository(to, (repository) => repository.write('a.txt', Readable.from([theirs]), theirs.length));
  const { failed, files } = await copy(RUN, to);
  expect(files).toBe(3);
  expect(failed).toEqual([{ from: `${RUN}/a.txt`, to: `${to}/a.txt`, reason: 'there is another file of that name' }]);
  const found = await withRepository(to, async (repository) => buffer(await repository.read('a.txt')));
  expect(found.equals(theirs)).toBe(true);
});

test('that do not exist are none, and those that are out of reach are named', async () => {
  expect(await copy(S3.uri('nothing'), join(FOLDER, 'x'))).toEqual({ files: 0, bytes: 0, there: 0, failed: [] });
  const { failed } = await copy('s3://no-such-bucket/run', join(FOLDER, 'x'));
  expect(failed).toEqual([
    { from: 's3://no-such-bucket/run', to: join(FOLDER, 'x'), reason: expect.stringMatching(/bucket/i) },
  ]);
});

test('that are links are copied when they lead to one of the folder, and named when they lead out', async () => {
  const folder = join(FOLDER, 'links');
  mkdirSync(folder);
  writeFileSync(join(folder, 'file'), 'x');
  symlinkSync('file', join(folder, 'inside'));
  symlinkSync('/etc/hostname', join(folder, 'outside'));
  const { files, failed } = await copy(folder, S3.uri('links'));
  expect(files).toBe(2);
  expect(failed.map(({ from }) => from)).toEqual([join(folder, 'outside')]);
});

test('end when they are to end', async () => {
  const stop = new AbortController();
  const copying = copy(RUN, S3.uri('stopped'), {
    signal: stop.signal,
    onProgress: () => stop.abort(new Error('stop')),
  });
  await expect(copying).rejects.toThrow('stop');
  // And go on the next time.
  expect(await copy(RUN, S3.uri('stopped'))).toMatchObject({ failed: [] });
});
