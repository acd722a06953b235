/**
 * The URI of a store, read as MLflow and SQLAlchemy read it (`sqlalchemy.engine.make_url` of 1.4 and 2.0). What is not
 * read here in the same way is refused, as the difference could be another server or a piece of a password in a message.
 */
import { MtrackError } from './errors.js';
import { isSecretName, MASK, maskSettings, Secret, secretsInSettings } from './secrets.js';

export interface FileStoreUri {
  readonly kind: 'files';
  /** As given, relative or absolute. */
  readonly path: string;
}

export interface DatabaseUri {
  readonly kind: 'database';
  /** Before the `+`, in lower case. */
  readonly scheme: string;
  /** After the `+`: the Python driver that MLflow uses. */
  readonly driver: string | null;
  readonly user: string | null;
  readonly password: Secret | null;
  /** As it stands in the URI; an IPv6 address is without its brackets. */
  readonly host: string | null;
  readonly port: number | null;
  /** As it stands in the URI: SQLAlchemy 2.0 does not percent-decode it. */
  readonly database: string | null;
  /** Shows masked, but its values are plain: an option can be a password. */
  readonly query: ReadonlyMap<string, readonly string[]>;
}

export type StoreUri = DatabaseUri | FileStoreUri;

const ENCODE =
  'in a user name or password write @ as %40, : as %3A, / as %2F, ? as %3F and % as %25; in an option write @ as %40 and & as %26';

/** What a text names, by its beginning alone. `unknown` has a scheme, but not the form of a URI. */
export function storeKind(text: string): 'database' | 'files' | 'server' | 'unknown' {
  if (/^(?:https?|databricks|databricks-uc|uc|arn):/iu.test(text)) return 'server';
  if (/^(?:databricks|databricks-uc|uc)$/u.test(text)) return 'server';
  if (/^file:/iu.test(text)) return 'files';
  if (/^[\w+]+:\/\//u.test(text)) return 'database';
  // One letter before the colon is a drive of Windows.
  return /^[a-z][a-z\d+.-]+:/iu.test(text) ? 'unknown' : 'files';
}

/**
 * @param text `./mlruns`, `file:///p`, `scheme+driver://user:password@host:port/database?option=value` …
 * @throws {MtrackError} URI_INVALID; its text never holds a part of the URI that could belong to a password.
 */
export function parseStoreUri(text: string): StoreUri {
  if (text === '') throw uriInvalid('the store URI is empty', { fix: ['give a path or the URI of a database'] });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (text !== text.trim() || /[\u0000-\u001f\u007f]/u.test(text)) {
    throw uriInvalid('the store URI has a blank or a line break at an end, or a control character in it', {
      fix: ['take it out; in a user name, password or option write it percent-encoded, as %0A for a line break'],
    });
  }
  const kind = storeKind(text);
  if (kind === 'database') return parseDatabase(text);
  if (kind === 'files') return { kind, path: filePath(text) };
  if (kind === 'server') {
    throw uriInvalid("this is the URI of a tracking server, and the store behind it is what's needed", {
      expected: 'the database or folder that the server was started with (mlflow server --backend-store-uri)',
      fix: ['run mtrack where that store can be reached, with its URI'],
    });
  }
  throw uriInvalid('the store URI has a scheme without // after it', {
    expected: 'scheme://user:password@host:port/database, file:path or a path',
    fix: ['write scheme:// for a database', 'write ./ before a path that has a colon in it'],
  });
}

/** The parts as SQLAlchemy's own expression takes them: the password goes up to the first `@`, the user has no `:` or `/`. */
const PARTS =
  /([\w+]+):\/\/(?:([^:/]*)(?::([^@]*))?@)?(?:(?:\[([^/?]+)\]|([^/:?]+))?(?::([^/?]*))?)?(?:\/([^?]*))?(?:\?(.*))?/suy;

function parseDatabase(text: string): DatabaseUri {
  PARTS.lastIndex = 0;
  const parts = PARTS.exec(text);
  if (!parts || parts[0] !== text) {
    throw uriInvalid('the store URI goes on after the host where a port, path or option should begin', {
      fix: [ENCODE],
    });
  }
  const [, name = '', user, password, ipv6, host = ipv6, port, database, query = ''] = parts;
  // Without a database a `?` may be of the password as well; after one, an @ in the value of an option is plain.
  const items = query.split('&').map((item) => (database === undefined ? item : item.split('=')[0]));
  const tail = [host, port, database, ...items];
  if (password !== undefined && tail.some((part) => part?.includes('@'))) {
    throw uriInvalid(
      'the store URI has more than one @, so that it is not clear where the password ends and the host begins',
      {
        expected: 'one @, before the host',
        fix: [ENCODE],
      },
    );
  }
  // host:5432/db?option=me@work reads as user `host` with the password `5432/db?option=me`.
  if (user?.includes('?') || (password !== undefined && /^\d*(?:\/[^?]*)?\?/u.test(password))) {
    throw uriInvalid('the store URI has an @ among its options, which makes all before it a user name and password', {
      fix: [ENCODE],
    });
  }
  const [scheme = '', ...drivers] = name.split('+');
  return {
    kind: 'database',
    scheme: scheme.toLowerCase(),
    driver: drivers.length > 0 ? drivers.join('+') : null,
    user: user === undefined ? null : unquote(user),
    password: password === undefined ? null : new Secret(unquote(password)),
    host: host ?? null,
    port: port === undefined ? null : parsePort(port),
    database: database ?? null,
    query: parseQuery(query),
  };
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/u.test(text) && port <= 65_535) return port;
  // Not shown: what stands here may be the end of a password.
  throw uriInvalid('the port in the store URI is not a number from 0 to 65535', {
    expected: 'host:port, or the host without a colon; an IPv6 address in [ ]',
    fix: [`if what stands there belongs to the password: ${ENCODE}`],
  });
}

/** As Python's `parse_qsl`: an option without a value is not there. */
function parseQuery(text: string): ReadonlyMap<string, readonly string[]> {
  const query = new Query();
  for (const item of text.split('&')) {
    const at = item.indexOf('=');
    if (at < 0 || at === item.length - 1) continue;
    const [key, value] = [item.slice(0, at), item.slice(at + 1)].map((part) => unquote(part.replaceAll('+', ' '))) as [
      string,
      string,
    ];
    query.set(key, [...(query.get(key) ?? []), value]);
  }
  return query;
}

/** Options that show without the passwords among them. */
class Query extends Map<string, readonly string[]> {
  toJSON(): Record<string, readonly string[]> {
    return Object.fromEntries([...this].map(([key, values]) => [key, values.map((value) => maskOption(key, value))]));
  }

  [Symbol.for('nodejs.util.inspect.custom')](): unknown {
    return this.toJSON();
  }
}

/** As Python's `unquote`: what is no %XX stays as it is, and so does `+`. */
export function unquote(text: string): string {
  return text.replace(/(?:%[\da-f]{2})+/giu, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString());
}

function quote(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/gu,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** MLflow takes the path of a `file:` URI without its options, and percent-decodes every path (`local_file_uri_to_path`). */
function filePath(text: string): string {
  const [, host, path = ''] = /^file:(?:\/\/([^/?#]*))?([^?#]*)/iu.exec(text) ?? [null, undefined, text];
  if (host && host.toLowerCase() !== 'localhost') {
    throw uriInvalid('the store URI is a file on another machine', {
      expected: 'file:///absolute/path, file:relative/path or a path',
      fix: ['write three slashes before an absolute path and none before a relative one'],
    });
  }
  if (path === '') throw uriInvalid('the store URI is file: without a path', { fix: ['write file:///absolute/path'] });
  return unquote(path);
}

/**
 * The URI as text, to be shown: `parseStoreUri` reads the same from it, but for the password and secret options, which
 * are `***`.
 */
export function formatUri(uri: StoreUri): string {
  if (uri.kind === 'files') return formatPath(uri.path);
  const { scheme, driver, user, password, host, port, database, query } = uri;
  const login = user === null ? '' : `${quote(user)}${password ? `:${MASK}` : ''}@`;
  const at = host?.includes(':') ? `[${host}]` : (host ?? '');
  const options = [...query].flatMap(([key, values]) =>
    values.map((value) => `${option(key)}=${option(maskOption(key, value))}`),
  );
  return [
    `${scheme}${driver === null ? '' : `+${driver}`}://${login}${at}`,
    port === null ? '' : `:${port}`,
    database === null ? '' : `/${database}`,
    options.length > 0 ? `?${options.join('&')}` : '',
  ].join('');
}

function formatPath(path: string): string {
  const plain = path.replace(/%(?=[\da-f]{2})/giu, '%25');
  const reads = storeKind(plain) === 'files' && !/^file:|^\s|\s$|\p{Cc}/iu.test(plain);
  return reads ? plain : `file:${quote(path).replaceAll('%2F', '/')}`;
}

/** An option's name or value; what is harmless there is left readable. */
const option = (text: string): string => quote(text).replace(/%2[FC]|%3A|%2A/gu, decodeURIComponent);

const maskOption = (name: string, value: string): string => (isSecretName(name) ? MASK : maskSettings(value));

/** All in the URI that must not be shown: see `redactor`. */
export function secretsOf(uri: StoreUri): Secret[] {
  if (uri.kind === 'files') return [];
  const options = [...uri.query].flatMap(([name, values]) =>
    values.flatMap((value) => (isSecretName(name) ? [new Secret(value)] : secretsInSettings(value))),
  );
  return [...(uri.password ? [uri.password] : []), ...options];
}

/** The names in the URI, which are shown although a secret may be spelt like one of them: see `redactor`. */
export function wordsOf(uri: StoreUri): string[] {
  if (uri.kind === 'files') return [uri.path];
  return [uri.scheme, uri.driver, uri.user, uri.host, uri.database].filter((word) => word !== null);
}

/** The failure that a URI cannot be used; `found` must not hold a part that could belong to a password. */
export function uriInvalid(
  found: string,
  more: { expected?: string; fix?: readonly string[]; cause?: unknown } = {},
): MtrackError {
  return new MtrackError('URI_INVALID', { found, ...more });
}

/** Options of a URI, each read by name. What has not been asked for in the end is refused by `refuseOthers`. */
export class UriOptions {
  readonly #values: ReadonlyMap<string, readonly string[]>;
  readonly #known = new Set<string>();

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  /** All values, in their order. */
  all(name: string): readonly string[] {
    this.#known.add(name);
    return this.#values.get(name) ?? [];
  }

  /**
   * The one value, under any of its names; null when it is not given.
   * @throws {MtrackError} URI_INVALID when it has two.
   */
  text(...names: readonly string[]): string | null {
    const values = new Set(names.flatMap((name) => this.all(name)));
    if (values.size > 1) {
      throw uriInvalid(`the option ${names[0]} is given ${values.size} times with different values`, {
        fix: ['give it once'],
      });
    }
    return values.values().next().value ?? null;
  }

  /** The value as one of `choices`, which are in lower case. */
  choice<Choice extends string>(choices: readonly Choice[], ...names: readonly string[]): Choice | null {
    const text = this.text(...names);
    const choice = choices.find((choice) => choice === text?.trim().toLowerCase());
    if (text === null || choice !== undefined) return choice ?? null;
    throw uriInvalid(`the option ${names[0]} is "${text}"`, { expected: choices.join(', ') });
  }

  /** Yes or no, in the words that SQLAlchemy takes (`asbool`). */
  flag(...names: readonly string[]): boolean | null {
    const word = this.choice([...YES, ...NO], ...names);
    return word === null ? null : YES.includes(word);
  }

  /** A number, not negative unless `negative`. */
  number(names: readonly string[], { negative = false } = {}): number | null {
    const text = this.text(...names);
    if (text === null || (negative ? /^\s*-?\d+(?:\.\d+)?\s*$/u : /^\s*\d+(?:\.\d+)?\s*$/u).test(text)) {
      return text === null ? null : Number(text);
    }
    throw uriInvalid(`the option ${names[0]} is "${text}"`, { expected: 'a number' });
  }

  /** Options that are allowed and change nothing here. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#known.add(name);
  }

  /** Refuses an option, when it is there, with the reason and what to use instead. */
  refuse(name: string, because: string, instead = `take ${name} out of the store URI`): void {
    if (!this.#values.has(name)) return;
    throw uriInvalid(`the option ${name}: ${because}`, { fix: [instead] });
  }

  /**
   * An option that nobody asked for is an error, not passed over: mistyped, it would leave a connection unprotected, or
   * lead to another server or database, without a word.
   */
  refuseOthers(): void {
    const others: string[] = [];
    let afterSecret = false;
    for (const name of this.#values.keys()) {
      if (this.#known.has(name)) {
        afterSecret = isSecretName(name);
      } else {
        // An & or ; that was not encoded makes the end of a password look like an option.
        others.push(afterSecret ? '*** (right after a password, and perhaps a part of it)' : name);
      }
    }
    if (others.length === 0) return;
    throw uriInvalid(`the store URI has an option that is not known here: ${others.join(', ')}`, {
      expected: [...this.#known].sort().join(', '),
      fix: ['correct its name, or take it out if MLflow works without it'],
    });
  }
}

const YES: readonly string[] = ['true', 'yes', 'on', 'y', 't', '1'];
const NO: readonly string[] = ['false', 'no', 'off', 'n', 'f', '0'];
