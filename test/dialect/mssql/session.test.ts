/** The real driver against a server of the protocol: what goes over the wire, and what is made of what comes back. */
import { createSocket } from 'node:dgram';
import { inspect } from 'node:util';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { numberOf } from '../../../src/dialect/faults.js';
import { faultOf } from '../../../src/dialect/mssql/faults.js';
import type { Session } from '../../../src/dialect/session.js';
import { MtrackError } from '../../../src/errors.js';
import { open } from '../../support/mssql/open.js';
import { FakeServer } from '../../support/mssql/server.js';
import { type Answer, type TdsRequest, TdsServer } from '../../support/mssql/tds.js';

const PASSWORD = 'geheim-7';

beforeEach(() => {
  for (const method of ['log', 'warn', 'error', 'info'] as const) vi.spyOn(console, method);
  vi.spyOn(process.stderr, 'write');
});

afterEach(() => {
  for (const method of ['log', 'warn', 'error', 'info'] as const) expect(console[method]).not.toHaveBeenCalled();
  expect(process.stderr.write).not.toHaveBeenCalled();
  vi.restoreAllMocks();
});

/** A session on a server that answers as told, and otherwise as a server without tables. */
function withSession<T>(
  answer: (request: TdsRequest) => Answer | null,
  use: (session: Session, tds: TdsServer) => Promise<T>,
): Promise<T> {
  return FakeServer.with({ instead: answer }, async (tds) => {
    const database = await open(tds.uri());
    const session = await database.worker();
    try {
      return await use(session, tds);
    } finally {
      await session.close();
    }
  });
}

async function failure(promise: Promise<unknown>): Promise<Error> {
  const error: unknown = await promise.then(
    () => new Error('nothing failed'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  return error as Error;
}

/** Why a database could not be opened: as the command line says it, and as the driver did. */
async function refusal(promise: Promise<unknown>): Promise<{ error: MtrackError; cause: unknown }> {
  const error = await failure(promise);
  expect(error).toBeInstanceOf(MtrackError);
  expect(error).toMatchObject({ code: 'CONNECT_FAILED' });
  return { error: error as MtrackError, cause: error.cause };
}

const logins = (tds: TdsServer) => tds.requests.filter((request) => request.kind === 'login');

describe('connecting', () => {
  test('logs in as the store URI says, under a name that tells what it is there for', () =>
    FakeServer.with({}, async (tds) => {
      const database = await open(tds.uri({ user: 'ml flow', password: 'p@ss/{}', database: 'store' }));
      await (await database.reader(1000)).close();
      await (await database.worker()).close();
      expect(logins(tds)).toMatchObject([
        { user: 'ml flow', password: 'p@ss/{}', database: 'store', app: 'mtrack (reading)', encrypted: false },
        { app: 'mtrack (reading)' },
        { app: 'mtrack' },
      ]);
      expect(database.target).toEqual({ host: '127.0.0.1', port: tds.port, user: 'ml flow', database: 'mlflow' });
      expect(database.shown).not.toContain('p@ss');
    }));

  test('encrypts where the server can', () =>
    FakeServer.with({ encrypts: true }, async (tds) => {
      await open(tds.uri());
      expect(logins(tds)).toMatchObject([{ user: 'sa', password: PASSWORD, encrypted: true }]);
    }));

  test('gives up on a certificate that nobody vouches for, where it is to be checked', () =>
    FakeServer.with({ encrypts: true }, async (tds) => {
      const { error, cause } = await refusal(
        open(tds.uri({ options: 'driver=ODBC+Driver+18+for+SQL+Server&HostNameInCertificate=sql.test' })),
      );
      expect(error.message).toMatch(/self.signed certificate/i);
      expect(faultOf(cause)).toBe('connect-failed');
      expect(logins(tds)).toEqual([]);
    }));

  test('a login that is refused is tried once, and its error shows no password', () =>
    FakeServer.with(
      {
        instead: ({ kind }) =>
          kind === 'login' ? { errors: [{ number: 18456, message: "Login failed for user 'sa'.", class: 14 }] } : null,
      },
      async (tds) => {
        const { error, cause } = await refusal(open(tds.uri()));
        expect(error.message).toContain(": Login failed for user 'sa'.");
        expect(faultOf(cause)).toBe('connect-failed');
        expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(PASSWORD);
        // As many tries as the pool makes by itself would lock the login.
        await new Promise((resolve) => setTimeout(resolve, 400));
        expect(logins(tds)).toHaveLength(1);
      },
    ));

  test('all reasons for a refusal are told, not the last alone', () =>
    FakeServer.with(
      {
        instead: ({ kind }) =>
          kind === 'login'
            ? {
                errors: [
                  {
                    number: 4060,
                    message: 'Cannot open database "mlfow" requested by the login. The login failed.',
                    class: 11,
                  },
                  { number: 18456, message: "Login failed for user 'sa'.", class: 14 },
                ],
              }
            : null,
      },
      async (tds) => {
        const { error, cause } = await refusal(open(tds.uri({ database: 'mlfow' })));
        expect(error.message).toContain(
          ': Cannot open database "mlfow" requested by the login. The login failed. Login failed for user \'sa\'.',
        );
        expect(faultOf(cause)).toBe('connect-failed');
      },
    ));

  test('a server that is not there is not to be connected to', async () => {
    const port = await TdsServer.with({ answer: () => ({ changed: 0 }) }, async (tds) => tds.port);
    const { error, cause } = await refusal(open(`mssql+pymssql://sa:${PASSWORD}@127.0.0.1:${port}/mlflow`));
    expect(error.message).toContain('ECONNREFUSED');
    expect(faultOf(cause)).toBe('connect-failed');
  });

  test('a named instance is asked for its port', async () => {
    const host = '127.0.0.77';
    const server = new FakeServer({});
    const answer = (request: TdsRequest) => server.answer(request);
    await TdsServer.with({ answer, host }, async (tds) => {
      const browser = createSocket('udp4');
      await new Promise<void>((resolve) => browser.bind(1434, host, resolve));
      browser.on('message', (_, { port, address }) => {
        const text = `ServerName;SQL;InstanceName;EXPRESS;IsClustered;No;Version;16.0.1000.6;tcp;${tds.port};;`;
        browser.send(
          Buffer.concat([Buffer.from([5, text.length & 0xff, text.length >> 8]), Buffer.from(text)]),
          port,
          address,
        );
      });
      try {
        const database = await open(
          `mssql+pyodbc://sa:${PASSWORD}@${host}%5CEXPRESS/mlflow?driver=ODBC+Driver+17+for+SQL+Server`,
        );
        expect(database.target).toMatchObject({ host: `${host}\\EXPRESS`, port: null });
        expect(logins(tds)).toHaveLength(1);
      } finally {
        browser.close();
      }
    });
  });
});

describe('what runs on a session', () => {
  test('settings come first, in a batch, as they would end with sp_executesql', () =>
    withSession(
      () => null,
      async (_, tds) => {
        const worker = logins(tds)[1]?.connection ?? 0;
        const [, , settings] = tds.requests.filter(({ connection }) => connection === worker).slice(1);
        expect(settings).toEqual({
          kind: 'batch',
          connection: worker,
          sql: 'SET QUOTED_IDENTIFIER, ANSI_NULLS, ANSI_PADDING, ANSI_WARNINGS, ARITHABORT, CONCAT_NULL_YIELDS_NULL ON;\nSET NUMERIC_ROUNDABORT, IMPLICIT_TRANSACTIONS, NOCOUNT OFF',
        });
      },
    ));

  test('text goes as a batch, values go bound: in the code page of the database where they fit it', () =>
    withSession(
      (request) => (request.kind === 'rpc' && request.parameters.length > 0 ? { changed: 3 } : null),
      async (session, tds) => {
        await session.run("UPDATE [runs] SET [status] = 'x'");
        const changed = await session.run(
          sql`UPDATE [t] SET a = ${'tr-1'}, b = ${'Zoë'}, c = ${'日本'}, d = ${7}, e = ${2 ** 40}, f = ${0.5}, g = ${true}, h = ${null}`,
        );
        expect(changed).toBe(3);
        const [text, bound] = tds.requests.slice(-2);
        expect(text).toMatchObject({ kind: 'batch', sql: "UPDATE [runs] SET [status] = 'x'" });
        expect(bound).toMatchObject({
          kind: 'rpc',
          sql: 'UPDATE [t] SET a = @1, b = @2, c = @3, d = @4, e = @5, f = @6, g = @7, h = @8',
          parameters: [
            { name: '@1', type: 'varchar(4)', value: 'tr-1' },
            { name: '@2', type: 'varchar(3)', value: 'Zoë' },
            { name: '@3', type: 'nvarchar(2)', value: '日本' },
            { name: '@4', type: 'int', value: 7 },
            { name: '@5', type: 'bigint', value: 2n ** 40n },
            { name: '@6', type: 'float', value: 0.5 },
            { name: '@7', type: 'bit', value: true },
            { name: '@8', value: null },
          ],
        });
      },
    ));

  test('rows come back with their types; a bigint as text', () =>
    withSession(
      (request) =>
        'sql' in request && request.sql === 'SELECT x'
          ? { rows: [{ a: 1, b: 2n ** 60n, c: true, d: 'é日', e: null, f: 1.5 }] }
          : null,
      async (session) => {
        expect(await session.rows('SELECT x')).toEqual([
          { a: 1, b: '1152921504606846976', c: true, d: 'é日', e: null, f: 1.5 },
        ]);
      },
    ));

  test('several errors of one statement become one, with the number of the first', () =>
    withSession(
      (request) =>
        'sql' in request && request.sql === 'ALTER'
          ? {
              errors: [
                { number: 5074, message: 'The object is dependent.' },
                { number: 4922, message: 'ALTER COLUMN failed.' },
              ],
            }
          : null,
      async (session) => {
        const error = await failure(session.run('ALTER'));
        expect(error.message).toBe('The object is dependent. ALTER COLUMN failed.');
        expect(numberOf(error, 'number')).toBe(5074);
        expect(faultOf(error)).toBe('other');
      },
    ));

  test('transactions are requests of the protocol', () =>
    withSession(
      () => null,
      async (session, tds) => {
        await session.begin();
        await session.commit();
        await session.begin();
        await session.rollback();
        expect(tds.sent().slice(-4)).toEqual(['<begin>', '<commit>', '<begin>', '<rollback>']);
      },
    ));

  test('what the server has rolled back is not rolled back again, and the next transaction begins', () =>
    withSession(
      (request) =>
        'sql' in request && request.sql === 'FAILS'
          ? { errors: [{ number: 1222, message: 'Lock request time out period exceeded.' }], rollsBack: true }
          : null,
      async (session, tds) => {
        await session.begin();
        await failure(session.run('FAILS'));
        await session.rollback();
        await session.begin();
        await session.commit();
        expect(tds.sent().slice(-4)).toEqual(['<begin>', 'FAILS', '<begin>', '<commit>']);
      },
    ));

  test('a reader is in a transaction that is never committed', () =>
    FakeServer.with({}, async (tds) => {
      const reader = await (await open(tds.uri())).reader(700);
      await reader.rows('SELECT 1');
      await reader.close();
      const connection = logins(tds)[1]?.connection;
      expect(tds.sent(connection).slice(-3)).toEqual(['SET LOCK_TIMEOUT 700', '<begin>', 'SELECT 1']);
    }));
});

describe('a connection that breaks', () => {
  for (const breaks of ['at once', 'in the middle'] as const) {
    test(`${breaks}: the statement fails as lost, later ones too, and nothing is printed`, () =>
      withSession(
        (request) => ('sql' in request && request.sql === 'SELECT 2' ? { breaks } : null),
        async (session) => {
          const error = await failure(session.rows('SELECT 2'));
          expect(faultOf(error)).toBe('connection-lost');
          expect(faultOf(await failure(session.rows('SELECT 1')))).toBe('connection-lost');
          await new Promise((resolve) => setTimeout(resolve, 20));
        },
      ));
  }

  test('while nothing runs: the next statement finds out', () =>
    FakeServer.with(
      {
        instead: (request) =>
          request.kind === 'rpc' && request.parameters.length === 1 ? { breaks: 'at once' } : null,
      },
      async (tds) => {
        const database = await open(tds.uri());
        const session = await database.worker();
        await failure(session.run(sql`SELECT ${1}`));
        expect(faultOf(await failure(session.begin()))).toBe('connection-lost');
        await session.close();
      },
    ));
});
