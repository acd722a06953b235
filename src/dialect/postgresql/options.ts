/**
 * What node-postgres is given so that it connects as libpq does for MLflow, with the same URI and the same environment
 * (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS). libpq refuses an option that it does
 * not know, so does this; an option that only strengthens a connection and that node-postgres lacks is refused as well.
 */
import { join } from 'node:path';
import { checkServerIdentity, type PeerCertificate, type SecureVersion } from 'node:tls';
import {
  DEFAULT_POOL,
  type Machine,
  type PoolOptions,
  poolLimits,
  readCertificate,
  thisMachine,
} from '../../config.js';
import { messageOf } from '../../errors.js';
import { type DatabaseUri, UriOptions, uriInvalid } from '../../uri.js';
import { codeOf } from '../faults.js';

/** As much of pg's `ClientConfig` as is used. Holds the password in plain text: not to be shown. */
export interface PgConnection {
  /** A name, an address, or the directory of a unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** Absent: pg looks at PGPASSWORD and the password file. */
  readonly password?: string;
  readonly ssl: PgTls | false;
  readonly sslnegotiation?: 'direct';
  readonly enableChannelBinding?: boolean;
  readonly client_encoding: 'UTF8';
  readonly application_name: string;
  readonly options?: string;
  readonly connectionTimeoutMillis?: number;
  readonly keepAlive: boolean;
  readonly keepAliveInitialDelayMillis?: number;
}

export interface PgTls {
  readonly rejectUnauthorized: boolean;
  readonly checkServerIdentity: (host: string, certificate: PeerCertificate) => Error | undefined;
  /** PEM, as are `cert`, `key` and `crl`. */
  readonly ca?: string | string[];
  readonly cert?: string;
  readonly key?: string;
  readonly crl?: string;
  readonly passphrase?: string;
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
}

/** As much of pg's `PoolConfig` as is used. */
export interface PgPool {
  readonly max: number;
  readonly maxLifetimeSeconds?: number;
  readonly maxUses?: number;
}

export interface PostgresqlOptions {
  /** To be tried in this order, the next one when `mayTryNext` says so. */
  readonly attempts: readonly [PgConnection, ...PgConnection[]];
  readonly pool: PgPool;
}

/** libpq's environment variables and the options they are the defaults of: all but those for a password. */
export const VARIABLES: Readonly<Record<string, string>> = {
  PGHOST: 'host',
  PGHOSTADDR: 'hostaddr',
  PGPORT: 'port',
  PGDATABASE: 'dbname',
  PGUSER: 'user',
  PGSERVICE: 'service',
  PGOPTIONS: 'options',
  PGAPPNAME: 'application_name',
  PGCLIENTENCODING: 'client_encoding',
  PGCONNECT_TIMEOUT: 'connect_timeout',
  PGTARGETSESSIONATTRS: 'target_session_attrs',
  PGSSLMODE: 'sslmode',
  PGSSLNEGOTIATION: 'sslnegotiation',
  PGSSLROOTCERT: 'sslrootcert',
  PGSSLCERT: 'sslcert',
  PGSSLKEY: 'sslkey',
  PGSSLCERTMODE: 'sslcertmode',
  PGSSLCRL: 'sslcrl',
  PGSSLCRLDIR: 'sslcrldir',
  PGSSLMINPROTOCOLVERSION: 'ssl_min_protocol_version',
  PGSSLMAXPROTOCOLVERSION: 'ssl_max_protocol_version',
  PGCHANNELBINDING: 'channel_binding',
  PGREQUIREAUTH: 'require_auth',
  PGREQUIREPEER: 'requirepeer',
  PGGSSENCMODE: 'gssencmode',
};

const DRIVERS = ['psycopg2', 'psycopg', 'asyncpg', 'pg8000'];
const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
type SslMode = (typeof SSL_MODES)[number];

const TLS_OPTIONS = [
  'ssl',
  'sslmode',
  'sslnegotiation',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'sslpassword',
  'sslcertmode',
  'sslcrl',
  'ssl_min_protocol_version',
  'ssl_max_protocol_version',
  'channel_binding',
];

/**
 * @param environment variables `PG…`: libpq's defaults, so that mtrack goes to the server that MLflow goes to
 * @throws {MtrackError} URI_INVALID for an option that cannot be honoured, and for a certificate that cannot be read.
 */
export function postgresqlOptions(
  uri: DatabaseUri,
  {
    pool = DEFAULT_POOL,
    environment = {},
    machine = thisMachine,
  }: { pool?: PoolOptions; environment?: Readonly<Record<string, string>>; machine?: Machine } = {},
): PostgresqlOptions {
  if (uri.driver !== null && !DRIVERS.includes(uri.driver)) {
    throw uriInvalid(`the driver ${uri.driver} is not known for PostgreSQL`, { expected: DRIVERS.join(', ') });
  }
  const options = new UriOptions(withDefaults(uri, environment));
  refuseUnsupported(options);
  const port = portOf(options);
  const host = hostOf(options, machine);
  const user = options.text('user') ?? machine.user;
  if (!user)
    throw uriInvalid('no user is named, and the one who runs mtrack has no name', { fix: ['write user@host'] });
  const password = options.text('password');
  // libpq passes over all that is said of TLS when it connects to a unix socket.
  const socket = host.name.startsWith('/');
  if (socket) options.ignore(...TLS_OPTIONS);
  const tls = socket ? null : tlsOf(options, host.name, machine);
  const plain: PgConnection = {
    host: host.name,
    port: host.port ?? port,
    user,
    database: options.text('dbname', 'database') ?? user,
    ...(password && { password }),
    ssl: false,
    client_encoding: 'UTF8',
    // Who is asked about a lock should see who holds it.
    application_name: options.text('application_name') ?? 'mtrack',
    ...serverOptions(options),
    ...timing(options),
  };
  options.refuseOthers();
  if (tls === null) return { attempts: [plain], pool: poolOf(pool) };
  const secure = { ...plain, ...tls.connection };
  const attempts: Record<SslMode, PostgresqlOptions['attempts']> = {
    disable: [plain],
    allow: [plain, secure],
    prefer: [secure, plain],
    require: [secure],
    'verify-ca': [secure],
    'verify-full': [secure],
  };
  return { attempts: attempts[tls.mode], pool: poolOf(pool) };
}

/**
 * Whether libpq goes on to the next attempt (`sslmode=prefer` or `allow`) after this error: when the server or TLS
 * turned the connection down, not when the server was not reached, and not when it refused the password or database.
 */
export function mayTryNext(error: unknown): boolean {
  const code = codeOf(error);
  if (code === undefined) return !/timeout/iu.test(messageOf(error));
  // 28000 is what pg_hba.conf answers when it wants TLS, or wants none. Codes of the server hold a digit.
  if (/^(?=.*\d)[\dA-Z]{5}$/u.test(code)) return code === '28000';
  return !UNREACHED.includes(code);
}

const UNREACHED = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'EACCES',
];

/** All as options, the way psycopg2 gets them: the query wins over the parts of the URI, and both over the environment. */
export function withDefaults(
  uri: DatabaseUri,
  environment: Readonly<Record<string, string>>,
): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, readonly string[]>();
  const put = (name: string, value: string | null | undefined) => value && values.set(name, [value]);
  for (const [variable, name] of Object.entries(VARIABLES)) put(name, environment[variable]);
  put('password', uri.password?.reveal());
  put('user', uri.user);
  put('host', uri.host);
  put('port', uri.port === null ? null : String(uri.port));
  put('dbname', uri.database);
  for (const [name, each] of uri.query) values.set(name, each);
  return values;
}

function refuseUnsupported(options: UriOptions): void {
  const spelledOut = 'write host, port, user, database and options into the store URI, and unset PGSERVICE';
  options.refuse('service', 'pg_service.conf is not read', spelledOut);
  options.refuse('servicefile', 'pg_service.conf is not read', spelledOut);
  options.refuse('passfile', 'the file it names is not read', 'set PGPASSFILE to it, or put the line into ~/.pgpass');
  options.refuse('hostaddr', 'a server is reached by its name', 'write the address in place of the host');
  options.refuse('sslcrldir', 'a folder of revocation lists is not read', 'name one file with sslcrl');
  options.refuse(
    'require_auth',
    'the kind of login cannot be prescribed',
    'use sslmode=verify-full against a false server',
  );
  options.refuse(
    'requirepeer',
    'the owner of the server cannot be checked',
    'take it out, and protect the folder of the socket',
  );
  options.refuse('replication', 'mtrack does not replicate');
  options.refuse('krbsrvname', 'Kerberos is not supported', 'use a user with a password or certificate');
  options.refuse('gsslib', 'Kerberos is not supported', 'use a user with a password or certificate');
  const instead = 'an upgrade works on one server: name its primary alone';
  const attributes = options.text('target_session_attrs') ?? 'any';
  if (!['any', 'read-write'].includes(attributes)) {
    throw uriInvalid(`the option target_session_attrs is "${attributes}"`, {
      expected: 'read-write or any',
      fix: [instead],
    });
  }
  if ((options.text('load_balance_hosts') ?? 'disable') !== 'disable') options.refuse('load_balance_hosts', instead);
  if (options.text('gssencmode') === 'require')
    options.refuse('gssencmode', 'Kerberos is not supported', 'use sslmode=verify-full');
  const encoding = options.text('client_encoding') ?? 'utf8';
  if (!/^(?:utf-?8|unicode|auto)$/iu.test(encoding)) {
    throw uriInvalid(`the option client_encoding is "${encoding}"`, {
      expected: 'utf8, which holds every text that MLflow stores',
      fix: ['write client_encoding=utf8, or take it out'],
    });
  }
  options.ignore('fallback_application_name');
  // Node has no say over these; they change when a dead connection is noticed, or nothing at all.
  options.ignore(
    'keepalives_interval',
    'keepalives_count',
    'tcp_user_timeout',
    'sslcompression',
    'sslsni',
    'gssdelegation',
  );
  // How asyncpg's SQLAlchemy dialect keeps prepared statements.
  options.ignore(
    'prepared_statement_cache_size',
    'prepared_statement_name_func',
    'statement_cache_size',
    'async_fallback',
  );
}

function portOf(options: UriOptions): number {
  const text = options.text('port') ?? '5432';
  if (/^\d{1,5}$/u.test(text) && Number(text) > 0 && Number(text) < 65_536) return Number(text);
  throw uriInvalid('the port is not one number from 1 to 65535', { fix: ['name one server with one port'] });
}

/** The host, which may bring its port with it (`?host=name:5432`); without one the directory of the unix socket. */
function hostOf(options: UriOptions, machine: Machine): { name: string; port: number | null } {
  const hosts = options.all('host').flatMap((host) => host.split(','));
  if (hosts.length > 1) {
    throw uriInvalid(`the store URI names several hosts: ${hosts.join(', ')}`, {
      expected: 'one host',
      fix: ['name the primary alone: SELECT pg_is_in_recovery() is false on it'],
    });
  }
  const [host] = hosts;
  if (host) {
    // The same expression as SQLAlchemy's: an IPv6 address does not fit it.
    const [, name, port] = /^([\w.-]*):(\d+)$/u.exec(host) ?? [];
    return name !== undefined
      ? { name: name || socketDirectory(machine), port: Number(port) }
      : { name: host, port: null };
  }
  return { name: socketDirectory(machine), port: null };
}

/** Where the server's socket is when nothing is said: Debian and Red Hat build libpq for the first, others for the second. */
function socketDirectory(machine: Machine): string {
  return machine.exists('/var/run/postgresql') ? '/var/run/postgresql' : '/tmp';
}

function serverOptions(options: UriOptions): Pick<PgConnection, 'options'> {
  // Several `options=` are one command line: the server takes `-c name=value` and `-cname=value` as often as they come.
  const values = options.all('options').join(' ').trim();
  return values === '' ? {} : { options: values };
}

function timing(
  options: UriOptions,
): Pick<PgConnection, 'keepAlive' | 'keepAliveInitialDelayMillis' | 'connectionTimeoutMillis'> {
  const timeout = options.number(['connect_timeout'], { negative: true }) ?? 0;
  const idle = options.number(['keepalives_idle']) ?? 0;
  return {
    // libpq: zero and less is to wait without end.
    ...(timeout > 0 && { connectionTimeoutMillis: timeout * 1000 }),
    keepAlive: options.flag('keepalives') ?? true,
    ...(idle > 0 && { keepAliveInitialDelayMillis: idle * 1000 }),
  };
}

function tlsOf(
  options: UriOptions,
  host: string,
  machine: Machine,
): { mode: SslMode; connection: Pick<PgConnection, 'ssl' | 'sslnegotiation' | 'enableChannelBinding'> } {
  const roots = rootCertificates(options, machine);
  const mode = options.choice(SSL_MODES, 'sslmode', 'ssl') ?? (roots === 'system' ? 'verify-full' : 'prefer');
  const direct = options.choice(['postgres', 'direct'], 'sslnegotiation') === 'direct';
  if (roots === 'system' && mode !== 'verify-full' && mode !== 'disable') {
    // libpq's rule: anybody can get a certificate from one of the public authorities, so the name has to be checked.
    throw uriInvalid(`the option sslrootcert=system with sslmode=${mode}`, { fix: ['write sslmode=verify-full'] });
  }
  if (mode.startsWith('verify') && roots === null) {
    throw uriInvalid(`sslmode=${mode} needs the certificate to check the server's with`, {
      expected: `a file named by sslrootcert, or ${join(machine.home, '.postgresql', 'root.crt')}`,
      fix: ['write sslrootcert=/path/to/root.crt, or sslrootcert=system for a public authority'],
    });
  }
  if (direct && ['disable', 'allow', 'prefer'].includes(mode)) {
    throw uriInvalid(`sslnegotiation=direct with sslmode=${mode}`, {
      fix: ['write sslmode=require or a stricter one'],
    });
  }
  const ssl: PgTls = {
    // A root certificate is used in every mode: "if a root CA file exists, require behaves the same as verify-ca".
    rejectUnauthorized: roots !== null,
    // node-postgres does not tell TLS the host when it is an address: the name to check is bound here.
    checkServerIdentity: (_, certificate) =>
      mode === 'verify-full' ? checkServerIdentity(host, certificate) : undefined,
    ...(roots !== null && { ca: roots === 'system' ? machine.systemCertificates() : roots.pem }),
    ...clientCertificate(options, machine),
    ...(options.text('sslcrl') !== null && { crl: readCertificate('sslcrl', options.text('sslcrl') ?? '', machine) }),
    ...protocol(options, 'minVersion', 'ssl_min_protocol_version'),
    ...protocol(options, 'maxVersion', 'ssl_max_protocol_version'),
  };
  return { mode, connection: { ssl, ...(direct && { sslnegotiation: 'direct' }), ...channelBinding(options, mode) } };
}

/**
 * node-postgres can bind the login to the TLS channel when the server offers it, but not insist: a false server would ask
 * for the password in another way. With the server's name checked there is no false server.
 */
function channelBinding(options: UriOptions, mode: SslMode): Pick<PgConnection, 'enableChannelBinding'> {
  const binding = options.choice(['disable', 'prefer', 'require'], 'channel_binding');
  if (binding !== 'require') return {};
  if (mode === 'verify-full') return { enableChannelBinding: true };
  throw uriInvalid(`channel_binding=require with sslmode=${mode} cannot be promised`, {
    fix: ['write sslmode=verify-full&sslrootcert=system (or your own root certificate), which protects as well'],
  });
}

function rootCertificates(options: UriOptions, machine: Machine): 'system' | { pem: string } | null {
  const path = options.text('sslrootcert');
  if (path === 'system') return 'system';
  // libpq passes over a file that is not there; whoever names one wants it used.
  if (path !== null) return { pem: readCertificate('sslrootcert', path, machine) };
  const usual = join(machine.home, '.postgresql', 'root.crt');
  return machine.exists(usual) ? { pem: readCertificate('sslrootcert', usual, machine) } : null;
}

function clientCertificate(options: UriOptions, machine: Machine): Pick<PgTls, 'cert' | 'key' | 'passphrase'> {
  const certificate = options.text('sslcert');
  const key = options.text('sslkey');
  const passphrase = options.text('sslpassword');
  const wanted = options.choice(['disable', 'allow'], 'sslcertmode') ?? 'allow';
  const folder = join(machine.home, '.postgresql');
  const path = certificate ?? join(folder, 'postgresql.crt');
  if (wanted === 'disable' || (certificate === null && !machine.exists(path))) return {};
  return {
    cert: readCertificate('sslcert', path, machine),
    key: readCertificate('sslkey', key ?? join(folder, 'postgresql.key'), machine),
    ...(passphrase && { passphrase }),
  };
}

function protocol<Bound extends 'minVersion' | 'maxVersion'>(
  options: UriOptions,
  bound: Bound,
  name: string,
): Pick<PgTls, Bound> {
  const version = options.choice(['tlsv1', 'tlsv1.1', 'tlsv1.2', 'tlsv1.3'], name);
  return (version === null ? {} : { [bound]: version.replace('tls', 'TLS') }) as Pick<PgTls, Bound>;
}

function poolOf(pool: PoolOptions): PgPool {
  const { max, recycleSeconds } = poolLimits(pool);
  if (recycleSeconds === null) return { max };
  // 0 is "without end" to pg-pool.
  return recycleSeconds === 0 ? { max, maxUses: 1 } : { max, maxLifetimeSeconds: recycleSeconds };
}
