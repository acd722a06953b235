/**
 * What tedious is given so that it connects as pyodbc and pymssql do for MLflow. SQLAlchemy makes an ODBC connection
 * string of a URI, so both forms of URI are read as settings of ODBC here
 * (https://learn.microsoft.com/en-us/sql/connect/odbc/dsn-connection-string-attribute).
 */
import type { ConnectionConfiguration, ConnectionOptions } from 'tedious';
import { DEFAULT_POOL, type PoolLimits, type PoolOptions, poolLimits } from '../../config.js';
import { type DatabaseUri, UriOptions, unquote, uriInvalid } from '../../uri.js';

export interface MssqlOptions {
  /** Holds the password: not to be shown. */
  readonly connection: ConnectionConfiguration & { readonly options: ConnectionOptions };
  readonly pool: PoolLimits;
}

type Settings = ReadonlyMap<string, readonly string[]>;

const DRIVERS = ['pyodbc', 'pymssql'];
/** Milliseconds: the longest that a timer can wait. tedious has no way to say "without end". */
const FOREVER = 2 ** 31 - 1;

/** @throws {MtrackError} URI_INVALID for a login or an option that cannot be honoured. */
export function mssqlOptions(uri: DatabaseUri, { pool = DEFAULT_POOL }: { pool?: PoolOptions } = {}): MssqlOptions {
  const driver = uri.driver ?? 'pyodbc';
  if (!DRIVERS.includes(driver)) {
    throw uriInvalid(`the driver ${driver} is not known for SQL Server`, { expected: DRIVERS.join(', ') });
  }
  const [odbc] = uri.query.get('odbc_connect') ?? [];
  // SQLAlchemy decodes odbc_connect once more after the URI, and takes nothing else from the URI then.
  const settings = odbc === undefined ? settingsOfUri(uri, driver) : parseOdbc(unquote(odbc.replaceAll('+', ' ')));
  const options = new UriOptions(settings);
  refuseUnsupported(options);
  const server = serverOf(options);
  const { userName, password } = loginOf(options);
  const connection = {
    server: server.host,
    authentication: { type: 'default' as const, options: { userName, password } },
    options: {
      ...(server.instance === null ? { port: server.port ?? 1433 } : { instanceName: server.instance }),
      // Else a database that is not there would be taken for the login's own one.
      fallbackToDefaultDb: false,
      // An upgrade's statement may take hours; tedious would end it after 15 seconds.
      requestTimeout: 0,
      ...given('database', options.text('database', 'initial catalog') || null),
      appName: options.text('app', 'application name', 'appname') ?? 'mtrack',
      ...given('workstationId', options.text('wsid', 'workstation id')),
      ...given('language', options.text('language')),
      ...given('packetSize', options.number(['packet size', 'packetsize'])),
      ...given('connectTimeout', loginTimeout(options, driver)),
      multiSubnetFailover: options.flag('multisubnetfailover') ?? false,
      readOnlyIntent: options.choice(['readwrite', 'readonly'], 'applicationintent') === 'readonly',
      ...encryption(options),
    },
  };
  options.refuseOthers();
  return { connection, pool: poolLimits(pool) };
}

const given = <Key extends string, Value>(key: Key, value: Value | null): { [K in Key]?: Value } =>
  (value === null ? {} : { [key]: value }) as { [K in Key]?: Value };

/** As SQLAlchemy's pyodbc connector: the parts of the URI are settings, and so is each option. */
function settingsOfUri(uri: DatabaseUri, driver: string): Settings {
  const settings = new Map<string, readonly string[]>();
  for (const [name, values] of uri.query) {
    const key = name.toLowerCase();
    settings.set(key, [...(settings.get(key) ?? []), ...values]);
  }
  const database = uri.database || settings.get('database')?.[0];
  if (driver === 'pyodbc' && uri.host !== null && !database) {
    throw uriInvalid(`without a database, "${uri.host}" names a data source of ODBC`, {
      expected: 'mssql+pyodbc://user:password@host:1433/database?driver=ODBC+Driver+18+for+SQL+Server',
      fix: ['write /database after the host', 'write what odbc.ini says of the data source into the store URI'],
    });
  }
  // SQLAlchemy leaves the host as it is, but \ is often written as %5C, which no host name has in it.
  const host = uri.host?.replace(/%5c/giu, '\\') ?? null;
  const put = (name: string, value: string | null | undefined) => value && settings.set(name, [value]);
  put('server', host === null ? null : `${host}${uri.port === null ? '' : `,${uri.port}`}`);
  put('database', database);
  put('uid', uri.user);
  put('pwd', uri.password?.reveal());
  return settings;
}

/**
 * `name=value;name={value};…`: a value in braces holds anything, a closing brace doubled. Of a name given twice the first
 * counts (https://learn.microsoft.com/en-us/sql/odbc/reference/syntax/sqldriverconnect-function#comments).
 */
export function parseOdbc(text: string): Settings {
  const SETTING = /[\s;]*([^=;{}]+?)\s*=\s*(?:\{((?:[^}]|\}\})*)\}\s*(?=;|$)|(?!\s*\{)([^;]*))/suy;
  const settings = new Map<string, readonly string[]>();
  const end = text.replace(/[\s;]+$/u, '').length;
  while (SETTING.lastIndex < end) {
    const match = SETTING.exec(text);
    if (!match) {
      // Nothing of it is shown: what is wrong may be the password.
      throw uriInvalid('odbc_connect is no list of name=value;name={value}', {
        fix: ['put a value with ; { or } in it, such as a password, into { }, and write each } in it twice'],
      });
    }
    const [, name = '', braced, bare = ''] = match;
    const key = name.trim().toLowerCase();
    if (!settings.has(key)) settings.set(key, [braced === undefined ? bare.trim() : braced.replaceAll('}}', '}')]);
  }
  return settings;
}

function refuseUnsupported(options: UriOptions): void {
  const spelledOut = 'write its SERVER, DATABASE and other settings into the store URI';
  options.refuse('dsn', 'odbc.ini is not read', spelledOut);
  options.refuse('filedsn', 'files of data sources are not read', spelledOut);
  options.refuse('servercertificate', 'a certificate cannot be pinned', 'set NODE_EXTRA_CA_CERTS to its authority');
  options.refuse('clientcertificate', 'a login by certificate is not supported', SQL_LOGIN);
  options.refuse('clientkey', 'a login by certificate is not supported', SQL_LOGIN);
  if ((options.text('columnencryption') ?? 'disabled').toLowerCase() !== 'disabled') {
    options.refuse('columnencryption', 'encrypted columns are not supported: MLflow has none');
  }
  // Of the Python driver or ODBC, or without effect on what mtrack does.
  options.ignore(
    'ansi',
    'autocommit',
    'unicode_results',
    'odbc_autotranslate',
    'autotranslate',
    'charset',
    'tds_version',
  );
  options.ignore('mars_connection', 'regional', 'quotedid', 'ansinpw', 'description', 'usefmtonly', 'longasmax', 'net');
  options.ignore('connectretrycount', 'connectretryinterval', 'keepalive', 'keepaliveinterval', 'ipaddresspreference');
  options.ignore(
    'network',
    'transparentnetworkipresolution',
    'failover_partner',
    'querylog_on',
    'statslog_on',
    'trace',
  );
  options.ignore('querylogfile', 'querylogtime', 'statslogfile', 'clientcharset', 'conn_properties', 'arraysize');
}

const SQL_LOGIN = 'use a SQL login: CREATE LOGIN … WITH PASSWORD, and mssql+pyodbc://login:password@host/database';

function loginOf(options: UriOptions): { userName: string; password: string } {
  const authentication = (options.text('authentication') ?? 'SqlPassword').replaceAll(' ', '').toLowerCase();
  if (authentication !== 'sqlpassword') {
    throw uriInvalid(`the option Authentication=${authentication}: logins of Microsoft Entra are not supported`, {
      fix: [SQL_LOGIN],
    });
  }
  const trusted = options.choice(['yes', 'no', 'true', 'false', 'sspi'], 'trusted_connection', 'integrated security');
  const userName = options.text('uid', 'user id', 'user');
  const password = options.text('pwd', 'password');
  if (trusted && !['no', 'false'].includes(trusted)) {
    throw uriInvalid('the option Trusted_Connection: logins of Windows (Kerberos, NTLM) are not supported', {
      fix: [SQL_LOGIN],
    });
  }
  if (!userName) {
    throw uriInvalid('the store URI has no user, which means the login of Windows, and that is not supported', {
      fix: [SQL_LOGIN],
    });
  }
  return { userName, password: password ?? '' };
}

/** `tcp:host\instance,port`. A port makes the name of the instance needless; without one the server's browser is asked. */
function serverOf(options: UriOptions): { host: string; instance: string | null; port: number | null } {
  const text = options.text('server', 'data source', 'address', 'addr', 'network address');
  const separate = options.text('port');
  if (text === null) throw uriInvalid('the store URI names no server', { fix: ['write it as host or as SERVER='] });
  const wrong = (found: string) => uriInvalid(found, { expected: 'host, host,1433, host\\instance or tcp:host,1433' });
  if (/^\s*(?:(?:np|lpc|via|admin):|\\\\)/iu.test(text)) throw wrong('the server is not to be reached over tcp');
  const [, name = '', instance, own] =
    /^\s*(?:tcp:)?\s*([^\\,]*?)\s*(?:\\([^,]*?))?\s*(?:,\s*(\d+))?\s*$/iu.exec(text) ?? [];
  const port = own ?? separate;
  if (name === '') throw wrong('the server in the store URI cannot be read');
  if (/^\(localdb\)$/iu.test(name)) throw wrong('the server is a LocalDB, which listens on no port');
  if (port && !(Number(port) > 0 && Number(port) < 65_536)) throw wrong('the port is not from 1 to 65535');
  const host = /^(?:\.|\(local\))$/iu.test(name) ? 'localhost' : name;
  return port
    ? { host, instance: null, port: Number(port) }
    : // The default instance goes by this name, but has no entry under it.
      { host, instance: !instance || /^mssqlserver$/iu.test(instance) ? null : instance, port: null };
}

/** In milliseconds. pymssql's `timeout` is that of a statement, which mtrack does not limit. */
function loginTimeout(options: UriOptions, driver: string): number | null {
  if (driver === 'pymssql') options.ignore('timeout');
  const names = ['logintimeout', 'login timeout', 'login_timeout', 'connection timeout', 'connect timeout'];
  const seconds = options.number(driver === 'pymssql' ? names : [...names, 'timeout']);
  return seconds === null ? null : seconds === 0 ? FOREVER : seconds * 1000;
}

/**
 * Since its version 18 Microsoft's driver encrypts and checks the server's certificate when nothing is said; older ones,
 * FreeTDS and pymssql do not check it (https://learn.microsoft.com/en-us/sql/connect/odbc/dsn-connection-string-attribute#encrypt).
 *
 * `Encrypt=no` becomes encryption without a check: ODBC encrypts the login even then, and tedious would send the password
 * readable. A server that has no TLS is still reached, as tedious goes on without it when the server says so.
 */
function encryption(options: UriOptions): Pick<ConnectionOptions, 'encrypt' | 'trustServerCertificate' | 'serverName'> {
  const driver = options.text('driver') ?? '';
  const checks = Number(/ODBC Driver (\d+) for SQL Server/iu.exec(driver)?.[1] ?? 0) >= 18;
  const words = ['yes', 'no', 'true', 'false', '1', '0', 'mandatory', 'optional', 'strict'] as const;
  const encrypt = options.choice(words, 'encrypt') ?? (checks ? 'mandatory' : 'optional');
  const trust = options.flag('trustservercertificate', 'trust server certificate') ?? false;
  const name = given('serverName', options.text('hostnameincertificate'));
  // TDS 8.0: the certificate is always checked.
  if (encrypt === 'strict') return { encrypt, trustServerCertificate: false, ...name };
  const mandatory = ['yes', 'true', '1', 'mandatory'].includes(encrypt);
  return { encrypt: true, trustServerCertificate: !mandatory || trust, ...name };
}
