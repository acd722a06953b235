/**
 * What a client may say about places. A server that went wherever a client points would be a tool to reach what the client
 * cannot: these are MLflow's rules against it.
 */
import { invalidParameter, type StoreError } from '../store/errors.js';
import { unquote } from '../uri.js';
import { hostAndPort, isLocal, localPath, parseUri, schemeOf } from './uris.js';

/**
 * A path below a root, as MLflow's `validate_path_is_safe`: decoded as often as it is encoded.
 * @throws {StoreError} INVALID_PARAMETER_VALUE
 */
export function safePath(given: string): string {
  let path = decoded(given).replace(/\p{Cc}/gu, escapedControl);
  if (path.includes('#')) throw invalidPath();
  if (parseUri(path).scheme === 'file') {
    if (!isLocal(path)) throw invalidPath();
    path = localPath(path);
  }
  const absolute = path.startsWith('/') || /^[a-z]:[\\/]|^\\\\/i.test(path);
  if (absolute || path.split('/').includes('..')) throw invalidPath();
  return path;
}

/** A control character of ASCII as %XX; others stay. */
function escapedControl(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x80 ? `%${code.toString(16).padStart(2, '0')}` : character;
}

const invalidPath = (): StoreError => invalidParameter('Invalid path');

const MOST_DECODINGS = 10;

function decoded(given: string): string {
  let text = given;
  for (let i = 0; i < MOST_DECODINGS; i++) {
    const once = unquote(text);
    if (once === text) return text;
    text = once;
  }
  throw invalidPath();
}

/** As MLflow's `posixpath.normpath`, for a path that is safe: names without `.`, joined by one `/`. */
export function normalPath(path: string): string {
  return path
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .join('/');
}

/** @throws {StoreError} INVALID_PARAMETER_VALUE for a place that MLflow does not keep artifacts at */
export function checkStorageLocation(
  uri: string,
  field: string,
  { hosts, locationLength }: { readonly hosts: TrustedHosts; readonly locationLength: number },
): void {
  const { fragment, params, query } = parseUri(uri);
  if (fragment !== '' || params !== '') throw invalidParameter(`'${field}' URL can't include fragments or params.`);
  if (decoded(query).includes('..')) throw invalidParameter('Invalid query string');
  checkHostNamed(uri, field, hosts);
  if (uri.startsWith('runs:')) throw invalidParameter(`Artifact location cannot be a runs:/ URI. Given: '${uri}'`);
  if ([...uri].length > locationLength) {
    throw invalidParameter(
      `Invalid artifact path length. The length of the artifact path cannot be greater than ${locationLength} characters. ` +
        'To configure this limit, please set the MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH environment variable.',
    );
  }
}

/** Schemes whose URIs name the host that is connected to, by the kind of service. */
const FAMILIES: Readonly<Record<string, string>> = {
  ftp: 'ftp',
  sftp: 'sftp',
  hdfs: 'hdfs',
  viewfs: 'hdfs',
  http: 'http',
  https: 'http',
  'mlflow-artifacts': 'http',
  r2: 'r2',
  b2: 'b2',
  abfss: 'abfss',
};
const PORTS: Readonly<Record<string, readonly number[]>> = {
  ftp: [21],
  sftp: [22],
  http: [80],
  https: [443],
  'mlflow-artifacts': [80, 443],
  r2: [443],
  b2: [443],
  abfss: [443],
};

/** Where the URI makes the server connect to; null when it names no host. A place that cannot be told is none of the trusted. */
function targetsOf(uri: string): readonly string[] | null {
  const scheme = schemeOf(uri);
  const family = FAMILIES[scheme];
  const { authority } = parseUri(uri);
  if (family === undefined || (scheme === 'mlflow-artifacts' && authority === '')) return null;
  const address = /[\\\s]/.test(authority) ? null : hostAndPort(authority);
  if (address === null) return [];
  const ports = address.port === undefined ? (PORTS[scheme] ?? ['']) : [address.port];
  return ports.map((port) => `${family} ${address.host} ${port}`);
}

/** What the operator has said of hosts: those in these URIs may be connected to, and any with one of these schemes. */
export interface TrustedHosts {
  readonly uris: readonly string[];
  readonly schemes: readonly string[];
}

/** @returns the scheme, when the server must not connect to the host that the URI names */
function refusedScheme(uri: string, { uris, schemes }: TrustedHosts): string | null {
  const targets = targetsOf(uri);
  if (targets === null) return null;
  const scheme = schemeOf(uri);
  if (schemes.some((each) => each.toLowerCase() === scheme)) return null;
  const known = new Set(uris.flatMap((each) => targetsOf(each) ?? []));
  return targets.some((target) => known.has(target)) ? null : scheme;
}

const because = (scheme: string): string =>
  `the '${scheme}' scheme addresses a host other than the tracking server's configured artifact storage, so the server would ` +
  'connect to the host named in the URI. Set the MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES environment variable on the ' +
  'server to allow it.';

/** @throws {StoreError} when what the request names is on a host that the operator has not named */
export function checkHostNamed(uri: string, field: string, hosts: TrustedHosts): void {
  const scheme = refusedScheme(uri, hosts);
  if (scheme !== null) throw invalidParameter(`'${field}' cannot use the '${scheme}' scheme: ${because(scheme)}`);
}

/** @throws {StoreError} when what the store names is on such a host */
export function checkHost(uri: string, hosts: TrustedHosts): void {
  const scheme = refusedScheme(uri, hosts);
  if (scheme === null) return;
  throw invalidParameter(`The tracking server does not connect to artifact location '${uri}': ${because(scheme)}`);
}
