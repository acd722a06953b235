/** URIs of places for artifacts, put together as MLflow does: paths go behind the path, in front of a query. */
import { invalidParameter, StoreError } from './errors.js';

interface Parts {
  /** In lower case; empty for a path. */
  readonly scheme: string;
  readonly authority: string | undefined;
  readonly path: string;
  /** Query and fragment, as they stand. */
  readonly rest: string;
}

const PARTS = /^(?:([a-z][a-z\d+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(.*)$/is;

function split(uri: string): Parts {
  const [, scheme = '', authority, path = '', rest = ''] = PARTS.exec(uri) ?? [];
  return { scheme: scheme.toLowerCase(), authority, path, rest };
}

/** A schemes's URI without an authority keeps an empty one where Python knows that the scheme has some. */
const WITH_AUTHORITY = ['file', 'http', 'https', 'ftp', 'sftp'];

function write({ scheme, authority, path, rest }: Parts): string {
  const slashes = authority || (WITH_AUTHORITY.includes(scheme) && !path.startsWith('//'));
  const place = slashes ? `//${authority ?? ''}${path !== '' && !path.startsWith('/') ? '/' : ''}${path}` : path;
  return (scheme === '' ? '' : `${scheme}:`) + place + rest;
}

function join(prefix: string, suffix: string): string {
  if (prefix === '') return suffix;
  return `${prefix}${prefix.endsWith('/') ? '' : '/'}${suffix.replace(/^\/+/, '')}`;
}

/**
 * `s3://bucket/root?option` and `7` are `s3://bucket/root/7?option`.
 * @throws StoreError where the query could lead out of the path
 */
export function appendToUri(uri: string, ...paths: readonly string[]): string {
  const suffix = paths.reduce(join, '');
  const parts = split(uri);
  if (leadsUp(parts.rest.replace(/#.*$/s, ''))) throw invalidParameter('Invalid query string');
  if (parts.scheme === '') return join(uri, suffix);
  const path = join(parts.path, suffix);
  if (parts.path.startsWith('/')) return write({ ...parts, path });
  // A path that is relative stays so.
  return `${parts.scheme}:${write({ ...parts, scheme: '', path })}`;
}

const DECODINGS = 10;

function leadsUp(query: string): boolean {
  let text = query;
  for (let time = 0; time < DECODINGS; time++) {
    const decoded = unquote(text);
    if (decoded === text) break;
    text = decoded;
  }
  return text.includes('..');
}

function unquote(text: string): string {
  return text.replace(/(?:%[\da-f]{2})+/gi, (bytes) => Buffer.from(bytes.replaceAll('%', ''), 'hex').toString('utf8'));
}

const isThisHost = (host: string) => host === '.' || host.startsWith('localhost') || host.startsWith('127.0.0.1');

/**
 * A path, or a `file:` URI, made absolute; any other URI as it is.
 * @throws StoreError for a `file:` URI of another host
 */
export function absoluteUri(uri: string): string {
  const { scheme, authority, path, rest } = split(uri);
  if (scheme !== '' && scheme !== 'file') return uri;
  const host = (authority ?? '').replace(/^.*@/, '').replace(/:\d*$/, '').toLowerCase();
  if (scheme === 'file' && host !== '' && !isThisHost(host)) {
    throw new StoreError(
      'INTERNAL_ERROR',
      `${uri} is not a valid remote uri. For remote access on windows, please consider using a different scheme such as SMB (e.g. smb://<hostname>/<path>).`,
    );
  }
  const local = unquote(scheme === '' ? uri : path);
  if (local.startsWith('/')) return uri;
  // As Python's pathlib joins: `..` stays.
  const parts = local.split('/').filter((part) => part !== '' && part !== '.');
  const full = [process.cwd(), ...parts].join('/');
  return scheme === '' ? full : `file://${full}${rest}`;
}
