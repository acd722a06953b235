/** What mtrack is told from outside: the environment, files, this machine. All other code takes it as plain values. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { getCACertificates } from 'node:tls';
import { MtrackError, messageOf } from './errors.js';
import { Secret } from './secrets.js';
import { parseStoreUri, type StoreUri, storeKind, uriInvalid } from './uri.js';

/** SQLAlchemy's pool classes that MLflow takes by name (`create_sqlalchemy_engine`). */
const POOL_CLASSES = [
  'QueuePool',
  'AsyncAdaptedQueuePool',
  'FallbackAsyncAdaptedQueuePool',
  'NullPool',
  'SingletonThreadPool',
  'StaticPool',
  'AssertionPool',
] as const;

/** The pool as SQLAlchemy's `create_engine` is told of it; null is its default. */
export interface PoolOptions {
  /** Connections that stay open; 0 is no limit. */
  readonly size: number | null;
  /** Connections beyond `size`; -1 is no limit. */
  readonly maxOverflow: number | null;
  /** A connection older than this is replaced before its next use; -1 is never. */
  readonly recycleSeconds: number | null;
  /** Whether statements are logged. */
  readonly echo: boolean;
  readonly poolClass: (typeof POOL_CLASSES)[number] | null;
}

/** Nothing is set: what the drivers take by themselves holds. */
export const DEFAULT_POOL: PoolOptions = {
  size: null,
  maxOverflow: null,
  recycleSeconds: null,
  echo: false,
  poolClass: null,
};

/** The paths of certificate files that MLflow gives to MySQL's driver beside the URI. */
export interface TlsFiles {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

export interface Environment {
  /** Secret, as a URI holds a password. */
  readonly backendStoreUri: Secret | null;
  readonly trackingUri: Secret | null;
  readonly pool: PoolOptions;
  readonly mysqlTls: TlsFiles;
  /** The variables of PostgreSQL's client library (`PG…`), but for PGPASSWORD, which the driver reads by itself. */
  readonly postgresql: Readonly<Record<string, string>>;
  /** What the database's own programs are started with: all but what is MLflow's, which holds passwords, and Node's. */
  readonly tools: Readonly<Record<string, string>>;
}

/**
 * The variables of MLflow and of database clients. One that is empty counts as not set.
 *
 * MLflow passes a number on to SQLAlchemy only when it is not 0 (`if pool_size:`), so that 0 means the default.
 * @throws {MtrackError} USAGE, naming the variable, when its value is none that MLflow and SQLAlchemy take.
 */
export function readEnvironment(env: NodeJS.ProcessEnv): Environment {
  const text = (name: string) => env[name] || null;
  const secret = (name: string) => (env[name] ? new Secret(env[name]) : null);
  const number = (name: string, least: number) => {
    const value = text(name)?.trim() ?? null;
    if (value === null) return null;
    if (/^[+-]?\d+$/u.test(value) && Number(value) >= least) return Number(value) || null;
    throw garbage(name, value, `a whole number, ${least} or more`);
  };
  const POOL = 'MLFLOW_SQLALCHEMYSTORE_';
  return {
    backendStoreUri: secret('MLFLOW_BACKEND_STORE_URI'),
    trackingUri: secret('MLFLOW_TRACKING_URI'),
    pool: {
      size: number(`${POOL}POOL_SIZE`, 0),
      maxOverflow: number(`${POOL}MAX_OVERFLOW`, -1),
      recycleSeconds: number(`${POOL}POOL_RECYCLE`, -1),
      echo: readFlag(`${POOL}ECHO`, text(`${POOL}ECHO`)),
      poolClass: readPoolClass(`${POOL}POOLCLASS`, text(`${POOL}POOLCLASS`)),
    },
    mysqlTls: {
      ca: text('MLFLOW_MYSQL_SSL_CA'),
      cert: text('MLFLOW_MYSQL_SSL_CERT'),
      key: text('MLFLOW_MYSQL_SSL_KEY'),
    },
    postgresql: Object.fromEntries(
      Object.entries(env).filter(
        (entry): entry is [string, string] => /^PG[A-Z]+$/u.test(entry[0]) && entry[0] !== 'PGPASSWORD' && !!entry[1],
      ),
    ),
    tools: Object.fromEntries(
      Object.entries(env).filter(
        (entry): entry is [string, string] => entry[1] !== undefined && !/^(?:MLFLOW|MTRACK|NODE)_/u.test(entry[0]),
      ),
    ),
  };
}

/** As MLflow's `_BooleanEnvironmentVariable`. */
export function readFlag(name: string, value: string | null): boolean {
  const word = value?.toLowerCase() ?? 'false';
  if (!['true', '1', 'false', '0'].includes(word)) throw garbage(name, word, 'true, false, 1 or 0');
  return word === 'true' || word === '1';
}

function readPoolClass(name: string, value: string | null): PoolOptions['poolClass'] {
  const poolClass = POOL_CLASSES.find((each) => each === value);
  if (value !== null && !poolClass) throw garbage(name, value, POOL_CLASSES.join(', '));
  return poolClass ?? null;
}

/** The failure that a setting is which cannot be read. @param value is shown: no secret */
export function garbage(name: string, value: string, expected: string): MtrackError {
  return new MtrackError('USAGE', { found: `${name} is "${value}"`, expected, fix: [`correct ${name}, or unset it`] });
}

export interface PoolLimits {
  /** The most connections at a time: a whole number, as pools want one, even where there is no limit. */
  readonly max: number;
  /** A connection older than this must not be used again: 0 is after each use, null is never. */
  readonly recycleSeconds: number | null;
  readonly echo: boolean;
}

/**
 * What SQLAlchemy's options come to. Defaults are those of its QueuePool: 5 connections that stay and 10 more
 * (https://docs.sqlalchemy.org/en/20/core/pooling.html#sqlalchemy.pool.QueuePool).
 */
export function poolLimits(pool: PoolOptions): PoolLimits {
  const { size, maxOverflow, recycleSeconds, echo, poolClass } = pool;
  const unlimited = Number.MAX_SAFE_INTEGER;
  const recycle = recycleSeconds !== null && recycleSeconds >= 0 ? recycleSeconds : null;
  switch (poolClass) {
    // Opens a connection for each use, and closes it after.
    case 'NullPool':
      return { max: unlimited, recycleSeconds: 0, echo };
    case 'StaticPool':
    case 'AssertionPool':
      return { max: 1, recycleSeconds: recycle, echo };
    // One connection for each thread, of which it keeps `size`.
    case 'SingletonThreadPool':
      return { max: size || 5, recycleSeconds: recycle, echo };
    default: {
      const overflow = maxOverflow ?? 10;
      return { max: size === 0 || overflow < 0 ? unlimited : (size ?? 5) + overflow, recycleSeconds: recycle, echo };
    }
  }
}

/** What options of a connection depend on of the machine that mtrack runs on; given by tests in place of the real one. */
export interface Machine {
  exists(path: string): boolean;
  read(path: string): string;
  /** Certificates, as PEM, that the operating system trusts. */
  systemCertificates(): string[];
  readonly home: string;
  /** The name of the user who runs mtrack; null where it has none, as in a container with a number for a user. */
  readonly user: string | null;
}

/** What is asked of the machine where the URI says nothing. */
export const thisMachine: Machine = {
  exists: existsSync,
  read: (path) => readFileSync(path, 'utf8'),
  systemCertificates: () => getCACertificates('system'),
  get home() {
    return homedir();
  },
  get user() {
    try {
      return userInfo().username;
    } catch {
      return null;
    }
  },
};

/**
 * @param option the option, or the kind of file, that names `path`
 * @throws {MtrackError} URI_INVALID
 */
export function readCertificate(option: string, path: string, machine: Machine): string {
  try {
    return machine.read(path);
  } catch (error) {
    throw uriInvalid(`the file that ${option} names cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

export interface UriSources {
  readonly argument?: string | undefined;
  /** --backend-store-uri */
  readonly flag?: string | undefined;
  /** --backend-store-uri-file */
  readonly file?: string | undefined;
  readonly env: Pick<Environment, 'backendStoreUri' | 'trackingUri'>;
  /** What is meant when nothing is said; without it that is an error. */
  readonly otherwise?: string;
}

export interface ResolvedUri {
  readonly uri: StoreUri;
  /** Where it was found, in words. */
  readonly from: string;
  readonly source: 'words' | 'file' | 'environment';
}

const WAYS = [
  'give the URI as the argument, or with --backend-store-uri',
  'put the URI into a file that only you can read, and give --backend-store-uri-file PATH (keeps a password out of `ps`)',
  'set MLFLOW_BACKEND_STORE_URI, or MLFLOW_TRACKING_URI to the URI of a database',
];

/**
 * The store that is meant: what is given on the command line, else MLFLOW_BACKEND_STORE_URI, else MLFLOW_TRACKING_URI
 * when it names a database.
 * @throws {MtrackError} USAGE when there is none, when two on the command line differ, or when the file does not hold
 * one URI; URI_INVALID, naming where the URI was found, when it cannot be read.
 */
export function resolveStoreUri(sources: UriSources, machine: Pick<Machine, 'read'> = thisMachine): ResolvedUri {
  const { argument, flag, file, env } = sources;
  const given: (readonly [from: string, text: string, source: ResolvedUri['source']])[] = [];
  if (argument !== undefined) given.push(['the argument', argument, 'words']);
  if (flag !== undefined) given.push(['--backend-store-uri', flag, 'words']);
  if (file !== undefined) given.push(['--backend-store-uri-file', readUriFile(file, machine), 'file']);
  if (new Set(given.map(([, text]) => text)).size > 1) {
    throw new MtrackError('USAGE', {
      found: `${given.map(([from]) => from).join(' and ')} name different stores`,
      fix: ['give one of them'],
    });
  }
  const tracking = env.trackingUri?.reveal();
  if (env.backendStoreUri) given.push(['MLFLOW_BACKEND_STORE_URI', env.backendStoreUri.reveal(), 'environment']);
  if (tracking && storeKind(tracking) === 'database') given.push(['MLFLOW_TRACKING_URI', tracking, 'environment']);
  if (sources.otherwise !== undefined) given.push(['the default', sources.otherwise, 'words']);
  const [chosen] = given;
  if (!chosen) {
    const ignored = tracking ? '; MLFLOW_TRACKING_URI names no database' : '';
    throw new MtrackError('USAGE', { found: `no store is named${ignored}`, fix: WAYS });
  }
  const [from, text, source] = chosen;
  try {
    return { uri: parseStoreUri(text), from, source };
  } catch (error) {
    if (!(error instanceof MtrackError)) throw error;
    throw new MtrackError(error.code, { ...error.failure, found: `${error.failure.found} (in ${from})` });
  }
}

/** The URI in a file. Its text is never shown: it may be a key or a configuration file that was named by mistake. */
function readUriFile(path: string, machine: Pick<Machine, 'read'>): string {
  const wrong = (found: string, cause?: unknown) =>
    new MtrackError('USAGE', {
      found: `--backend-store-uri-file: ${found}`,
      expected: 'a file with the URI of the store on a line of its own, and nothing else',
      fix: WAYS,
      cause,
    });
  if (path === '-') throw wrong('the standard input is not read, as questions are answered there');
  let content: string;
  try {
    content = machine.read(path);
  } catch (error) {
    throw wrong(`${path} cannot be read: ${messageOf(error)}`, error);
  }
  const uri = content.trim();
  if (uri === '') throw wrong(`${path} is empty`);
  if (/[\r\n]/u.test(uri)) throw wrong(`${path} has more than one line`);
  return uri;
}
