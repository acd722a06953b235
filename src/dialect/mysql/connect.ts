import { MikroORM } from '@mikro-orm/core';
import { MySqlDriver } from '@mikro-orm/mysql';
import type { ConnectionOptions, TypeCast } from 'mysql2';
import { QUIET, sessionOf } from '../orm.js';
import { prepared, type Session, transactionsBy } from '../session.js';
import { type MysqlOptions, mayTryNext } from './options.js';
import { SQL_MODE } from './spell.js';

/** A session on a connection of its own. */
export async function openSession(options: MysqlOptions): Promise<Session> {
  const [first, ...others] = options.attempts;
  let attempt = connect(first);
  for (const other of others) {
    attempt = attempt.catch((error: unknown) => {
      if (!mayTryNext(error)) throw error;
      return connect(other);
    });
  }
  return prepared(await attempt, ...options.setup, `SET SESSION sql_mode = '${SQL_MODE}'`);
}

export type Casting = Exclude<TypeCast, boolean>;

/** mysql2 reads a double of up to 17 characters with rounding errors of its own (Packet.parseFloat). */
export const exactDoubles: Casting = (field, next) => {
  if (field.type !== 'DOUBLE' && field.type !== 'FLOAT') return next();
  const text = field.string();
  return text === null ? null : Number(text);
};

function connect(connection: ConnectionOptions): Promise<Session> {
  const orm = new MikroORM({
    ...QUIET,
    driver: MySqlDriver,
    dbName: connection.database ?? '',
    driverOptions: { ...connection, connectionLimit: 1, typeCast: exactDoubles },
  });
  return sessionOf(
    orm,
    transactionsBy('START TRANSACTION', [
      'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ',
      'START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY',
    ]),
  );
}
