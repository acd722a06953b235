/** The repositories of object stores, by real SDK calls to emulators of theirs. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openArtifacts } from '../../src/artifacts/open.js';
import type { ArtifactOptions, ArtifactRepository } from '../../src/artifacts/repository.js';
import { artifactOptions } from '../../src/cli/artifacts.js';
import {
  AZURITE_ACCOUNT,
  azuriteConnection,
  type Emulator,
  startAzure,
  startGcs,
  startS3,
} from '../support/emulators.js';
import { put, repositorySuite, walked } from './conformance.js';

interface Store {
  readonly name: string;
  start(): Promise<Emulator>;
  env(url: string): NodeJS.ProcessEnv;
  makeBucket(url: string): Promise<void>;
  uri(path: string): string;
}

const STORES: readonly Store[] = [
  {
    name: 'S3',
    start: startS3,
    env: (url) => ({ MLFLOW_S3_ENDPOINT_URL: url }),
    makeBucket: async (url) => void (await fetch(`${url}/bucket`, { method: 'PUT' })),
    uri: (path) => `s3://bucket/${path}`,
  },
  {
    name: 'Google',
    start: startGcs,
    env: (url) => ({ STORAGE_EMULATOR_HOST: url }),
    makeBucket: async (url) =>
      void (await fetch(`${url}/storage/v1/b?project=p`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'bucket' }),
      })),
    uri: (path) => `gs://bucket/${path}`,
  },
  {
    name: 'Azure',
    start: startAzure,
    env: (url) => ({ AZURE_STORAGE_CONNECTION_STRING: azuriteConnection(url) }),
    makeBucket: async (url) => {
      const { BlobServiceClient } = await import('@azure/storage-blob');
      await BlobServiceClient.fromConnectionString(azuriteConnection(url)).createContainer('bucket');
    },
    uri: (path) => `wasbs://bucket@${AZURITE_ACCOUNT}.blob.core.windows.net/${path}`,
  },
];
const PATIENCE = { timeout: 20_000, retries: 4 };
Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });

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
