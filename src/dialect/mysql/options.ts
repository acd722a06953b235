/**
 * What mysql2 is given so that it connects as the Python drivers do for MLflow. Each of those has its own options; all of
 * them are taken from any URI, as they do not contradict each other. The drivers refuse an option that they do not know,
 * so does this.
 */
import { isIP } from 'node:net';
import type { ConnectionOptions, PoolOptions as MysqlPoolOptions, SslOptions } from 'mysql2';
import {
  DEFAULT_POOL,
  type Machine,
  type PoolOptions,
  poolLimits,
  readCertificate,
  type TlsFiles,
  thisMachine,
} from '../../config.js';
import { type DatabaseUri, UriOptions, uriInvalid } from '../../uri.js';
import { codeOf } from '../faults.js';

export interface MysqlOptions {
  /** To be tried in this order, the next one when `mayTryNext` says so. They hold the password: not to be shown. */
  readonly attempts: readonly [ConnectionOptions, ...ConnectionOptions[]];
  readonly pool: Pick<MysqlPoolOptions, 'connectionLimit' | 'maxIdle' | 'idleTimeout'>;
  /** Statements that the URI wants run on each new connection, in this order. */
  readonly setup: readonly string[];
}

/** Drivers on PyMySQL's code check the server's name as soon as a certificate authority is named in the URI. */
const PYMYSQL = ['pymysql', 'asyncmy', 'aiomysql'];
/** Drivers on the C library of MySQL or MariaDB. */
const NATIVE = ['mysqldb', 'mariadbconnector'];
const DRIVERS = [...PYMYSQL, ...NATIVE, 'mysqlconnector'];

/** Where the C library looks for the server when the host is `localhost`, by distribution. */
const SOCKETS = ['/var/run/mysqld/mysqld.sock', '/var/lib/mysql/mysql.sock', '/tmp/mysql.sock'];

/** How the connection is protected, from nothing to a server whose certificate and name are checked. */
export type Protection = 'none' | 'preferred' | 'required' | 'verify-ca' | 'verify-identity';

/**
 * @param tls files named by MLFLOW_MYSQL_SSL_*; they win over the URI's, as MLflow passes them to the driver directly
 * @throws {MtrackError} URI_INVALID for an option that cannot be honoured, and for a certificate that cannot be read.
 */
export function mysqlOptions(
  uri: DatabaseUri,
  {
    pool = DEFAULT_POOL,
    tls = { ca: null, cert: null, key: null },
    machine = thisMachine,
  }: { pool?: PoolOptions; tls?: TlsFiles; machine?: Machine } = {},
): MysqlOptions {
  const driver = uri.driver ?? 'mysqldb';
  if (!DRIVERS.includes(driver)) {
    throw uriInvalid(`the driver ${driver} is not known for MySQL`, { expected: DRIVERS.join(', ') });
  }
  const options = new UriOptions(uri.query);
  refuseUnsupported(options);
  const socketPath = options.text('unix_socket') ?? defaultSocket(uri, driver, machine);
  const timeout = options.number(['connect_timeout', 'connection_timeout']);
  const user = uri.user || machine.user;
  const password = uri.password?.reveal();
  const plain: ConnectionOptions = {
    ...(socketPath === null ? { host: uri.host ?? 'localhost', port: uri.port ?? 3306 } : { socketPath }),
    ...(user && { user }),
    ...(password && { password }),
    ...(uri.database && { database: uri.database }),
    charset: 'utf8mb4',
    // A server may ask for any file of this machine when this is on
    // (https://dev.mysql.com/doc/refman/8.4/en/load-data-local-security.html). mysql2 has it on.
    flags: ['-LOCAL_FILES'],
    ...(timeout !== null && timeout > 0 && { connectTimeout: timeout * 1000 }),
  };
  const protection = protectionOf(options, driver, tls);
  const ssl = sslOf(options, protection, tls, machine);
  if (protection === 'verify-identity' && uri.host !== null && isIP(uri.host) !== 0) {
    // mysql2 tells TLS no name then, and TLS checks for `localhost`.
    throw uriInvalid("the server's name is to be checked, and the host is an address", {
      fix: [
        "write the name that is in the server's certificate",
        'or ssl_verify_identity=false (ssl_check_hostname=false for PyMySQL)',
      ],
    });
  }
  const setup = setupOf(options);
  options.refuseOthers();
  const secure = { ...plain, ssl };
  return { attempts: attemptsOf(protection, plain, secure), pool: poolOf(pool), setup };
}

/** Whether a driver goes on without TLS after this error, which it only does when it merely prefers TLS. */
export function mayTryNext(error: unknown): boolean {
  return ['HANDSHAKE_NO_SSL_SUPPORT', 'HANDSHAKE_SSL_ERROR'].includes(codeOf(error) ?? '');
}

function attemptsOf(
  protection: Protection,
  plain: ConnectionOptions,
  secure: ConnectionOptions,
): MysqlOptions['attempts'] {
  if (protection === 'none') return [plain];
  if (protection !== 'preferred') return [secure];
  // What goes through a socket does not leave the machine.
  return plain.socketPath === undefined ? [secure, plain] : [plain];
}

/**
 * The C library goes to the socket for `localhost`, whatever port is named; PyMySQL and MySQL's own connector do not
 * (https://dev.mysql.com/doc/refman/8.4/en/connecting.html#connecting-local). The server behind it may be another one.
 */
function defaultSocket(uri: DatabaseUri, driver: string, machine: Machine): string | null {
  if (!NATIVE.includes(driver) || (uri.host ?? 'localhost') !== 'localhost') return null;
  return SOCKETS.find((path) => machine.exists(path)) ?? null;
}

function refuseUnsupported(options: UriOptions): void {
  for (const name of ['host', 'port', 'user', 'password', 'passwd', 'database', 'db']) {
    options.refuse(
      name,
      'belongs into its own part of the URI',
      'write mysql+pymysql://user:password@host:port/database',
    );
  }
  for (const name of ['read_default_file', 'read_default_group', 'default_file', 'default_group', 'option_files']) {
    options.refuse(
      name,
      "MySQL's option files are not read",
      'write what the file says of the connection into the store URI',
    );
  }
  options.refuse('ssl_capath', 'a folder of certificates is not read', 'name one file with ssl_ca');
  options.refuse('ssl_crl', 'a revocation list is not read');
  options.refuse('ssl_crlpath', 'a revocation list is not read');
  options.refuse('tls_version', 'TLS 1.2 and 1.3 are used');
  options.refuse('tls_versions', 'TLS 1.2 and 1.3 are used');
  options.refuse('auth_plugin', "the server's own choice is followed");
  options.refuse('named_pipe', 'pipes of Windows are not supported', 'name a host');
  const charset = options.text('charset') ?? 'utf8mb4';
  if (!/^utf8(?:mb[34])?$/iu.test(charset)) {
    throw uriInvalid(`the option charset is "${charset}"`, {
      expected: 'utf8mb4, which holds every text that MLflow stores; the server converts from and to that of a column',
      fix: ['write charset=utf8mb4'],
    });
  }
  // A long ALTER TABLE sends nothing for hours: these would cut it off.
  options.ignore('read_timeout', 'write_timeout');
  // mtrack never lets a server read files, and sets transactions by itself.
  options.ignore('local_infile', 'allow_local_infile', 'autocommit');
  // Of the Python driver, or without effect on what mtrack does.
  options.ignore(
    'collation',
    'use_unicode',
    'binary_prefix',
    'compress',
    'max_allowed_packet',
    'program_name',
    'use_pure',
  );
  options.ignore(
    'buffered',
    'raw',
    'get_warnings',
    'raise_on_warnings',
    'consume_results',
    'force_ipv6',
    'client_flag',
  );
  options.ignore('pool_size', 'pool_name', 'pool_reset_session', 'pool_reset_connection', 'server_public_key');
}

function setupOf(options: UriOptions): string[] {
  const set = (name: string, value: string | null) =>
    value === null ? [] : [`SET SESSION ${name} = '${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`];
  return [
    ...set('sql_mode', options.text('sql_mode')),
    ...set('time_zone', options.text('time_zone')),
    ...[options.text('init_command')].filter((command) => command !== null),
  ];
}

/**
 * With nothing said all drivers prefer TLS and check nothing. Naming an authority means to check the server with it: so it
 * is for the URI's `ssl_ca`, and here for MLFLOW_MYSQL_SSL_CA too, with which PyMySQL encrypts and checks nothing.
 */
export function protectionOf(options: UriOptions, driver: string, tls: TlsFiles): Protection {
  const mode = options.choice(['disabled', 'preferred', 'required', 'verify_ca', 'verify_identity'], 'ssl_mode');
  const disabled = options.flag('ssl_disabled');
  const ssl = options.flag('ssl');
  const verifyCertificate = options.flag('ssl_verify_cert');
  const verifyName = options.flag('ssl_verify_identity');
  const checkName = options.flag('ssl_check_hostname');
  const ca = options.text('ssl_ca');
  const named = [
    ca,
    options.text('ssl_cert'),
    options.text('ssl_key'),
    options.text('ssl_cipher'),
    ...Object.values(tls),
  ];
  if (disabled || ssl === false || mode === 'disabled') return 'none';
  if (mode === 'verify_identity' || verifyName || (checkName && ca !== null)) return 'verify-identity';
  // MariaDB's library checks the name together with the certificate.
  if (verifyCertificate) return driver === 'mariadbconnector' ? 'verify-identity' : 'verify-ca';
  if (mode === 'verify_ca') return 'verify-ca';
  if (verifyCertificate === false) return 'required';
  if (ca !== null)
    return PYMYSQL.includes(driver) && checkName !== false && verifyName !== false ? 'verify-identity' : 'verify-ca';
  if (tls.ca !== null) return 'verify-ca';
  const wanted = mode === 'required' || ssl || checkName !== null || named.some((name) => name !== null);
  return wanted ? 'required' : 'preferred';
}

function sslOf(options: UriOptions, protection: Protection, tls: TlsFiles, machine: Machine): SslOptions {
  const ca = tls.ca ?? options.text('ssl_ca');
  const cert = tls.cert ?? options.text('ssl_cert');
  const key = tls.key ?? options.text('ssl_key') ?? cert;
  const ciphers = options.text('ssl_cipher');
  const passphrase = options.text('ssl_key_password');
  const verify = protection === 'verify-ca' || protection === 'verify-identity';
  // Without an authority of its own OpenSSL takes those of the system, as Python's `create_default_context` does.
  const system = verify && ca === null ? machine.systemCertificates() : [];
  if (protection === 'none') return {};
  return {
    rejectUnauthorized: verify,
    verifyIdentity: protection === 'verify-identity',
    ...(ca !== null && { ca: readCertificate('ssl_ca', ca, machine) }),
    ...(system.length > 0 && { ca: system }),
    // One file may hold both.
    ...(cert !== null && { cert: readCertificate('ssl_cert', cert, machine) }),
    ...(key !== null && { key: readCertificate('ssl_key', key, machine) }),
    ...(ciphers !== null && { ciphers }),
    ...(passphrase !== null && { passphrase }),
  };
}

/**
 * mysql2 knows no age, only idleness. It serves what pool_recycle is set for: to be rid of a connection before the
 * server's `wait_timeout` closes it (https://docs.sqlalchemy.org/en/20/core/pooling.html#setting-pool-recycle).
 */
function poolOf(pool: PoolOptions): MysqlOptions['pool'] {
  const { max, recycleSeconds } = poolLimits(pool);
  return { connectionLimit: max, ...(recycleSeconds !== null && { maxIdle: 0, idleTimeout: recycleSeconds * 1000 }) };
}
