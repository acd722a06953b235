/**
 * Sessions on connections of their own. MikroORM opens and closes them; what runs on them goes to tedious directly:
 * Kysely sends every statement through sp_executesql, at whose end SET options are again what they were before
 * (https://learn.microsoft.com/en-us/sql/t-sql/statements/set-statements-transact-sql), and it throws an array where a
 * statement has several errors.
 */
import { isIP } from 'node:net';
import { MikroORM } from '@mikro-orm/core';
import { MsSqlDriver } from '@mikro-orm/mssql';
import type { Kysely } from 'kysely';
import { type Connection, ISOLATION_LEVEL, Request, TYPES } from 'tedious';
import { messageOf } from '../../errors.js';
import { numberOf } from '../faults.js';
import { QUIET, sessionOf } from '../orm.js';
import { prepared, type Query, type Session, type TransactionControl } from '../session.js';
import { fits } from './codepage.js';
import type { MssqlOptions } from './options.js';
import { SETTINGS } from './settings.js';

const LONGEST_TIMER = 2 ** 31 - 1;

/** What MikroORM is told of the server. @param program shown to whoever asks the server who is there */
export function connectionOptions({ connection }: MssqlOptions, program: string) {
  const { server, options } = connection;
  return {
    dbName: options.database ?? 'master',
    // MikroORM gives a port to every connection but one with an instance in its host.
    host: options.instanceName === undefined ? server : `${server}\\${options.instanceName}`,
    driverOptions: {
      ...connection,
      options: {
        ...options,
        ...nameForTls(connection),
        // Without a database the login's own one is meant.
        database: options.database ?? '',
        appName: program,
      },
    },
  };
}

/** For each pool: how long it waits, and what it does where there is no connection. */
export function poolPatience({ connection }: MssqlOptions) {
  // tedious gives up by itself, and must be let.
  const timeout = Math.min(LONGEST_TIMER, (connection.options.connectTimeout ?? 15_000) + 15_000);
  return {
    min: 0,
    acquireTimeoutMillis: timeout,
    createTimeoutMillis: timeout,
    // Else a wrong password is tried again five times a second, until the server locks the login.
    propagateCreateError: true,
  };
}

/**
 * A session on a connection of its own.
 * @param program shown to whoever asks the server who is there
 * @param onConnect given the driver's own connection
 */
export async function openSession(
  options: MssqlOptions,
  program: string,
  onConnect: (connection: Connection) => void = () => undefined,
): Promise<Session> {
  let opened: Connection | undefined;
  const refusals: ServerMessage[] = [];
  const orm = new MikroORM({
    ...QUIET,
    ...connectionOptions(options, program),
    driver: MsSqlDriver,
    pool: { ...poolPatience(options), max: 1 },
    onCreateConnection: async (created) => {
      opened = created as Connection;
      onConnect(opened);
      silence(opened);
      collectUntilConnected(opened, refusals);
    },
  });
  let pinned: Session;
  try {
    pinned = await sessionOf(orm, () => transactionsOf(opened));
  } catch (error) {
    throw refused(error, refusals);
  }
  const kysely = orm.em.getKysely() as unknown as Kysely<object>;
  const execute = (query: Query) => send(connected(opened), query, kysely);
  const session: Session = {
    ...pinned,
    rows: async <Row extends object>(query: Query) => (await execute(query)).rows as Row[],
    run: async (statement) => (await execute(statement)).changed,
  };
  return prepared(session, SETTINGS);
}

/** Node warns of TLS to a name that is an address. Where no certificate is checked, any name will do. */
function nameForTls({ server, options }: MssqlOptions['connection']): { serverName?: string } {
  return options.serverName === undefined && options.trustServerCertificate && isIP(server)
    ? { serverName: 'localhost' }
    : {};
}

function connected(connection: Connection | undefined): Connection {
  if (connection) return connection;
  throw new Error('no connection was made');
}

// ---------------------------------------------------------------- requests

interface Result {
  readonly rows: object[];
  readonly changed: number;
}

/** Text alone goes as a batch, as in a script; with values it goes through sp_executesql, which takes parameters. */
function send(connection: Connection, query: Query, kysely: Kysely<object>): Promise<Result> {
  const { sql, parameters } = typeof query === 'string' ? { sql: query, parameters: [] } : query.compile(kysely);
  return new Promise((resolve, reject) => {
    const rows: object[] = [];
    const request = new Request(sql, (error, changed) => {
      if (error) reject(asOne(error));
      else resolve({ rows, changed: changed ?? 0 });
    });
    request.on(
      'row',
      (columns: readonly { readonly metadata: { readonly colName: string }; readonly value: unknown }[]) => {
        rows.push(Object.fromEntries(columns.map(({ metadata, value }) => [metadata.colName, value])));
      },
    );
    if (parameters.length === 0) return connection.execSqlBatch(request);
    const codepage = connection.databaseCollation?.codepage;
    for (const [i, value] of parameters.entries()) request.addParameter(String(i + 1), typeOf(value, codepage), value);
    connection.execSql(request);
  });
}

/**
 * A text in the code page of the database goes as such: MLflow's columns are VARCHAR, and compared with Unicode they would
 * be converted row by row, and, in an SQL_ collation, ordered in another way than ORDER BY orders them
 * (https://learn.microsoft.com/en-us/sql/relational-databases/collations/collation-and-unicode-support#SQL-collations).
 */
function typeOf(value: unknown, codepage: string | undefined) {
  switch (typeof value) {
    case 'string':
      return fits(value, codepage) ? TYPES.VarChar : TYPES.NVarChar;
    case 'boolean':
      return TYPES.Bit;
    case 'bigint':
      return TYPES.BigInt;
    case 'number':
      if (!Number.isInteger(value)) return TYPES.Float;
      return Math.abs(value) < 2 ** 31 ? TYPES.Int : TYPES.BigInt;
    default:
      return value instanceof Uint8Array ? TYPES.VarBinary : TYPES.NVarChar;
  }
}

/** The errors of one statement as one, which has the number of the first: those that follow say what came of it. */
export function asOne(error: Error): Error {
  if (!(error instanceof AggregateError)) return error;
  const errors: Error[] = error.errors;
  return new Error(errors.map(({ message }) => message).join(' '), { cause: errors[0] });
}

/**
 * Requests of the protocol: T-SQL's own BEGIN in a batch would leave the driver in the dark about the transaction that its
 * next request is to join. Where the server has rolled back already, as it does after most errors, nothing is left to do.
 */
function transactionsOf(opened: Connection | undefined): TransactionControl {
  const connection = connected(opened);
  const settle = (start: (done: (error?: Error | null) => void) => void) =>
    new Promise<void>((resolve, reject) => start((error) => (error ? reject(asOne(error)) : resolve())));
  return {
    begin: () => settle((done) => connection.beginTransaction(done, '', ISOLATION_LEVEL.READ_COMMITTED)),
    // A reader has a transaction open already, and one that is open cannot become a snapshot.
    snapshot: async () => {
      if (connection.inTransaction) await settle((done) => connection.rollbackTransaction(done));
      await settle((done) => connection.beginTransaction(done, '', ISOLATION_LEVEL.SNAPSHOT));
    },
    commit: () => settle((done) => connection.commitTransaction(done)),
    rollback: async () => {
      if (!connection.inTransaction) return;
      await settle((done) => connection.rollbackTransaction(done)).catch((error: unknown) => {
        if (numberOf(error, 'number') !== NO_TRANSACTION) throw error;
      });
    },
  };
}

const NO_TRANSACTION = 3903;

// ---------------------------------------------------------------- what the driver says

interface ServerMessage {
  readonly number: number;
  readonly message: string;
}

/** Kysely prints what a connection reports (mssql-driver.js); the request that was running is told of it in any case. */
export function silence(connection: Connection): void {
  const on = connection.on.bind(connection);
  connection.on = (event: string, listener: (...given: never[]) => void) => {
    // tedious itself listens once.
    const isKyselys = event === 'error' && !('listener' in listener);
    return on(event as 'error', isKyselys ? () => undefined : (listener as () => void));
  };
}

/** Of the reasons for which a login is refused, tedious gives the last one only, and no number. */
function collectUntilConnected(connection: Connection, into: ServerMessage[]): void {
  const collect = (message: ServerMessage) => void into.push(message);
  connection.on('errorMessage', collect);
  connection.once('connect', () => connection.off('errorMessage', collect));
}

/** Why there is no connection: by the server's messages, or by the system's, which tedious leaves in the cause. */
function refused(error: unknown, refusals: readonly ServerMessage[]): unknown {
  const [first] = refusals;
  if (first) {
    const text = [...new Set(refusals.map(({ message }) => message))].join(' ');
    return new Error(text, { cause: error instanceof Error ? Object.assign(error, { number: first.number }) : error });
  }
  const reasons = error instanceof Error && error.cause instanceof AggregateError ? error.cause.errors : [];
  const texts = reasons.map((reason: unknown) => messageOf(reason));
  return texts.length === 0 ? error : new Error(`${messageOf(error)}: ${texts.join(', ')}`, { cause: error });
}
