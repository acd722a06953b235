/** What commands are told of object stores and proxies: by flags, and by the variables of MLflow and of the stores' own clients. */
import { Flags } from '@oclif/core';
import type { ArtifactOptions, S3Options } from '../artifacts/repository.js';
import { garbage, readFlag } from '../config.js';
import { MtrackError } from '../errors.js';
import { Secret } from '../secrets.js';
import { storeKind } from '../uri.js';
import { duration } from './flags.js';

export const artifactFlags = {
  'artifacts-destination': Flags.string({
    description: 'where a tracking server keeps what it proxies (mlflow-artifacts:), so that no server is needed',
    helpValue: 'URI',
    env: 'MLFLOW_ARTIFACTS_DESTINATION',
    helpGroup: 'ARTIFACTS',
  }),
  'tracking-uri': Flags.string({
    description: 'the tracking server that proxies artifacts, where its destination is out of reach',
    helpValue: 'URL',
    helpGroup: 'ARTIFACTS',
  }),
  timeout: duration({
    description: 'how long one call to an object store may take',
    default: 60_000,
    defaultHelp: async () => '1m',
    helpGroup: 'ARTIFACTS',
  }),
  retries: Flags.integer({
    description: 'further attempts after a call that failed',
    default: 4,
    min: 0,
    helpGroup: 'ARTIFACTS',
  }),
};

export interface ArtifactFlags {
  readonly 'artifacts-destination'?: string | undefined;
  readonly 'tracking-uri'?: string | undefined;
  readonly timeout: number;
  readonly retries: number;
}

/** @throws {MtrackError} USAGE */
export function artifactOptions(flags: ArtifactFlags, env: NodeJS.ProcessEnv = process.env): ArtifactOptions {
  const text = (name: string) => env[name] || null;
  const secret = (name: string) => (env[name] ? new Secret(env[name]) : null);
  const given = flags['tracking-uri'];
  if (given !== undefined && !/^https?:/i.test(given)) {
    throw new MtrackError('USAGE', {
      found: `--tracking-uri ${given}`,
      expected: 'the http: or https: URL of a tracking server',
    });
  }
  const tracking = text('MLFLOW_TRACKING_URI');
  const server =
    given ?? (tracking !== null && storeKind(tracking) === 'server' && /^https?:/i.test(tracking) ? tracking : null);
  return {
    timeout: flags.timeout,
    retries: flags.retries,
    destination: flags['artifacts-destination'] || null,
    server:
      server === null
        ? null
        : {
            uri: server,
            username: text('MLFLOW_TRACKING_USERNAME'),
            password: secret('MLFLOW_TRACKING_PASSWORD'),
            token: secret('MLFLOW_TRACKING_TOKEN'),
            ignoreTls: readFlag('MLFLOW_TRACKING_INSECURE_TLS', text('MLFLOW_TRACKING_INSECURE_TLS')),
          },
    s3: s3Options(text),
    azure: {
      connectionString: secret('AZURE_STORAGE_CONNECTION_STRING'),
      accessKey: secret('AZURE_STORAGE_ACCESS_KEY'),
    },
  };
}

function s3Options(text: (name: string) => string | null): S3Options {
  const style = text('MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE') ?? 'auto';
  const addressing = (['auto', 'path', 'virtual'] as const).find((each) => each === style);
  if (addressing === undefined) {
    throw garbage('MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE', style, 'auto, path or virtual');
  }
  return {
    endpoint: text('MLFLOW_S3_ENDPOINT_URL'),
    ignoreTls: readFlag('MLFLOW_S3_IGNORE_TLS', text('MLFLOW_S3_IGNORE_TLS')),
    certificates: text('AWS_CA_BUNDLE'),
    addressing,
    // The SDK for JavaScript knows only the first of the two names.
    region: text('AWS_REGION') ?? text('AWS_DEFAULT_REGION'),
    unsigned: text('MLFLOW_EXPERIMENTAL_S3_SIGNATURE_VERSION')?.toLowerCase() === 'unsigned',
    uploadArguments: uploadArguments(text('MLFLOW_S3_UPLOAD_EXTRA_ARGS')),
    bucketOwner: text('MLFLOW_S3_EXPECTED_BUCKET_OWNER'),
  };
}

function uploadArguments(json: string | null): Record<string, unknown> {
  if (json === null) return {};
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Said below.
  }
  throw garbage('MLFLOW_S3_UPLOAD_EXTRA_ARGS', json, 'a JSON object');
}
