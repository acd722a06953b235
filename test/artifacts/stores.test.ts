/** The repositories of object stores, by real SDK calls to emulators of theirs. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openArtifacts } from '../../src/artifacts/open.js';
import type { ArtifactOptions, ArtifactRepository } from '../../src/artifacts/repository.js';
import { artifactOptions } from '../../src/cli/artifacts.js';
import type { Emulator } from '../support/emulators.js';
import { AWS_KEYS, AZURE, GOOGLE, S3 } from '../support/stores.js';
import { put, repositorySuite, walked } from './conformance.js';

const STORES = [S3, GOOGLE, AZURE];
const PATIENCE = { timeout: 20_000, retries: 4 };
Object.assign(process.env, AWS_KEYS);

for (const store of STORES) {
  describe(store.name, () => {
    let emulator: Emulator;
    let options: ArtifactOptions;
    beforeAll(async () => {
      emulator = await store.start();
      const env = store.env(emulator.url);
      Object.assign(process.env, env);
      options = artifactOptions(PATIENCE, env);
      await store.makeBucket(emulator.url);
    }, 600_000);
    afterAll(() => emulator?.stop());

    const withRepository = async (use: (repository: ArtifactRepository) => Promise<void>) => {
      const artifacts = openArtifacts(options);
      const repository = await artifacts.open(store.uri(`run ${randomBytes(6).toString('hex')}/artifacts`));
      await use(repository).finally(() => artifacts.close());
    };
    repositorySuite(store.name, withRepository);

    test('a neighbour whose name begins alike is left alone', () =>
      withRepository(async (repository) => {
        await put(repository, 'a', 'x');
        const artifacts = openArtifacts(options);
        const neighbour = await artifacts.open(`${repository.uri}2`);
        await put(neighbour, 'b', 'y');
        expect(await repository.delete('')).toEqual({ files: 1, bytes: 1 });
        expect(await walked(neighbour, '')).toEqual(['b 1']);
        await artifacts.close();
      }));
  });
}
