import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { DEFAULT_POOL, type Machine } from '../../src/config.js';
import { mssqlOptions, parseOdbc } from '../../src/dialect/mssql/options.js';
import { mysqlOptions, mayTryNext as mysqlTriesNext } from '../../src/dialect/mysql/options.js';
import { postgresqlOptions, mayTryNext as postgresqlTriesNext } from '../../src/dialect/postgresql/options.js';
import { sqlitePath } from '../../src/dialect/sqlite/options.js';
import { MtrackError } from '../../src/errors.js';
import { type DatabaseUri, parseStoreUri } from '../../src/uri.js';

/** A machine that has these files, each holding its own path. */
const machine = (...files: string[]): Machine => ({
  exists: (path) => files.includes(path),
  read: (path) => {
    if (files.includes(path)) return `PEM of ${path}`;
    throw new Error(`ENOENT: no such file or directory, open '${path}'`);
  },
  systemCertificates: () => ['PEM of the system'],
  home: '/home/op',
  user: 'op',
});

const parse = (text: string): DatabaseUri => parseStoreUri(text) as DatabaseUri;

const failure = (act: () => unknown): MtrackError => {
  try {
    act();
  } catch (error) {
    if (error instanceof MtrackError) return error;
    throw error;
  }
  throw new Error('it did not fail');
};

describe('postgresql', () => {
  const options = (text: string, files: string[] = [], environment = {}) =>
    postgresqlOptions(parse(text), { machine: machine(...files), environment });
  const first = (...args: Parameters<typeof options>) => options(...args).attempts[0];
  /** TLS or not, for each attempt. */
  const tls = (...args: Parameters<typeof options>) => options(...args).attempts.map(({ ssl }) => ssl !== false);
  const U = 'postgresql://u:p@h/d';

  it.each(['postgresql', 'postgresql+psycopg2', 'postgresql+psycopg', 'postgresql+asyncpg', 'postgresql+pg8000'])(
    'takes %s',
    (scheme) => {
      expect(first(`${scheme}://me:a%40b@h:5433/d?sslmode=disable`)).toEqual({
        host: 'h',
        port: 5433,
        user: 'me',
        password: 'a@b',
        database: 'd',
        ssl: false,
        client_encoding: 'UTF8',
        application_name: 'mtrack',
        keepAlive: true,
      });
    },
  );

  it('does not take another driver', () => {
    expect(failure(() => options('postgresql+pygresql://h/d')).message).toContain('pygresql');
  });

  it('gives no password when there is none, so that pg looks for one', () => {
    expect(first('postgresql://u@h/d')).not.toHaveProperty('password');
    expect(first('postgresql://u:@h/d')).not.toHaveProperty('password');
  });

  it('takes the user of the machine and the database of the user', () => {
    expect(first('postgresql://h')).toMatchObject({ user: 'op', database: 'op', port: 5432 });
    const nobody = { ...machine(), user: null };
    expect(failure(() => postgresqlOptions(parse('postgresql://h/d'), { machine: nobody })).message).toContain(
      'no user',
    );
  });

  it('goes to the unix socket without a host', () => {
    expect(options('postgresql:///d', ['/var/run/postgresql']).attempts).toMatchObject([
      { host: '/var/run/postgresql', port: 5432, ssl: false },
    ]);
    expect(first('postgresql://u@:5433/d')).toMatchObject({ host: '/tmp', port: 5433 });
    expect(first('postgresql://u@/d?host=/run/pg&port=5434')).toMatchObject({ host: '/run/pg', port: 5434 });
    // libpq: sslmode is passed over for a socket.
    expect(tls('postgresql:///d?host=/run/pg&sslmode=verify-full')).toEqual([false]);
  });

  it('takes host and port from the query too, and refuses several hosts', () => {
    expect(first('postgresql://u@/d?host=a:5435')).toMatchObject({ host: 'a', port: 5435 });
    for (const text of ['postgresql://a,b/d', 'postgresql:///d?host=a,b', 'postgresql:///d?host=a:1&host=b:2']) {
      expect(failure(() => options(text)).message).toContain('several hosts: a');
    }
    expect(failure(() => options('postgresql://h/d?port=1,2')).message).toContain('not one number');
  });

  it.each([
    ['', [true, false]],
    ['?sslmode=prefer', [true, false]],
    ['?sslmode=allow', [false, true]],
    ['?sslmode=disable', [false]],
    ['?sslmode=require', [true]],
    ['?ssl=require', [true]],
    ['?sslmode=verify-ca&sslrootcert=/ca', [true]],
    ['?sslmode=verify-full&sslrootcert=/ca', [true]],
  ])('%s: tries TLS %j', (query, expected) => {
    expect(tls(U + query, ['/ca'])).toEqual(expected);
  });

  it('checks what the mode says', () => {
    const certificate = { subject: { CN: 'other' }, subjectaltname: 'DNS:other' } as never;
    const checks = (query: string, files = ['/ca']) => {
      const { ssl } = first(U + query, files);
      if (ssl === false) throw new Error('no TLS');
      return [
        ssl.rejectUnauthorized,
        ssl.checkServerIdentity('localhost', certificate)?.message ?? null,
        ssl.ca ?? null,
      ];
    };
    expect(checks('?sslmode=require')).toEqual([false, null, null]);
    expect(checks('?sslmode=require&sslrootcert=/ca')).toEqual([true, null, 'PEM of /ca']);
    expect(checks('?sslmode=verify-ca&sslrootcert=/ca')).toEqual([true, null, 'PEM of /ca']);
    expect(checks('?sslmode=verify-full&sslrootcert=/ca')).toEqual([
      true,
      expect.stringContaining('Host: h.'),
      'PEM of /ca',
    ]);
    expect(checks('?sslrootcert=system')).toEqual([true, expect.stringContaining('Host: h.'), ['PEM of the system']]);
    expect(checks('?sslmode=require', ['/home/op/.postgresql/root.crt'])).toEqual([
      true,
      null,
      'PEM of /home/op/.postgresql/root.crt',
    ]);
  });

  it('takes the certificate of the client', () => {
    const own = ['/home/op/.postgresql/postgresql.crt', '/home/op/.postgresql/postgresql.key'];
    expect(first(`${U}?sslmode=require`, own).ssl).toMatchObject({ cert: `PEM of ${own[0]}`, key: `PEM of ${own[1]}` });
    expect(first(`${U}?sslmode=require&sslcertmode=disable`, own).ssl).not.toHaveProperty('cert');
    expect(first(`${U}?sslcert=/c&sslkey=/k&sslpassword=hunter2`, ['/c', '/k']).ssl).toMatchObject({
      cert: 'PEM of /c',
      key: 'PEM of /k',
      passphrase: 'hunter2',
    });
    expect(failure(() => options(`${U}?sslcert=/missing`)).message).toContain(
      'the file that sslcert names cannot be read',
    );
  });

  it('takes what libpq says of TLS versions, revocation and direct negotiation', () => {
    const query = '?sslmode=require&ssl_min_protocol_version=TLSv1.3&sslcrl=/crl&sslnegotiation=direct';
    expect(first(U + query, ['/crl'])).toMatchObject({
      ssl: { minVersion: 'TLSv1.3', crl: 'PEM of /crl' },
      sslnegotiation: 'direct',
    });
  });

  it('hands on what the server and the connection are to be', () => {
    const query =
      '?options=-csearch_path%3Da,b&options=-c%20x%3Dy&application_name=me&connect_timeout=3&keepalives_idle=60';
    expect(first(U + query)).toMatchObject({
      options: '-csearch_path=a,b -c x=y',
      application_name: 'me',
      connectionTimeoutMillis: 3000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 60_000,
    });
    expect(first(`${U}?keepalives=0&connect_timeout=0`)).toMatchObject({ keepAlive: false });
    expect(first(`${U}?connect_timeout=-1`)).not.toHaveProperty('connectionTimeoutMillis');
    expect(first(`${U}?target_session_attrs=read-write&client_encoding=UTF-8&gssencmode=disable`).host).toBe('h');
    const bound = '?sslmode=verify-full&sslrootcert=system&channel_binding=require';
    expect(first(U + bound)).toMatchObject({ enableChannelBinding: true });
  });

  it('takes the environment of libpq for what the URI does not say', () => {
    const environment = { PGHOST: 'e', PGPORT: '1', PGUSER: 'eu', PGDATABASE: 'ed', PGSSLMODE: 'require', PGTZ: 'UTC' };
    expect(first('postgresql://', [], environment)).toMatchObject({ host: 'e', port: 1, user: 'eu', database: 'ed' });
    expect(first('postgresql://u@h:2/d', [], environment)).toMatchObject({
      host: 'h',
      port: 2,
      user: 'u',
      database: 'd',
    });
    expect(tls(U, [], environment)).toEqual([true]);
    expect(tls(`${U}?sslmode=disable`, [], environment)).toEqual([false]);
  });

  it.each([
    ['?sslmode=on', 'the option sslmode is "on"'],
    ['?sslmode=verify-full', 'needs the certificate'],
    ['?sslmode=require&sslrootcert=system', 'sslrootcert=system with sslmode=require'],
    ['?sslnegotiation=direct', 'sslnegotiation=direct with sslmode=prefer'],
    ['?channel_binding=require&sslmode=require', 'channel_binding=require'],
    ['?target_session_attrs=standby', 'the option target_session_attrs is "standby"'],
    ['?client_encoding=latin1', 'the option client_encoding is "latin1"'],
    ['?service=prod', 'pg_service.conf is not read'],
    ['?passfile=/x', 'the file it names is not read'],
    ['?require_auth=scram-sha-256', 'the kind of login cannot be prescribed'],
    ['?slmode=require', 'not known here: slmode'],
  ])('refuses %s', (query, found) => {
    const error = failure(() => options(U + query));
    expect(error.code).toBe('URI_INVALID');
    expect(error.message).toContain(found);
  });

  it('maps the pool', () => {
    const pool = (each: object) =>
      postgresqlOptions(parse(U), { machine: machine(), pool: { ...DEFAULT_POOL, ...each } }).pool;
    expect(pool({})).toEqual({ max: 15 });
    expect(pool({ recycleSeconds: 60 })).toEqual({ max: 15, maxLifetimeSeconds: 60 });
    expect(pool({ poolClass: 'NullPool' })).toEqual({ max: Number.MAX_SAFE_INTEGER, maxUses: 1 });
  });

  it('goes on to the next attempt only when TLS or its absence was turned down', () => {
    const error = (code?: string, message = 'x') => Object.assign(new Error(message), code && { code });
    const yes = [
      error(undefined, 'The server does not support SSL connections'),
      error('28000'),
      error('EPROTO'),
      error('ECONNRESET'),
    ];
    const no = [
      error('28P01'),
      error('3D000'),
      error('ECONNREFUSED'),
      error('ENOTFOUND'),
      error(undefined, 'timeout expired'),
    ];
    expect(yes.map(postgresqlTriesNext)).toEqual(yes.map(() => true));
    expect(no.map(postgresqlTriesNext)).toEqual(no.map(() => false));
  });
});

describe('mysql', () => {
  const options = (
    text: string,
    files: string[] = [],
    tls = { ca: null, cert: null, key: null } as Record<'ca' | 'cert' | 'key', string | null>,
  ) => mysqlOptions(parse(text), { machine: machine(...files), tls });
  /** How each attempt is protected. */
  const tls = (...args: Parameters<typeof options>) =>
    options(...args).attempts.map(({ ssl }) => {
      if (typeof ssl !== 'object') return 'plain';
      if (ssl.verifyIdentity) return 'identity';
      return ssl.rejectUnauthorized ? 'ca' : 'encrypted';
    });

  it.each(['pymysql', 'mysqldb', 'mysqlconnector', 'mariadbconnector', 'asyncmy', 'aiomysql'])('takes %s', (driver) => {
    expect(options(`mysql+${driver}://me:a%40b@h:3307/d?ssl_disabled=true`).attempts).toEqual([
      {
        host: 'h',
        port: 3307,
        user: 'me',
        password: 'a@b',
        database: 'd',
        charset: 'utf8mb4',
        flags: ['-LOCAL_FILES'],
      },
    ]);
  });

  it('takes mariadb, and no unknown driver', () => {
    expect(options('mariadb+mariadbconnector://u@h/d').attempts[0]).toMatchObject({ host: 'h', port: 3306 });
    expect(failure(() => options('mysql+pyodbc://h/d')).message).toContain('pyodbc');
  });

  it('goes to a socket where the driver of Python does', () => {
    const socket = '/var/lib/mysql/mysql.sock';
    expect(options('mysql+pymysql://u@h/d?unix_socket=/s').attempts).toMatchObject([{ socketPath: '/s' }]);
    expect(options('mysql://u@localhost:3307/d', [socket]).attempts).toMatchObject([{ socketPath: socket }]);
    expect(options('mysql+pymysql://u@localhost:3307/d', [socket]).attempts[0]).toMatchObject({
      host: 'localhost',
      port: 3307,
    });
    expect(options('mysql://u@/d').attempts[0]).toMatchObject({ host: 'localhost', port: 3306 });
  });

  it.each([
    ['mysql+pymysql', '', ['encrypted', 'plain']],
    ['mysql+mysqldb', '?ssl_mode=PREFERRED', ['encrypted', 'plain']],
    ['mysql+mysqldb', '?ssl_mode=DISABLED', ['plain']],
    ['mysql+mysqldb', '?ssl_mode=REQUIRED', ['encrypted']],
    ['mysql+mysqldb', '?ssl_mode=VERIFY_CA&ssl_ca=/ca', ['ca']],
    ['mysql+mysqldb', '?ssl_mode=VERIFY_IDENTITY&ssl_ca=/ca', ['identity']],
    ['mysql+pymysql', '?ssl=true', ['encrypted']],
    ['mysql+pymysql', '?ssl_check_hostname=false', ['encrypted']],
    ['mysql+pymysql', '?ssl_ca=/ca', ['identity']],
    ['mysql+pymysql', '?ssl_ca=/ca&ssl_check_hostname=false', ['ca']],
    ['mysql+pymysql', '?ssl_ca=/ca&ssl_verify_cert=false', ['encrypted']],
    ['mysql+pymysql', '?ssl_verify_cert=true', ['ca']],
    ['mysql+pymysql', '?ssl_verify_identity=true', ['identity']],
    ['mysql+mysqlconnector', '?ssl_ca=/ca', ['ca']],
    ['mysql+mysqlconnector', '?ssl_ca=/ca&ssl_verify_identity=true', ['identity']],
    ['mysql+mysqlconnector', '?ssl_disabled=True', ['plain']],
    ['mariadb+mariadbconnector', '?ssl_verify_cert=true', ['identity']],
  ])('%s://…%s is protected as %j', (scheme, query, expected) => {
    expect(tls(`${scheme}://u@h/d${query}`, ['/ca'])).toEqual(expected);
  });

  it('takes the files that MLflow names in the environment', () => {
    const files = { ca: '/ca', cert: '/cert', key: null };
    expect(tls('mysql+pymysql://u@h/d', ['/ca', '/cert'], files)).toEqual(['ca']);
    expect(
      options('mysql+pymysql://u@h/d?ssl_ca=/other', ['/ca', '/cert', '/other'], files).attempts[0].ssl,
    ).toMatchObject({
      ca: 'PEM of /ca',
      cert: 'PEM of /cert',
      key: 'PEM of /cert',
    });
    expect(failure(() => options('mysql+pymysql://u@h/d', [], files)).message).toContain('ssl_ca names cannot be read');
  });

  it('trusts the authorities of the system when none is named', () => {
    expect(options('mysql+pymysql://u@h/d?ssl_verify_identity=1').attempts[0].ssl).toMatchObject({
      ca: ['PEM of the system'],
    });
  });

  it('takes timeouts of the login, and none of a statement', () => {
    const [first] = options(
      'mysql+pymysql://u@h/d?connect_timeout=5&read_timeout=60&write_timeout=60&local_infile=1',
    ).attempts;
    expect(first).toMatchObject({ connectTimeout: 5000, flags: ['-LOCAL_FILES'] });
    expect(first).not.toHaveProperty('infileStreamFactory');
  });

  it('says what the session is to be set up with', () => {
    expect(options("mysql+pymysql://u@h/d?init_command=SET%20x=1&sql_mode=A'B&charset=utf8").setup).toEqual([
      "SET SESSION sql_mode = 'A''B'",
      'SET x=1',
    ]);
  });

  it.each([
    ['?charset=latin1', 'the option charset is "latin1"'],
    ['?read_default_file=/etc/my.cnf', "MySQL's option files are not read"],
    ['?ssl_capath=/etc/ssl', 'a folder of certificates'],
    ['?password=hunter2', 'belongs into its own part'],
    ['?ssl=%7B%22ca%22:%22/x%22%7D', 'the option ssl is'],
    ['?shema=x', 'not known here: shema'],
  ])('refuses %s', (query, found) => {
    const error = failure(() => options(`mysql+pymysql://u@h/d${query}`));
    expect(error.code).toBe('URI_INVALID');
    expect(error.message).toContain(found);
    expect(JSON.stringify(error)).not.toContain('hunter2');
  });

  it('refuses to check the name of a server that is named by its address', () => {
    expect(failure(() => options('mysql+pymysql://u@10.0.0.1/d?ssl_ca=/ca', ['/ca'])).message).toContain(
      'the host is an address',
    );
  });

  it('maps the pool', () => {
    const pool = (each: object) =>
      mysqlOptions(parse('mysql://u@h/d'), { machine: machine(), pool: { ...DEFAULT_POOL, ...each } }).pool;
    expect(pool({ size: 1, maxOverflow: 2 })).toEqual({ connectionLimit: 3 });
    expect(pool({ recycleSeconds: 60 })).toEqual({ connectionLimit: 15, maxIdle: 0, idleTimeout: 60_000 });
  });

  it('goes on without TLS only when the server has none', () => {
    const error = (code: string) => Object.assign(new Error('x'), { code });
    expect(['HANDSHAKE_NO_SSL_SUPPORT', 'HANDSHAKE_SSL_ERROR'].map((code) => mysqlTriesNext(error(code)))).toEqual([
      true,
      true,
    ]);
    expect(['ER_ACCESS_DENIED_ERROR', 'ECONNREFUSED'].map((code) => mysqlTriesNext(error(code)))).toEqual([
      false,
      false,
    ]);
  });
});

describe('mssql', () => {
  const connection = (text: string) => mssqlOptions(parse(text)).connection;
  const odbc = (text: string) => connection(`mssql+pyodbc:///?odbc_connect=${encodeURIComponent(text)}`);
  const U = 'mssql+pyodbc://u:p@h/d';

  it('takes the parts of the URI', () => {
    expect(connection('mssql+pyodbc://me:a%40b@h:1434/d?driver=ODBC+Driver+18+for+SQL+Server')).toEqual({
      server: 'h',
      authentication: { type: 'default', options: { userName: 'me', password: 'a@b' } },
      options: {
        port: 1434,
        database: 'd',
        appName: 'mtrack',
        fallbackToDefaultDb: false,
        requestTimeout: 0,
        multiSubnetFailover: false,
        readOnlyIntent: false,
        encrypt: true,
        trustServerCertificate: false,
      },
    });
    expect(connection('mssql://u:p@h/d')).toMatchObject({ server: 'h', options: { port: 1433 } });
    expect(connection('mssql+pymssql://u:p@h').options).not.toHaveProperty('database');
  });

  it.each([
    ['driver=ODBC+Driver+18+for+SQL+Server', true, false],
    ['driver=ODBC+Driver+18+for+SQL+Server&TrustServerCertificate=yes', true, true],
    ['driver=ODBC+Driver+18+for+SQL+Server&Encrypt=optional', true, true],
    ['driver=ODBC+Driver+17+for+SQL+Server', true, true],
    ['driver=ODBC+Driver+17+for+SQL+Server&Encrypt=yes', true, false],
    ['driver=FreeTDS', true, true],
    ['', true, true],
    ['Encrypt=no', true, true],
    ['encrypt=Mandatory&trustservercertificate=true', true, true],
    ['Encrypt=strict&TrustServerCertificate=yes', 'strict', false],
  ])('%s: encrypt %s, trust %s', (query, encrypt, trustServerCertificate) => {
    expect(connection(`${U}?${query}`).options).toMatchObject({ encrypt, trustServerCertificate });
  });

  it.each([
    ['h\\inst', { server: 'h', options: { instanceName: 'inst' } }],
    ['h%5Cinst', { server: 'h', options: { instanceName: 'inst' } }],
    ['h\\inst:1435', { server: 'h', options: { port: 1435 } }],
    ['h,1435', { server: 'h', options: { port: 1435 } }],
    ['h\\MSSQLSERVER', { server: 'h', options: { port: 1433 } }],
    ['(local)', { server: 'localhost' }],
    ['.\\SQLEXPRESS', { server: 'localhost', options: { instanceName: 'SQLEXPRESS' } }],
    ['[::1]:1435', { server: '::1', options: { port: 1435 } }],
  ])('the host %s is a server', (host, expected) => {
    expect(connection(`mssql+pyodbc://u:p@${host}/d`)).toMatchObject(expected);
  });

  it('takes other settings by any of their names', () => {
    const query =
      'MultiSubnetFailover=Yes&ApplicationIntent=ReadOnly&LoginTimeout=5&APP=me&WSID=box&MARS_Connection=yes';
    expect(connection(`${U}?${query}&HostNameInCertificate=n`).options).toMatchObject({
      multiSubnetFailover: true,
      readOnlyIntent: true,
      connectTimeout: 5000,
      appName: 'me',
      workstationId: 'box',
      serverName: 'n',
    });
    expect(connection(`${U}?timeout=7`).options).toMatchObject({ connectTimeout: 7000 });
    // Of pymssql it is the time of a statement.
    expect(connection('mssql+pymssql://u:p@h/d?timeout=7&login_timeout=0&charset=utf8').options).toMatchObject({
      connectTimeout: 2 ** 31 - 1,
      requestTimeout: 0,
    });
  });

  it('reads an ODBC connection string', () => {
    const text =
      ' Driver={ODBC Driver 18 for SQL Server};SERVER=tcp:h,1435; Database = d ;UID=me;PWD={a;b}}c=d} ;Encrypt=yes;;';
    expect(odbc(text)).toMatchObject({
      server: 'h',
      authentication: { options: { userName: 'me', password: 'a;b}c=d' } },
      options: { port: 1435, database: 'd', encrypt: true, trustServerCertificate: false },
    });
    expect(odbc('Data Source=h\\inst;Initial Catalog=d;User ID=me;Password=p')).toMatchObject({
      server: 'h',
      authentication: { options: { userName: 'me', password: 'p' } },
      options: { instanceName: 'inst', database: 'd' },
    });
    expect(odbc('DRIVER=FreeTDS;Server=h;Port=1436;UID=u;PWD=p;TDS_Version=7.4')).toMatchObject({
      options: { port: 1436 },
    });
  });

  it('decodes odbc_connect once more, as SQLAlchemy does', () => {
    const once = 'SERVER%3Dh%3BUID%3Du%3BPWD%3Da%252Bb%2Bc';
    expect(connection(`mssql+pyodbc:///?odbc_connect=${once}`).authentication?.options).toEqual({
      userName: 'u',
      password: 'a+b c',
    });
  });

  it.each([
    ['a=1;b={x;y};c={p}}q}', { a: '1', b: 'x;y', c: 'p}q' }],
    ['A = 1 ; a=2', { a: '1' }],
    ['a=;b={}', { a: '', b: '' }],
    ['a=x=y;b=p}q', { a: 'x=y', b: 'p}q' }],
    ['a={x} ;\n b=2;', { a: 'x', b: '2' }],
  ])('reads %s as settings', (text, expected) => {
    expect(Object.fromEntries([...parseOdbc(text)].map(([key, [value]]) => [key, value]))).toEqual(expected);
  });

  it.each(['PWD={hunter2', 'PWD={hunter2}x;a=1', 'PWD= {hunter2', 'hunter2', 'PWD=a;hunter2;', '=hunter2'])(
    'refuses %s without showing it',
    (text) => {
      const error = failure(() => parseOdbc(text));
      expect(error.message).toContain('odbc_connect is no list of');
      expect(inspect(error.toJSON()) + error.message).not.toContain('hunter2');
    },
  );

  it.each([
    ['mssql+pyodbc://u:p@mydsn', '"mydsn" names a data source'],
    ['mssql+pyodbc://u:p@h/?driver=X', '"h" names a data source'],
    ['mssql+pyodbc:///?dsn=mine', 'odbc.ini is not read'],
    ['mssql+pyodbc://h/d?Trusted_Connection=yes', 'logins of Windows'],
    ['mssql+pyodbc://h/d?driver=X', 'has no user'],
    [`${U}?Authentication=ActiveDirectoryMsi`, 'logins of Microsoft Entra'],
    [`${U}?ServerCertificate=/x`, 'a certificate cannot be pinned'],
    [`${U}?Encrypt=maybe`, 'the option encrypt is "maybe"'],
    [`${U}?Encryptt=yes`, 'not known here: encryptt'],
    ['mssql+aioodbc://u:p@h/d', 'aioodbc'],
  ])('refuses %s', (text, found) => {
    const error = failure(() => connection(text));
    expect([error.code, error.message]).toEqual(['URI_INVALID', expect.stringContaining(found)]);
  });

  it('refuses the same in an ODBC string', () => {
    expect(failure(() => odbc('DSN=mine;UID=u;PWD=p')).message).toContain('odbc.ini is not read');
    expect(failure(() => odbc('SERVER=h;Trusted_Connection=yes')).message).toContain('logins of Windows');
    expect(failure(() => odbc('SERVER=h;UID=u;PWD=hun;ter2=x')).message).not.toContain('ter2');
    expect(failure(() => odbc('SERVER=np:h;UID=u;PWD=p')).message).toContain('not to be reached over tcp');
    expect(failure(() => odbc('UID=u;PWD=p')).message).toContain('names no server');
    expect(failure(() => odbc('SERVER=(localdb)\\v11;UID=u;PWD=p')).message).toContain('LocalDB');
  });

  it('hands on the limits of the pool', () => {
    expect(mssqlOptions(parse(U), { pool: { ...DEFAULT_POOL, size: 1, maxOverflow: 1 } }).pool).toEqual({
      max: 2,
      recycleSeconds: null,
      echo: false,
    });
  });
});

describe('sqlite', () => {
  const path = (text: string, ...files: string[]) => sqlitePath(parse(text), machine(...files));

  it.each([
    ['sqlite://', null],
    ['sqlite:///', null],
    ['sqlite:///:memory:', null],
    ['sqlite:///mlflow.db', 'mlflow.db'],
    ['sqlite:///dir/mlflow.db', 'dir/mlflow.db'],
    ['sqlite:////abs/mlflow.db', '/abs/mlflow.db'],
    ['sqlite:///C:\\x.db', 'C:\\x.db'],
    ['sqlite+pysqlite:////abs/x.db', '/abs/x.db'],
    ['sqlite+aiosqlite:////abs/x.db', '/abs/x.db'],
    ['sqlite:////home/me@work/x y#1.db', '/home/me@work/x y#1.db'],
    ['sqlite:///file:/abs/x%20y.db?uri=true', '/abs/x y.db'],
    ['sqlite:///file:///abs/x.db?mode=rwc&uri=true', '/abs/x.db'],
    ['sqlite:///file://localhost/abs/x.db?uri=1&cache=shared', '/abs/x.db'],
    ['sqlite:///file:rel.db?uri=true', 'rel.db'],
    ['sqlite:///file::memory:?uri=true', null],
    ['sqlite:///file:name?mode=memory&uri=true', null],
    ['sqlite:///plain.db?uri=true', 'plain.db'],
    ['sqlite:///file:literal.db', 'file:literal.db'],
  ])('%s is the file %s', (text, expected) => {
    expect(path(text)).toBe(expected);
  });

  it('takes a path literally, unless only the decoded one is there', () => {
    expect(path('sqlite:////a/x%20y.db')).toBe('/a/x%20y.db');
    expect(path('sqlite:////a/x%20y.db', '/a/x y.db')).toBe('/a/x y.db');
    expect(path('sqlite:////a/x%20y.db', '/a/x y.db', '/a/x%20y.db')).toBe('/a/x%20y.db');
  });

  it('takes options of the Python module that say nothing of the file', () => {
    expect(sqlitePath(parse('sqlite:///x.db?timeout=1.5&check_same_thread=False'))).toBe('x.db');
  });

  it.each([
    ['sqlite://mlflow.db', 'has a host, user or port'],
    ['sqlite://home/x.db', 'has a host, user or port'],
    ['sqlite:///x.db?mode=ro', 'does nothing without uri=true'],
    ['sqlite:///file:x.db?mode=ro&uri=true', 'must not be written to'],
    ['sqlite:///file:x.db?immutable=1&uri=true', 'said never to change'],
    ['sqlite:///file:x.db?nolock=1&uri=true', 'without locks'],
    ['sqlite:///file://host/x.db?uri=true', 'on another machine'],
    ['sqlite:///x.db?timout=5', 'not known here: timout'],
    ['sqlite+pysqlcipher:///x.db', 'pysqlcipher'],
  ])('refuses %s', (text, found) => {
    const error = failure(() => path(text));
    expect([error.code, error.message]).toEqual(['URI_INVALID', expect.stringContaining(found)]);
  });
});
