import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { DEFAULT_POOL, poolLimits, readEnvironment, resolveStoreUri, type UriSources } from '../src/config.js';
import { MtrackError } from '../src/errors.js';
import { Secret } from '../src/secrets.js';
import { formatUri } from '../src/uri.js';

const failure = (act: () => unknown): MtrackError => {
  try {
    act();
  } catch (error) {
    if (error instanceof MtrackError) return error;
    throw error;
  }
  throw new Error('it did not fail');
};

describe('the environment', () => {
  it('is all unset when it is empty', () => {
    expect(readEnvironment({})).toEqual({
      backendStoreUri: null,
      trackingUri: null,
      pool: DEFAULT_POOL,
      mysqlTls: { ca: null, cert: null, key: null },
      postgresql: {},
      tools: {},
    });
  });

  it('is read as MLflow reads it', () => {
    const environment = readEnvironment({
      MLFLOW_SQLALCHEMYSTORE_POOL_SIZE: '7',
      MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW: '-1',
      MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE: ' 3600 ',
      MLFLOW_SQLALCHEMYSTORE_ECHO: 'True',
      MLFLOW_SQLALCHEMYSTORE_POOLCLASS: 'NullPool',
      MLFLOW_MYSQL_SSL_CA: '/ca.pem',
      MLFLOW_MYSQL_SSL_CERT: '',
      PGSSLMODE: 'require',
      PGPASSWORD: 'hunter2',
      PGDATA: '',
      PATH: '/bin',
    });
    expect(environment.pool).toEqual({
      size: 7,
      maxOverflow: -1,
      recycleSeconds: 3600,
      echo: true,
      poolClass: 'NullPool',
    });
    expect(environment.mysqlTls).toEqual({ ca: '/ca.pem', cert: null, key: null });
    expect(environment.postgresql).toEqual({ PGSSLMODE: 'require' });
  });

  it('has 0 for the default of a number, as MLflow passes on only what is not 0', () => {
    const { pool } = readEnvironment({
      MLFLOW_SQLALCHEMYSTORE_POOL_SIZE: '0',
      MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW: '0',
      MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE: '',
    });
    expect(pool).toEqual(DEFAULT_POOL);
  });

  it.each([
    ['POOL_SIZE', 'many', 'a whole number, 0 or more'],
    ['POOL_SIZE', '-1', 'a whole number, 0 or more'],
    ['MAX_OVERFLOW', '1.5', 'a whole number, -1 or more'],
    ['MAX_OVERFLOW', '-2', 'a whole number, -1 or more'],
    ['POOL_RECYCLE', '1h', 'a whole number, -1 or more'],
    ['ECHO', 'yes', 'true, false, 1 or 0'],
    ['POOLCLASS', 'nullpool', 'NullPool'],
  ])('is refused when %s is "%s"', (name, value, expected) => {
    const error = failure(() => readEnvironment({ [`MLFLOW_SQLALCHEMYSTORE_${name}`]: value }));
    expect(error.code).toBe('USAGE');
    expect(error.message).toBe(`MLFLOW_SQLALCHEMYSTORE_${name} is "${value}"`);
    expect(error.failure.expected).toContain(expected);
  });

  it('does not show the URIs in it', () => {
    const environment = readEnvironment({
      MLFLOW_BACKEND_STORE_URI: 'db://u:hunter2@h/d',
      MLFLOW_TRACKING_URI: 'http://u:hunter2@h',
    });
    expect(inspect(environment, { depth: 9 }) + JSON.stringify(environment)).not.toContain('hunter2');
  });
});

describe('the limits of a pool', () => {
  const UNLIMITED = Number.MAX_SAFE_INTEGER;

  it.each([
    ['nothing is said', {}, 15],
    ['it has a size', { size: 20 }, 30],
    ['it has a size and an overflow', { size: 20, maxOverflow: 0 }, 20],
    ['its size is 0: no limit', { size: 0, maxOverflow: 3 }, UNLIMITED],
    ['its overflow is -1: no limit', { size: 3, maxOverflow: -1 }, UNLIMITED],
    ['it is no pool', { poolClass: 'NullPool' as const }, UNLIMITED],
    ['it is one connection', { size: 9, poolClass: 'StaticPool' as const }, 1],
    ['it is one connection, asserted', { poolClass: 'AssertionPool' as const }, 1],
    ['it is one connection a thread', { size: 9, poolClass: 'SingletonThreadPool' as const }, 9],
    ['it is a queue by name', { size: 2, poolClass: 'QueuePool' as const }, 12],
  ])('are right when %s', (_, pool, max) => {
    expect(poolLimits({ ...DEFAULT_POOL, ...pool }).max).toBe(max);
  });

  it.each([
    [null, null],
    [-1, null],
    [0, 0],
    [60, 60],
  ])('turn a recycle of %s into %s seconds', (recycleSeconds, expected) => {
    expect(poolLimits({ ...DEFAULT_POOL, recycleSeconds }).recycleSeconds).toBe(expected);
  });

  it('keep no connection of a NullPool', () => {
    expect(poolLimits({ ...DEFAULT_POOL, poolClass: 'NullPool', echo: true })).toEqual({
      max: UNLIMITED,
      recycleSeconds: 0,
      echo: true,
    });
  });
});

describe('the store that is meant', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mtrack-config-'));
  const path = join(folder, 'uri');
  afterEach(() => rmSync(path, { force: true }));
  afterAll(() => rmSync(folder, { recursive: true }));

  const env = (backend?: string, tracking?: string): UriSources['env'] => ({
    backendStoreUri: backend === undefined ? null : new Secret(backend),
    trackingUri: tracking === undefined ? null : new Secret(tracking),
  });
  const found = (sources: Partial<UriSources>) => {
    const { uri, from } = resolveStoreUri({ env: env(), ...sources });
    return [formatUri(uri), from];
  };

  it('is what is given on the command line, before the environment', () => {
    const both = env('db://backend', 'db://tracking');
    writeFileSync(path, '\uFEFF db://file \r\n');
    expect(found({ argument: 'db://arg', env: both })).toEqual(['db://arg', 'the argument']);
    expect(found({ flag: 'db://flag', env: both })).toEqual(['db://flag', '--backend-store-uri']);
    expect(found({ file: path, env: both })).toEqual(['db://file', '--backend-store-uri-file']);
    expect(found({ env: both })).toEqual(['db://backend', 'MLFLOW_BACKEND_STORE_URI']);
    expect(found({ env: env(undefined, 'db://tracking') })).toEqual(['db://tracking', 'MLFLOW_TRACKING_URI']);
  });

  it('may be given twice when it is the same', () => {
    writeFileSync(path, 'db://x\n');
    expect(found({ argument: 'db://x', flag: 'db://x', file: path })).toEqual(['db://x', 'the argument']);
  });

  it('is refused when it is given twice and differs, without showing either', () => {
    const error = failure(() => found({ argument: 'db://u:hunter2@x', flag: 'db://u:hunter3@y' }));
    expect(error.code).toBe('USAGE');
    expect(error.message).toBe('the argument and --backend-store-uri name different stores');
    expect(JSON.stringify(error)).not.toContain('hunter');
  });

  it.each(['http://h:5000', 'databricks', './mlruns'])(
    'is not what MLFLOW_TRACKING_URI says when that is %s',
    (tracking) => {
      const error = failure(() => found({ env: env(undefined, tracking) }));
      expect(error.message).toBe('no store is named; MLFLOW_TRACKING_URI names no database');
    },
  );

  it('is asked for with all the ways to name it', () => {
    const error = failure(() => found({}));
    expect(error.code).toBe('USAGE');
    const ways = error.failure.fix?.join('\n');
    expect(ways).toMatch(/argument.*--backend-store-uri\b/u);
    expect(ways).toContain('--backend-store-uri-file PATH');
    expect(ways).toMatch(/MLFLOW_BACKEND_STORE_URI.*MLFLOW_TRACKING_URI/u);
  });

  it('is an error when it is empty: the variable of a script may be unset', () => {
    expect(failure(() => found({ flag: '', env: env('db://backend') })).message).toBe(
      'the store URI is empty (in --backend-store-uri)',
    );
  });

  it('is said to be wrong where it was found', () => {
    const error = failure(() => found({ env: env('db://u:hunter2@h:x/d') }));
    expect([error.code, error.message]).toEqual([
      'URI_INVALID',
      'the port in the store URI is not a number from 0 to 65535 (in MLFLOW_BACKEND_STORE_URI)',
    ]);
  });

  it.each([
    ['missing', null, 'cannot be read'],
    ['empty', ' \n', 'is empty'],
    ['more than one line', 'db://u:hunter2@h\nPASSWORD=hunter3\n', 'has more than one line'],
  ])('is not taken from a file that is %s', (_, content, found_) => {
    if (content !== null) writeFileSync(path, content);
    const error = failure(() => found({ file: path }));
    expect(error.code).toBe('USAGE');
    expect(error.message).toContain(found_);
    expect(JSON.stringify(error)).not.toContain('hunter');
  });

  it('is not read from the standard input', () => {
    expect(failure(() => found({ file: '-' })).message).toContain('the standard input is not read');
  });
});
