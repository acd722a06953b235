/** What `mtrack server` is told, by flags and by MLflow's environment variables, as plain values. */
import { existsSync, readFileSync } from 'node:fs';
import { garbage, type ResolvedUri, readEnvironment, readFlag, resolveStoreUri } from '../../config.js';
import type { OpenOptions } from '../../dialect/dialect.js';
import { MtrackError, messageOf } from '../../errors.js';
import { readUsers, type SecurityOptions, type Users } from '../../server/index.js';
import type { Limits } from '../../store/store.js';
import { formatUri, type StoreUri } from '../../uri.js';
import { wordsToName } from '../store.js';

export interface ServerFlags {
  readonly 'backend-store-uri'?: string | undefined;
  readonly 'backend-store-uri-file'?: string | undefined;
  readonly 'default-artifact-root'?: string | undefined;
  readonly 'artifacts-destination': string;
  readonly 'serve-artifacts': boolean;
  readonly init: boolean;
  readonly host: string;
  readonly port: number;
  readonly workers: number;
  readonly 'allowed-hosts'?: string | undefined;
  readonly 'cors-allowed-origins'?: string | undefined;
  readonly 'x-frame-options': string;
  readonly 'disable-security-middleware': boolean;
  readonly 'auth-file'?: string | undefined;
  readonly 'tls-cert'?: string | undefined;
  readonly 'tls-key'?: string | undefined;
  readonly 'max-body': number;
  readonly 'max-upload'?: number | undefined;
  readonly 'shutdown-timeout': number;
  readonly 'log-level': string;
}

/** As MLflow: what is in ./mlruns already, else its database, else a new ./mlruns. */
const FOLDER = './mlruns';
const DATABASE_FILE = 'mlflow.db';

export interface NamedStore {
  readonly uri: StoreUri;
  /** Without a password. */
  readonly shown: string;
  readonly from: string;
  readonly connection: OpenOptions;
}

/** @throws {MtrackError} USAGE, URI_INVALID */
export function namedStore(flags: ServerFlags, echo: (statement: string) => void): NamedStore {
  const env = readEnvironment(process.env);
  const file = flags['backend-store-uri-file'];
  const resolved: ResolvedUri = resolveStoreUri({
    flag: flags['backend-store-uri'],
    file,
    env,
    otherwise: !existsSync(FOLDER) && existsSync(DATABASE_FILE) ? `sqlite:///${DATABASE_FILE}` : FOLDER,
  });
  const { uri, source, from } = resolved;
  const { pool, mysqlTls, postgresql } = env;
  const named = uri.kind === 'database' ? { named: wordsToName(uri, source, file ?? '') } : {};
  return {
    uri,
    from,
    shown: formatUri(uri),
    connection: { pool, mysqlTls, postgresql, ...named, ...(pool.echo && { echo }) },
  };
}

/** MLflow's own where its variables say nothing. */
export function limitsOf(env: NodeJS.ProcessEnv = process.env): Limits {
  const [truncate, length] = ['MLFLOW_TRUNCATE_LONG_VALUES', 'MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH'] as const;
  const given = env[length] || '2048';
  if (!/^\d{1,9}$/.test(given)) throw garbage(length, given, 'a number of characters');
  return { truncateLongValues: readFlag(truncate, env[truncate] || 'true'), artifactLocationLength: Number(given) };
}

/** Where experiments that name no place of their own keep their files; MLflow's defaults. */
export function artifactRootOf(flags: ServerFlags, { uri }: NamedStore): string {
  const given = flags['default-artifact-root'];
  if (given) return given;
  if (flags['serve-artifacts']) return 'mlflow-artifacts:/';
  return uri.kind === 'files' ? uri.path : FOLDER;
}

export function securityOf(flags: ServerFlags): SecurityOptions {
  return {
    allowedHosts: listOf(flags['allowed-hosts']),
    allowedOrigins: listOf(flags['cors-allowed-origins']) ?? [],
    frames: flags['x-frame-options'],
    disabled: flags['disable-security-middleware'],
  };
}

function listOf(text: string | undefined): readonly string[] | null {
  const items = (text ?? '').split(',').map((item) => item.trim());
  return items.some((item) => item !== '') ? items.filter((item) => item !== '') : null;
}

export function usersOf(path: string | undefined): Users | null {
  return path === undefined ? null : readUsers(readFlagFile('--auth-file', path), path);
}

export function tlsOf(flags: ServerFlags): { readonly cert: string; readonly key: string } | null {
  const { 'tls-cert': cert, 'tls-key': key } = flags;
  if (cert === undefined || key === undefined) return null;
  return { cert: readFlagFile('--tls-cert', cert), key: readFlagFile('--tls-key', key) };
}

function readFlagFile(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new MtrackError('USAGE', { found: `${flag}: ${path} cannot be read: ${messageOf(error)}`, cause: error });
  }
}
