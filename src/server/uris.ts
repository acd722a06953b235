/** URIs of artifacts, read as Python's `urllib.parse` reads them: MLflow decides by that what is where. */

import { unquote } from '../uri.js';

export interface ParsedUri {
  /** In lower case; empty for a path. */
  readonly scheme: string;
  /** `user:password@host:port`, as it stands there. */
  readonly authority: string;
  readonly path: string;
  readonly params: string;
  readonly query: string;
  readonly fragment: string;
}

/** `urlparse`. It never fails. */
export function parseUri(uri: string): ParsedUri {
  const [, given, rest = ''] = /^(?:([a-z][a-z\d+.-]*):)?(.*)$/is.exec(uri) ?? [];
  const [, authority = '', path = '', query = '', fragment = ''] =
    /^(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(rest) ?? [];
  // Parameters are those of the last name in the path.
  const semicolon = path.indexOf(';', path.lastIndexOf('/') + 1);
  return {
    scheme: given?.toLowerCase() ?? '',
    authority,
    path: semicolon < 0 ? path : path.slice(0, semicolon),
    params: semicolon < 0 ? '' : path.slice(semicolon + 1),
    query,
    fragment,
  };
}

/** The scheme, but none for a drive of Windows. */
export function schemeOf(uri: string): string {
  const { scheme } = parseUri(uri);
  return scheme.length === 1 ? '' : scheme;
}

/** The host in an authority, in lower case, and the port where one is given; null where that is no number. */
export function hostAndPort(authority: string): { readonly host: string; readonly port: number | undefined } | null {
  const address = authority.slice(authority.lastIndexOf('@') + 1);
  const [, ipv6, name = '', port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/s.exec(address) ?? [];
  if (port !== undefined && port !== '' && !(/^\d+$/.test(port) && Number(port) <= 65_535)) return null;
  return { host: (ipv6 ?? name).toLowerCase(), port: port ? Number(port) : undefined };
}

/** Until nothing is left to decode. */
export function unquoteAll(text: string, decode: (text: string) => string = unquote): string {
  let [before, after] = [text, decode(text)];
  while (after !== before) [before, after] = [after, decode(after)];
  return after;
}

/** Where it is a path on this machine, or `file:` without a host elsewhere. */
export function isLocal(uri: string): boolean {
  const { scheme, authority } = parseUri(uri);
  if (scheme === '') return true;
  const host = hostAndPort(authority)?.host ?? authority;
  const elsewhere = host !== '' && host !== '.' && !host.startsWith('localhost') && !host.startsWith('127.0.0.1');
  return scheme === 'file' && !elsewhere;
}

/** The path that a local URI names: MLflow decodes it also where it has no scheme. */
export function localPath(uri: string): string {
  const { scheme, path } = parseUri(uri);
  return unquote(scheme === '' ? uri : path);
}
