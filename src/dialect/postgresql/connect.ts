import type { Writable } from 'node:stream';
import { MikroORM } from '@mikro-orm/core';
import { PostgreSqlDriver } from '@mikro-orm/postgresql';
import { QUIET, sessionOf } from '../orm.js';
import { prepared, type Session, transactionsBy } from '../session.js';
import { mayTryNext, type PgConnection, type PgPool, type PostgresqlOptions } from './options.js';
import { refuseSharedSession } from './pooler.js';

/** As much of pg's `Client` as is used outside of the ORM. */
export interface CopyingClient {
  /** As the server, or a pooler before it, said when the connection was made. */
  readonly processID?: number | null;
  query<Stream extends Writable>(stream: Stream): Stream;
}

/**
 * A session on a connection of its own.
 * @param program shown to whoever asks the server who is there
 * @param onConnect given the driver's own connection
 */
export async function openSession(
  options: PostgresqlOptions,
  program: string,
  onConnect: (client: CopyingClient) => void = () => undefined,
): Promise<Session> {
  let told: number | null = null;
  const session = await bareSession(options, program, (client) => {
    told = client.processID ?? null;
    onConnect(client);
  });
  try {
    await refuseSharedSession(session, told, () => bareSession(options, program, () => undefined));
  } catch (error) {
    await session.close();
    throw error;
  }
  // The server's own limits on long statements and idle transactions are for applications.
  return prepared(
    session,
    "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET client_min_messages = 'warning'",
  );
}

async function bareSession(
  options: PostgresqlOptions,
  program: string,
  onConnect: (client: CopyingClient) => void,
): Promise<Session> {
  const open = (connection: PgConnection) => connect(connection, options.pool, program, onConnect);
  const [first, ...others] = options.attempts;
  let attempt = open(first);
  for (const other of others) {
    attempt = attempt.catch((error: unknown) => {
      if (!mayTryNext(error)) throw error;
      return open(other);
    });
  }
  return attempt;
}

function connect(
  connection: PgConnection,
  pool: PgPool,
  program: string,
  onConnect: (client: CopyingClient) => void,
): Promise<Session> {
  const orm = new MikroORM({
    ...QUIET,
    driver: PostgreSqlDriver,
    dbName: connection.database,
    // A session must not be closed for its age while it works.
    driverOptions: {
      ...connection,
      ...pool,
      max: 1,
      maxLifetimeSeconds: 0,
      maxUses: undefined,
      application_name: program,
      onPoolCreated: (created: { on(event: 'connect', listener: (client: CopyingClient) => void): void }) => {
        created.on('connect', onConnect);
      },
    },
  });
  return sessionOf(orm, transactionsBy('BEGIN', ['BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY']));
}
