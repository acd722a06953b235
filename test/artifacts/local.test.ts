import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { localRepository } from '../../src/artifacts/local.js';
import type { ArtifactRepository } from '../../src/artifacts/repository.js';
import { inTemporaryFolder } from '../support/temporary.js';
import { put, repositorySuite, text, walked } from './conformance.js';

repositorySuite('a local folder', (use) =>
  inTemporaryFolder((folder) => use(localRepository(join(folder, 'not yet', 'there')))),
);

describe('a local folder of artifacts', () => {
  /** Beside the root lies what must not be reached. */
  const withNeighbour = (use: (repository: ArtifactRepository, root: string, secret: string) => Promise<void>) =>
    inTemporaryFolder(async (folder) => {
      const [root, secret] = [join(folder, 'root'), join(folder, 'root secret')];
      mkdirSync(join(root, 'sub'), { recursive: true });
      mkdirSync(secret);
      writeFileSync(join(secret, 'key'), 'do not touch');
      await use(localRepository(root), root, secret);
      expect(readdirSync(secret)).toEqual(['key']);
      expect(readFileSync(join(secret, 'key'), 'utf8')).toBe('do not touch');
    });
  const refused = {
    code: 'INVALID_PARAMETER_VALUE',
    message: expect.stringContaining('outside the artifact directory'),
  };

  test('does not follow a link out of its root', () =>
    withNeighbour(async (repository, root, secret) => {
      symlinkSync(secret, join(root, 'folder'));
      symlinkSync(join(secret, 'key'), join(root, 'sub', 'file'));
      for (const path of ['folder', 'folder/key', 'sub/file']) {
        await expect(repository.stat(path), path).rejects.toMatchObject(refused);
        await expect(repository.read(path), path).rejects.toMatchObject(refused);
        await expect(repository.list(path), path).rejects.toMatchObject(refused);
      }
      await expect(repository.write('folder/new', Readable.from(['x']))).rejects.toMatchObject(refused);
      await expect(repository.write('folder/new/deep', Readable.from(['x']))).rejects.toMatchObject(refused);
      await expect(repository.delete('folder/key')).rejects.toMatchObject(refused);
      expect(await walked(repository, '')).toEqual([]);
      // Named, so that nobody takes the listing for all there is; without what lies behind.
      expect(await repository.list('')).toMatchObject([
        { path: 'folder', isFolder: false },
        { path: 'sub', isFolder: true },
      ]);
    }));

  test('removes a link and leaves what it leads to', () =>
    withNeighbour(async (repository, root, secret) => {
      symlinkSync(secret, join(root, 'folder'));
      symlinkSync(join(secret, 'key'), join(root, 'sub', 'file'));
      expect(await repository.delete('folder')).toEqual({ files: 0, bytes: 0 });
      expect(await repository.delete('sub')).toEqual({ files: 0, bytes: 0 });
      expect(await repository.list('')).toEqual([]);
    }));

  test('puts a file in the place of a link', () =>
    withNeighbour(async (repository, root, secret) => {
      symlinkSync(join(secret, 'key'), join(root, 'file'));
      await put(repository, 'file', 'mine');
      expect(await text(repository, 'file')).toBe('mine');
    }));

  test('follows a link within its root, and a root that is a link', () =>
    inTemporaryFolder(async (folder) => {
      mkdirSync(join(folder, 'real', 'sub'), { recursive: true });
      symlinkSync(join(folder, 'real'), join(folder, 'root'));
      symlinkSync('sub', join(folder, 'real', 'link'));
      const repository = localRepository(join(folder, 'root'));
      await put(repository, 'link/a', 'alpha');
      expect(await text(repository, 'sub/a')).toBe('alpha');
      expect(await repository.list('')).toEqual([
        { path: 'link', isFolder: true, size: null },
        { path: 'sub', isFolder: true, size: null },
      ]);
      expect(await walked(repository, '')).toEqual(['sub/a 5']);
    }));

  test('does not show what MLflow is still writing', () =>
    inTemporaryFolder(async (folder) => {
      writeFileSync(join(folder, '.artifact.uploading.x1'), 'half');
      const repository = localRepository(folder);
      expect(await repository.list('')).toEqual([]);
      expect(await walked(repository, '')).toEqual([]);
      await expect(put(repository, '.artifact.uploading.mine', 'x')).rejects.toMatchObject({
        code: 'INVALID_PARAMETER_VALUE',
      });
    }));

  test('says when a file is where a folder should be, and a folder where a file', () =>
    inTemporaryFolder(async (folder) => {
      const repository = localRepository(folder);
      await put(repository, 'a/b', 'x');
      await expect(put(repository, 'a/b/c', 'x')).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' });
      await expect(put(repository, 'a', 'x')).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' });
      expect(await walked(repository, '')).toEqual(['a/b 1']);
      expect(readdirSync(folder)).toEqual(['a']);
    }));
});
