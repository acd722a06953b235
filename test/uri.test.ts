import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MtrackError } from '../src/errors.js';
import { redact, Secret } from '../src/secrets.js';
import {
  type DatabaseUri,
  formatUri,
  parseStoreUri,
  type StoreUri,
  secretsOf,
  storeKind,
  UriOptions,
  wordsOf,
} from '../src/uri.js';

const database = (text: string): DatabaseUri => {
  const uri = parseStoreUri(text);
  if (uri.kind !== 'database') throw new Error(`${text} is no database`);
  return uri;
};

/** All parts, the password in plain text. */
const parts = ({ scheme, driver, user, password, host, port, database, query }: DatabaseUri) => ({
  name: driver === null ? scheme : `${scheme}+${driver}`,
  user,
  password: password?.reveal() ?? null,
  host,
  port,
  database,
  query: Object.fromEntries([...query].map(([key, values]) => [key, [...values]])),
});

const failure = (act: () => unknown): MtrackError => {
  try {
    act();
  } catch (error) {
    if (error instanceof MtrackError) return error;
    throw error;
  }
  throw new Error('it did not fail');
};

/** The same in SQLAlchemy and here. */
const AGREED = [
  'sqlite://',
  'sqlite:///',
  'sqlite:///mlflow.db',
  'sqlite:////var/lib/mlflow.db',
  'sqlite:///:memory:',
  'sqlite:///C:\\data\\mlflow.db',
  'sqlite:///with%20blank/and blank.db',
  'sqlite:///user@home/a:b.db',
  'sqlite+pysqlite:///file:/p/x.db?uri=true&mode=ro',
  'postgresql://h/d',
  'postgresql://h',
  'postgresql://h/',
  'postgresql:///d',
  'postgresql:///d?host=/var/run/postgresql',
  'postgresql://u@h/d',
  'postgresql://u:@h/d',
  'postgresql://:p@h/d',
  'postgresql://@h/d',
  'postgresql+psycopg2://u:p@h:5432/d',
  'postgresql+psycopg2://u:p@h:5432/d?sslmode=require&application_name=a+b',
  'postgresql://u:p@[::1]:5432/d',
  'postgresql://u:p@[fe80::1]/d',
  'postgresql://u:p@:5432/d',
  'postgresql://u:p@h1,h2/d',
  'postgresql://u:p@h/d?host=a:1&host=b:2',
  'postgresql://u:p@h/d?options=-csearch_path%3Da%2Cb',
  'postgresql://u:p@h/d?empty=&bare&=odd&x=1',
  'postgresql://u:p@h/d?a=%2B+%20&a=b=c',
  'postgresql://u:p@h/a/b/c',
  'postgresql://u:p@h/a%20b',
  'postgresql://u:p@h?x=1',
  'postgresql://u%40corp:p%40ss@h/d',
  'postgresql://u@corp:p@h/d',
  'postgresql://u:a%3Ab%2Fc%3Fd%23e@h/d',
  'postgresql://u:p:q/r@h/d',
  'postgresql://u:[x]{y}@h/d',
  'postgresql://u:%5Bx%5D@h/d',
  'postgresql://u:a+b c@h/d',
  'postgresql://u:100%@h/d',
  'postgresql://u:100%25@h/d',
  'postgresql://u:%zz%4@h/d',
  'postgresql://u:p#q@h/d#e',
  'postgresql://u:p?q@h/d',
  'postgresql://u:p%C3%A4ss@h/d',
  'postgresql://u:päss%E4@h/d',
  'mysql+pymysql://u:p@h:3306/d?charset=utf8mb4&ssl_ca=/etc/ca.pem',
  'mysql+mysqldb://u:p@h/d?unix_socket=/tmp/mysql.sock',
  'mssql+pyodbc://u:p@h:1433/d?driver=ODBC+Driver+18+for+SQL+Server&Encrypt=yes',
  'mssql+pyodbc://u:p@h\\inst/d?driver=X',
  'mssql+pyodbc://u:p@h%5Cinst/d?driver=X',
  'mssql+pyodbc:///?odbc_connect=DRIVER%3D%7BX%7D%3BSERVER%3Dh%3BPWD%3D%7Ba%3B%7D%7Db%7D',
];

const PYTHON = join(homedir(), 'mtrack-lab/mlflow-3.17.2/bin/python');
const SCRIPT = `
import json, sys
from sqlalchemy.engine import make_url
def parts(text):
    u = make_url(text)
    query = {k: [v] if isinstance(v, str) else list(v) for k, v in u.query.items()}
    return dict(name=u.drivername, user=u.username, password=u.password, host=u.host, port=u.port, database=u.database, query=query)
print(json.dumps([parts(text) for text in json.load(sys.stdin)]))
`;

// In continuous integration SQLAlchemy has to be there; elsewhere its absence shows as a skipped test.
describe.skipIf(!existsSync(PYTHON) && process.env.CI !== 'true')(`SQLAlchemy (${PYTHON})`, () => {
  it('reads the same parts', { timeout: 60_000 }, () => {
    const { stdout, stderr } = spawnSync(PYTHON, ['-c', SCRIPT], { input: JSON.stringify(AGREED), encoding: 'utf8' });
    expect(stderr).toBe('');
    const theirs: unknown[] = JSON.parse(stdout);
    expect(AGREED.map((text) => ({ text, ...parts(database(text)) }))).toEqual(
      AGREED.map((text, i) => ({ text, ...(theirs[i] as object) })),
    );
  });

  it('reads the parts of what formatUri writes', { timeout: 60_000 }, () => {
    const shown = AGREED.map((text) => formatUri(parseStoreUri(text)));
    const { stdout } = spawnSync(PYTHON, ['-c', SCRIPT], { input: JSON.stringify(shown), encoding: 'utf8' });
    expect(JSON.parse(stdout)).toEqual(shown.map((text) => parts(database(text))));
  });
});

describe('the URI of a database', () => {
  it('is taken apart', () => {
    expect(
      parts(database('PostgreSQL+psycopg2://me:a%40b+c@db.example:5433/ml%20flow?sslmode=require&o=1&o=2+3')),
    ).toEqual({
      name: 'postgresql+psycopg2',
      user: 'me',
      password: 'a@b+c',
      host: 'db.example',
      port: 5433,
      database: 'ml%20flow',
      query: { sslmode: ['require'], o: ['1', '2 3'] },
    });
  });

  it.each([
    ['an empty text', '', 'the store URI is empty'],
    ['a line break', 'sqlite:///x.db\n', 'has a blank or a line break'],
    ['a port that is no number', 'db://u:qzxxqz@h:qzxxqz/d', 'the port in the store URI is not a number'],
    ['no port after the colon', 'db://u:qzxxqz@h:/d', 'the port in the store URI is not a number'],
    ['too high a port', 'db://h:65536/d', 'the port in the store URI is not a number'],
    ['a raw @ in the password', 'db://u:qzx@xqz@h/d', 'more than one @'],
    ['a raw @ and / in the password', 'db://u:qzx@/xqz@h/d', 'more than one @'],
    ['a raw @ and : in the password', 'db://u:qzx@:xqz@h/d', 'more than one @'],
    ['a raw @ and ? in the password', 'db://u:qzx@?xqz=xqz@h/d', 'more than one @'],
    ['a raw @ in an option after host:port', 'db://host:5432/d?x=qzx@xqz', 'an @ among its options'],
    ['a raw @ in odbc_connect', 'db://?odbc_connect=PWD=qzx@xqz;X:1', 'an @ among its options'],
    ['text after an IPv6 address', 'db://u:qzxxqz@[::1]x/d', 'goes on after the host'],
    ['one slash', 'sqlite:/x.db', 'a scheme without //'],
    ['a scheme in front', 'jdbc:postgresql://u:qzxxqz@h/d', 'a scheme without //'],
  ])('is refused with %s, and nothing of it is shown', (_, text, found) => {
    const error = failure(() => parseStoreUri(text));
    expect(error.code).toBe('URI_INVALID');
    expect(error.message).toContain(found);
    expect(error.failure.fix).not.toHaveLength(0);
    expect(inspect(error) + JSON.stringify(error)).not.toMatch(/qzx|xqz/u);
  });

  it('is told what to write for an @', () => {
    expect(failure(() => parseStoreUri('db://u:p@q@h/d')).failure.fix?.[0]).toContain('write @ as %40');
  });

  it.each([
    'http://h:5000',
    'https://h',
    'databricks',
    'databricks://profile',
    'databricks-uc',
    'uc:http://h',
    'arn:aws:sagemaker:x',
  ])('is not %s, which is a server', (text) => {
    expect(failure(() => parseStoreUri(text)).message).toContain('the URI of a tracking server');
  });

  it('keeps an @ in a path, and in an option after the database', () => {
    expect(parts(database('sqlite:////home/me@work/x.db'))).toMatchObject({
      host: null,
      database: '/home/me@work/x.db',
    });
    expect(parts(database('db://u:p@h/d?application_name=me@work')).query).toEqual({ application_name: ['me@work'] });
  });
});

describe('the URI of a file store', () => {
  it.each([
    ['./mlruns', './mlruns'],
    ['/srv/mlruns', '/srv/mlruns'],
    ['mlruns', 'mlruns'],
    ['C:\\mlruns', 'C:\\mlruns'],
    ['./a:b', './a:b'],
    ['file:/p/q', '/p/q'],
    ['file:///p/q', '/p/q'],
    ['file://localhost/p', '/p'],
    ['file:rel/p', 'rel/p'],
    ['file:./p', './p'],
    ['file:///a%20b?x#y', '/a b'],
    // MLflow percent-decodes a plain path as well.
    ['./a%20b', './a b'],
  ])('%s is the path %s', (text, path) => {
    expect(parseStoreUri(text)).toEqual({ kind: 'files', path });
  });

  it('is refused when it is on another machine, or has no path', () => {
    expect(failure(() => parseStoreUri('file://host/p')).message).toContain('another machine');
    expect(failure(() => parseStoreUri('file:')).message).toContain('without a path');
  });

  it('is formatted so that it reads as the same path', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (path) => {
        fc.pre(path.isWellFormed() && !path.startsWith('//'));
        expect(parseStoreUri(formatUri({ kind: 'files', path }))).toEqual({ kind: 'files', path });
      }),
    );
  });
});

describe('formatUri', () => {
  it('hides the password and secret options, and leaves the rest readable', () => {
    const text =
      'mssql+pyodbc://me%40corp:hunter2@[::1]:1433/db?sslpassword=hunter3&sslmode=verify-full&sslkey=/a/b&o=a,b:c' +
      '&odbc_connect=SERVER%3Dh%3BPWD%3D%7Bhunter4%7D%3BUID%3Du';
    expect(formatUri(parseStoreUri(text))).toBe(
      'mssql+pyodbc://me%40corp:***@[::1]:1433/db?sslpassword=***&sslmode=verify-full&sslkey=/a/b&o=a,b:c' +
        '&odbc_connect=SERVER%3Dh%3BPWD%3D***%3BUID%3Du',
    );
  });

  it('is what inspect and JSON agree with', () => {
    const uri = parseStoreUri('db://u:hunter2@h/d?password=hunter3&odbc_connect=PWD%3Dhunter4');
    expect(inspect(uri, { depth: 9, showHidden: true }) + JSON.stringify(uri) + formatUri(uri)).not.toContain('hunter');
  });
});

/** What no other text holds by chance. */
const MARK = 'qzxjvkwq';

/** Any text that a URI can hold encoded. */
const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }).filter((value) => value.isWellFormed());
const name = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/u).filter((value) => storeKind(`${value}://`) === 'database');
const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6(), fc.constant('host\\instance'));
const uris: fc.Arbitrary<DatabaseUri> = fc
  .record({
    scheme: name,
    driver: fc.option(name),
    user: fc.option(text),
    password: fc.option(text),
    host: fc.option(host),
    port: fc.option(fc.integer({ min: 0, max: 65_535 })),
    database: fc.option(
      fc.oneof(
        fc.constant(''),
        text.filter((value) => !/[?@\s\p{Cc}]/u.test(value)),
      ),
    ),
    query: fc.array(fc.tuple(text, fc.array(text, { minLength: 1, maxLength: 3 })), { maxLength: 3 }),
  })
  .map((uri) => ({
    ...uri,
    kind: 'database',
    password: uri.user === null || uri.password === null ? null : new Secret(uri.password),
    query: new Map(uri.query),
  }));

describe('any URI', () => {
  it('reads back from its format, all but its secrets', () => {
    fc.assert(
      fc.property(uris, (uri) => {
        const again = database(formatUri(uri));
        const masked = (each: StoreUri) => secretsOf(each).length;
        if (masked(uri) === (uri.password ? 1 : 0)) {
          expect(parts(again)).toEqual({ ...parts(uri), password: uri.password && '***' });
        }
        expect(formatUri(again)).toBe(formatUri(uri));
      }),
    );
  });

  it('gives back the user and password that were percent-encoded into it', () => {
    fc.assert(
      fc.property(text, text, (user, password) => {
        const uri = database(`db://${encodeURIComponent(user)}:${encodeURIComponent(password)}@h/d`);
        expect([uri.user, uri.password?.reveal()]).toEqual([user, password]);
      }),
    );
  });

  it('shows its password nowhere: not formatted, inspected, in JSON, nor in a message that is redacted', () => {
    fc.assert(
      fc.property(uris, text, (some, end) => {
        const password = `${MARK}${end}`;
        const uri: DatabaseUri = { ...some, user: some.user ?? 'u', password: new Secret(password) };
        const seen = [
          formatUri(uri),
          inspect(uri, { depth: 9, showHidden: true }),
          JSON.stringify(uri),
          `${uri.password}`,
        ];
        const driver = redact(`login failed: ${password}`, secretsOf(uri), wordsOf(uri));
        expect([...seen, driver].join('\n')).not.toContain(MARK);
      }),
    );
  });

  it('shows no part of its password in an error, wherever a raw one breaks it', () => {
    const raw = fc.stringMatching(/^[!-~]{0,8}$/u);
    const ends = fc.constantFrom('/d', '/d?x=1', '?x', '');
    const hosts = fc.constantFrom('h', 'h:1', 'h:x', '[::1]y', '');
    let errors = 0;
    fc.assert(
      fc.property(raw, raw, hosts, ends, (before, after, at, end) => {
        try {
          parseStoreUri(`db://u:${MARK}${before}${MARK}${after}${MARK}@${at}${end}`);
        } catch (error) {
          errors += 1;
          expect(error).toBeInstanceOf(MtrackError);
          expect(`${inspect(error)}${JSON.stringify(error)}`).not.toContain(MARK);
        }
      }),
    );
    expect(errors).toBeGreaterThan(0);
  });
});

describe('the options of a URI', () => {
  const options = (text: string) => new UriOptions(database(`db://h/d?${text}`).query);

  it('are read by name and kind', () => {
    const read = options('a=1&b=Yes&c=OFF&d=x&e=1.5&n=-1');
    expect([read.text('a'), read.flag('b'), read.flag('c'), read.text('missing'), read.flag('missing')]).toEqual([
      '1',
      true,
      false,
      null,
      null,
    ]);
    expect([read.choice(['x', 'y'], 'd'), read.number(['e']), read.number(['n'], { negative: true })]).toEqual([
      'x',
      1.5,
      -1,
    ]);
    expect(() => read.refuseOthers()).not.toThrow();
  });

  it.each([
    ['two values', 'a=1&a=2', 'the option a is given 2 times with different values'],
    ['a word for a number', 'n=many', 'the option n is "many"'],
    ['a word for yes or no', 'f=perhaps', 'the option f is "perhaps"'],
    ['an option that is not known', 'slmode=require', 'an option that is not known here: slmode'],
  ])('are refused with %s', (_, query, found) => {
    const read = options(query);
    const error = failure(() => {
      read.text('a');
      read.number(['n']);
      read.flag('f');
      read.refuseOthers();
    });
    expect(error.message).toContain(found);
  });

  it('that an & in a password would make are not shown', () => {
    const read = options('password=hun&ter2=1');
    read.text('password');
    expect(failure(() => read.refuseOthers()).message).not.toContain('ter2');
  });
});
