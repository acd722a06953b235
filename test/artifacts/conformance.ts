/** What every artifact repository does: one suite, run by each implementation (see src/artifacts/repository.ts). */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { ArtifactRepository } from '../../src/artifacts/repository.js';
import { StoreError } from '../../src/store/errors.js';

/** Runs a test on an empty repository, and removes what is left of it. */
export type WithRepository = (use: (repository: ArtifactRepository) => Promise<void>) => Promise<void>;

/** Larger than one part of an object store's upload, so that it is cut. */
const BIG = 11 * 1024 * 1024;

export function repositorySuite(title: string, withRepository: WithRepository): void {
  describe(`an artifact repository: ${title}`, () => {
    const onRepository = (name: string, use: (repository: ArtifactRepository) => Promise<void>) =>
      test(name, () => withRepository(use));

    onRepository('that is empty lists, finds and deletes nothing', async (repository) => {
      expect(await repository.list('')).toEqual([]);
      expect(await walked(repository, '')).toEqual([]);
      expect(await repository.stat('nothing')).toBeNull();
      expect(await repository.delete('')).toEqual({ files: 0, bytes: 0 });
      expect(await repository.delete('not/there')).toEqual({ files: 0, bytes: 0 });
      await expect(repository.read('nothing')).rejects.toMatchObject({ code: 'RESOURCE_DOES_NOT_EXIST' });
    });

    onRepository('gives back what was written', async (repository) => {
      const before = Date.now() - 5000;
      await put(repository, 'a.txt', 'alpha');
      await put(repository, 'empty', '');
      await put(repository, 'model/data/weights.bin', randomBytes(70_000));
      expect(await text(repository, 'a.txt')).toBe('alpha');
      expect(await text(repository, 'empty')).toBe('');
      const found = await repository.stat('a.txt');
      expect(found).toMatchObject({ path: 'a.txt', size: 5 });
      expect(found?.modified).toBeGreaterThan(before);
      expect(Number.isInteger(found?.modified)).toBe(true);
      expect(await repository.stat('model')).toBeNull();
      await expect(repository.read('model/data')).rejects.toMatchObject({ code: 'RESOURCE_DOES_NOT_EXIST' });
    });

    onRepository('takes a large file whose size is known, and one whose size is not', async (repository) => {
      const content = randomBytes(BIG);
      await repository.write('known.bin', inPieces(content), BIG);
      await repository.write('unknown.bin', inPieces(content));
      for (const path of ['known.bin', 'unknown.bin']) {
        expect((await buffer(await repository.read(path))).equals(content), path).toBe(true);
        expect((await repository.stat(path))?.size).toBe(BIG);
      }
    });

    onRepository('replaces a file', async (repository) => {
      await put(repository, 'a', 'a long first version');
      await put(repository, 'a', 'second');
      expect(await text(repository, 'a')).toBe('second');
      expect(await repository.list('')).toEqual([{ path: 'a', isFolder: false, size: 6 }]);
    });

    onRepository('lists what is directly in a folder, by path', async (repository) => {
      for (const path of ['b/2', 'b/10', 'b/1/x', 'a', 'ab/c', 'c.txt']) await put(repository, path, path);
      expect(await repository.list('')).toEqual([
        { path: 'a', isFolder: false, size: 1 },
        { path: 'ab', isFolder: true, size: null },
        { path: 'b', isFolder: true, size: null },
        { path: 'c.txt', isFolder: false, size: 5 },
      ]);
      expect(await repository.list('b')).toEqual([
        { path: 'b/1', isFolder: true, size: null },
        { path: 'b/10', isFolder: false, size: 4 },
        { path: 'b/2', isFolder: false, size: 3 },
      ]);
      // A file lists nothing, and a name is no prefix.
      expect(await repository.list('a')).toEqual([]);
      expect(await repository.list('c')).toEqual([]);
    });

    onRepository('walks every file at and below a path', async (repository) => {
      for (const path of ['b/2', 'b/1/x', 'b/1/y/z', 'bb/3']) await put(repository, path, path);
      expect(await walked(repository, '')).toEqual(['b/1/x 5', 'b/1/y/z 7', 'b/2 3', 'bb/3 4']);
      expect(await walked(repository, 'b/1')).toEqual(['b/1/x 5', 'b/1/y/z 7']);
      expect(await walked(repository, 'b/2')).toEqual(['b/2 3']);
      expect(await walked(repository, 'nothing')).toEqual([]);
    });

    onRepository('reads a part of a file, both ends included', async (repository) => {
      await put(repository, 'digits', '0123456789');
      expect(await text(repository, 'digits', { start: 2, end: 4 })).toBe('234');
      expect(await text(repository, 'digits', { start: 7 })).toBe('789');
      expect(await text(repository, 'digits', { start: 0, end: 0 })).toBe('0');
      expect(await text(repository, 'digits', { start: 8, end: 100 })).toBe('89');
    });

    onRepository('deletes a file, a folder and all, and says how much that was', async (repository) => {
      for (const path of ['a', 'b/2', 'b/1/x', 'bb/3']) await put(repository, path, path);
      expect(await repository.delete('a')).toEqual({ files: 1, bytes: 1 });
      expect(await repository.delete('b')).toEqual({ files: 2, bytes: 8 });
      expect(await walked(repository, '')).toEqual(['bb/3 4']);
      expect(await repository.list('b')).toEqual([]);
      expect(await repository.delete('')).toEqual({ files: 1, bytes: 4 });
      expect(await repository.list('')).toEqual([]);
      await put(repository, 'again', 'x');
      expect(await walked(repository, '')).toEqual(['again 1']);
    });

    onRepository('keeps names as they are', async (repository) => {
      const names = [
        'with blank',
        'per%20cent',
        'a+b&c=d',
        'Ünïcode 😀',
        '#hash?',
        'semi;colon',
        "quote'd",
        '..dots',
        '.hidden',
      ];
      for (const name of names) await put(repository, `${name}/${name}`, name);
      expect((await repository.list('')).map(({ path }) => path)).toEqual([...names].sort());
      for (const name of names) {
        expect(await text(repository, `${name}/${name}`)).toBe(name);
        expect(await repository.list(name)).toMatchObject([{ path: `${name}/${name}`, isFolder: false }]);
      }
    });

    onRepository('refuses a path that could lead out of its root', async (repository) => {
      for (const path of [
        '..',
        '../x',
        'a/../../x',
        'a/..',
        '/etc/passwd',
        '/',
        './a',
        'a/./b',
        'a//b',
        'a/',
        'a\0b',
      ]) {
        const calls = [
          repository.list(path),
          walked(repository, path),
          repository.stat(path),
          repository.read(path),
          repository.write(path, Readable.from(['x'])),
          repository.delete(path),
        ];
        for (const result of await Promise.allSettled(calls)) {
          expect(result.status, path).toBe('rejected');
          expect(result.status === 'rejected' && result.reason, path).toBeInstanceOf(StoreError);
          expect(result.status === 'rejected' && result.reason).toMatchObject({ code: 'INVALID_PARAMETER_VALUE' });
        }
      }
      await expect(repository.write('', Readable.from(['x']))).rejects.toBeInstanceOf(StoreError);
      expect(await walked(repository, '')).toEqual([]);
    });

    onRepository('has nothing of a file whose content breaks off', async (repository) => {
      await put(repository, 'a', 'the version before');
      const broken = async function* () {
        yield randomBytes(100_000);
        await sleep(20);
        throw new Error('the client has gone');
      };
      await expect(repository.write('a', Readable.from(broken()))).rejects.toThrow('the client has gone');
      await expect(repository.write('b', Readable.from(broken()))).rejects.toThrow('the client has gone');
      await expect(repository.write('c', Readable.from(['short']), 100)).rejects.toThrow();
      expect(await text(repository, 'a')).toBe('the version before');
      expect(await walked(repository, '')).toEqual(['a 18']);
    });

    onRepository('gives whole files only, while they are written and read at the same time', async (repository) => {
      const version = (n: number) => Buffer.alloc(200_000, n);
      await put(repository, 'a', version(0));
      const writes = Array.from({ length: 8 }, (_, n) => put(repository, 'a', version(n + 1)));
      const reads = Array.from({ length: 8 }, async () => buffer(await repository.read('a')));
      const [contents] = await Promise.all([Promise.all(reads), Promise.all(writes)]);
      for (const content of contents) expect(content.equals(version(content[0] ?? -1))).toBe(true);
      expect(await walked(repository, '')).toEqual(['a 200000']);
    });
  });
}

export const put = (repository: ArtifactRepository, path: string, content: string | Buffer): Promise<void> =>
  repository.write(path, Readable.from([Buffer.from(content)]));

export async function text(
  repository: ArtifactRepository,
  path: string,
  range?: { start: number; end?: number },
): Promise<string> {
  return (await buffer(await repository.read(path, range))).toString();
}

/** Each file as `path size`, sorted. */
export async function walked(repository: ArtifactRepository, path: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { path: file, size } of repository.walk(path)) files.push(`${file} ${size}`);
  return files.sort();
}

function inPieces(content: Buffer): Readable {
  const pieces: Buffer[] = [];
  for (let at = 0; at < content.length; at += 65_521) pieces.push(content.subarray(at, at + 65_521));
  return Readable.from(pieces);
}
