/** One connection to a database, held for as long as it is needed: locks, settings and transactions belong to it. */
import { CompiledQuery, type Kysely, type RawBuilder } from 'kysely';

export type Query = string | RawBuilder<unknown>;

export interface Session {
  /** The rows of a query. */
  rows<Row extends object>(query: Query): Promise<Row[]>;
  /** Runs a statement; how many rows it changed, where the database says. */
  run(statement: Query): Promise<number>;
  /** A query as it is sent, its values bound. */
  textOf(query: Query): string;
  begin(): Promise<void>;
  /** Begins a transaction that reads only, and in which every query sees the database as it is now, whoever goes on writing. */
  snapshot(): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  /** Gives the connection up. Never fails: the connection may be broken already. */
  close(): Promise<void>;
}

/** Statements that open, commit and roll back a transaction on a connection. */
export interface TransactionControl {
  begin(): Promise<void>;
  snapshot(): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/**
 * A session on a connection that is taken out of `kysely`'s pool and kept until `close`.
 * @param release what else is to be closed with the session
 */
export async function pinnedSession(
  kysely: Kysely<object>,
  release: () => Promise<void>,
  control: (run: (statement: string) => Promise<number>) => TransactionControl,
): Promise<Session> {
  const closing = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<Kysely<object>>();
  const done = kysely
    .connection()
    .execute(async (connection) => {
      opened.resolve(connection);
      await closing.promise;
    })
    .catch((error: unknown) => {
      opened.reject(error);
    });
  let connection: Kysely<object>;
  try {
    connection = await opened.promise;
  } catch (error) {
    await release().catch(() => undefined);
    throw error;
  }

  const execute = (query: Query) =>
    typeof query === 'string' ? connection.executeQuery(CompiledQuery.raw(query)) : query.execute(connection);
  const run = async (statement: Query) => {
    const result = await execute(statement);
    return Number(result.numAffectedRows ?? 0n);
  };
  return {
    rows: async <Row extends object>(query: Query) => (await execute(query)).rows as Row[],
    run,
    textOf: (query) => (typeof query === 'string' ? query : query.compile(connection).sql),
    ...control(run),
    close: async () => {
      closing.resolve();
      await done;
      await release().catch(() => undefined);
    },
  };
}

/** Transactions of a database that is told of them in SQL. */
export function transactionsBy(
  begin: string,
  snapshot: readonly string[],
): (run: (statement: string) => Promise<number>) => TransactionControl {
  return (run) => ({
    begin: async () => void (await run(begin)),
    snapshot: async () => {
      for (const statement of snapshot) await run(statement);
    },
    commit: async () => void (await run('COMMIT')),
    rollback: async () => void (await run('ROLLBACK')),
  });
}

/** The session with its settings; closed where they cannot be made, as the process would not end while it is open. */
export async function prepared(session: Session, ...settings: readonly Query[]): Promise<Session> {
  try {
    for (const setting of settings) await session.run(setting);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** The session in a snapshot; closed where there can be none. */
export async function inSnapshot(session: Session): Promise<Session> {
  try {
    await session.snapshot();
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** The session, with each statement told before it is sent. Values are not: they stay where they are bound. */
export function echoing(session: Session, echo: (statement: string) => void): Session {
  const told = (query: Query) => {
    echo(session.textOf(query));
    return query;
  };
  return {
    ...session,
    rows: (query) => session.rows(told(query)),
    run: (statement) => session.run(told(statement)),
  };
}
