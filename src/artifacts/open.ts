/**
 * The repository that an artifact URI means: the only place that chooses one. A client is made once for each server, account
 * or endpoint, and its SDK is loaded only when it is needed.
 */
import { resolve } from 'node:path';
import { MtrackError } from '../errors.js';
import { localRepository, removeEmptyFolders } from './local.js';
import { objectRepository } from './objects.js';
import { parseProxied, proxiedRepository } from './proxy.js';
import type { ArtifactOptions, ArtifactRepository } from './repository.js';

export interface Artifacts {
  /**
   * The place itself, as a URI or an absolute path: what leads to the same is the same text. What a server proxies is at
   * its destination, where that is known.
   * @throws {MtrackError} URI_INVALID where nothing here leads to such artifacts
   */
  placeOf(uri: string): string;
  /** @throws {MtrackError} URI_INVALID */
  open(uri: string): Promise<ArtifactRepository>;
  /** Of a local URI, the folder of this name in its path, and those below it, where nothing is left in them. */
  removeEmptyFolders(uri: string, name: string): Promise<void>;
  close(): Promise<void>;
}

const OBJECTS = ['s3', 'gs', 'wasb', 'wasbs', 'abfs', 'abfss'];

export function openArtifacts(options: ArtifactOptions): Artifacts {
  const clients = new Clients(options);
  const placeOf = (uri: string): string => {
    const local = localPath(uri);
    if (local !== null) return tidy(local);
    const scheme = schemeOf(uri) ?? '';
    if (OBJECTS.includes(scheme)) return tidy(uri);
    const proxied = proxiedBy(uri, scheme, options);
    return options.destination === null ? tidy(proxied.url) : tidy(`${placeOf(options.destination)}/${proxied.path}`);
  };
  return {
    placeOf,
    open: (uri) => clients.open(placeOf(uri), uri),
    removeEmptyFolders: async (uri, name) => {
      const place = placeOf(uri);
      if (schemeOf(place) === null) await removeEmptyFolders(place, name);
    },
    close: () => clients.close(),
  };
}

class Clients {
  readonly #options: ArtifactOptions;
  readonly #made = new Map<string, Promise<unknown>>();
  readonly #ends: (() => void)[] = [];

  constructor(options: ArtifactOptions) {
    this.#options = options;
  }

  async open(place: string, uri: string): Promise<ArtifactRepository> {
    const options = this.#options;
    switch (schemeOf(place)) {
      case null:
        return localRepository(place, uri);
      case 's3': {
        const { openS3, parseS3, s3Store } = await import('./s3.js');
        const { bucket, root } = parseS3(place);
        const client = await this.#once('s3', async () => {
          const made = await openS3(options);
          this.#ends.push(() => made.destroy());
          return made;
        });
        return objectRepository(s3Store(client, bucket, options.s3), root, uri);
      }
      case 'gs': {
        const { gcsStore, openGcs, parseGcs } = await import('./gcs.js');
        const { bucket, root } = parseGcs(place);
        const storage = await this.#once('gs', async () => openGcs(options));
        return objectRepository(gcsStore(storage, bucket), root, uri);
      }
      case 'http':
      case 'https': {
        const proxied = parseProxied(place);
        if (proxied === null) throw notProxied(uri);
        const { server } = options;
        const nobody = { username: null, password: null, token: null, ignoreTls: false };
        // The login is for the server that was named, and for no other.
        const isThatOne = server !== null && new URL(server.uri).host === new URL(proxied.server).host;
        const login = isThatOne ? server : nobody;
        return proxiedRepository({ ...login, uri: proxied.server }, proxied.root, uri, options);
      }
      default: {
        const { azureStore, openAzure, parseAzure } = await import('./azure.js');
        const azure = parseAzure(place);
        const service = await this.#once(`azure ${azure.account}.${azure.suffix}`, () => openAzure(azure, options));
        return objectRepository(azureStore(service, azure.container), azure.root, uri);
      }
    }
  }

  async close(): Promise<void> {
    for (const end of this.#ends) end();
  }

  #once<Client>(key: string, make: () => Promise<Client>): Promise<Client> {
    const known = this.#made.get(key) as Promise<Client> | undefined;
    const client = known ?? make();
    this.#made.set(key, client);
    return client;
  }
}

/** Null for a path; one letter before the colon is a drive of Windows. */
function schemeOf(uri: string): string | null {
  return /^([a-z][a-z\d+.-]+):/i.exec(uri)?.[1]?.toLowerCase() ?? null;
}

/** Without empty names, and without an end that says nothing. */
function tidy(place: string): string {
  const [, start = '', rest = ''] = /^([a-z][a-z\d+.-]+:\/*)?(.*)$/isu.exec(place) ?? [];
  return start + rest.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');
}

/**
 * The absolute path of a local URI, as MLflow takes it: a path, or percent-encoded behind `file:`, with or without an empty
 * host. Null for what is not on this machine.
 */
export function localPath(uri: string): string | null {
  const scheme = schemeOf(uri);
  if (scheme === null) return resolve(uri);
  const [, path] = /^file:(?:\/\/(?:localhost)?(?=\/))?(?!\/\/)(.*)$/isu.exec(uri) ?? [];
  return path === undefined ? null : resolve(decodeURIComponent(path));
}

interface Proxied {
  readonly url: string;
  /** Below the destination of the server. */
  readonly path: string;
}

function proxiedBy(uri: string, scheme: string, { destination, server }: ArtifactOptions): Proxied {
  if (scheme === 'http' || scheme === 'https') {
    const proxied = parseProxied(uri);
    if (proxied === null) throw notProxied(uri);
    return { url: uri, path: proxied.root };
  }
  if (scheme !== 'mlflow-artifacts') throw unknownScheme(uri);
  const [, host = '', path = ''] = /^mlflow-artifacts:(?:\/\/([^/]*))?\/*(.*)$/isu.exec(uri) ?? [];
  if (destination === null && server === null) {
    throw new MtrackError('URI_INVALID', {
      found: `artifacts at ${uri}, which a tracking server proxies`,
      expected: 'where that server keeps them (--artifacts-destination), or the server itself (--tracking-uri)',
    });
  }
  if (path.split('/').includes('..'))
    throw new MtrackError('URI_INVALID', { found: `artifacts at ${uri}`, expected: 'a path without ..' });
  const base = server === null ? '' : host === '' ? server.uri : `${new URL(server.uri).protocol}//${host}`;
  return { url: `${base.replace(/\/+$/, '')}/api/2.0/mlflow-artifacts/artifacts/${path}`, path };
}

const notProxied = (uri: string) =>
  new MtrackError('URI_INVALID', {
    found: `artifacts at ${uri}`,
    expected: 'a URL of a tracking server that proxies them: …/api/2.0/mlflow-artifacts/artifacts/…',
  });

const unknownScheme = (uri: string) =>
  new MtrackError('URI_INVALID', {
    found: `artifacts at ${uri}`,
    expected: 'a path, file:, s3:, gs:, wasbs:, abfss:, mlflow-artifacts:, http: or https:',
  });
