/** Object stores on this machine, each with one bucket, for tests that move files between them. */
import { AZURITE_ACCOUNT, azuriteConnection, type Emulator, startAzure, startGcs, startS3 } from './emulators.js';

export interface ObjectStore {
  readonly name: string;
  start(): Promise<Emulator>;
  env(url: string): Readonly<Record<string, string>>;
  makeBucket(url: string): Promise<void>;
  uri(path: string): string;
}

/** Keys that emulators take. */
export const AWS_KEYS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };

export const S3: ObjectStore = {
  name: 'S3',
  start: startS3,
  env: (url) => ({ MLFLOW_S3_ENDPOINT_URL: url }),
  makeBucket: async (url) => void (await fetch(`${url}/bucket`, { method: 'PUT' })),
  uri: (path) => `s3://bucket/${path}`,
};

export const GOOGLE: ObjectStore = {
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
};

export const AZURE: ObjectStore = {
  name: 'Azure',
  start: startAzure,
  env: (url) => ({ AZURE_STORAGE_CONNECTION_STRING: azuriteConnection(url) }),
  makeBucket: async (url) => {
    const { BlobServiceClient } = await import('@azure/storage-blob');
    await BlobServiceClient.fromConnectionString(azuriteConnection(url)).createContainer('bucket');
  },
  uri: (path) => `wasbs://bucket@${AZURITE_ACCOUNT}.blob.core.windows.net/${path}`,
};
