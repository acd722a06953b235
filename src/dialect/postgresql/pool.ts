import { type EntityName, MikroORM } from '@mikro-orm/core';
import { PostgreSqlDriver } from '@mikro-orm/postgresql';
import type { Kysely } from 'kysely';
import { QUIET } from '../orm.js';
import { firstToAnswer, type Pool, serverPool } from '../pool.js';
import { faultOf } from './faults.js';
import { mayTryNext, type PgConnection, type PostgresqlOptions } from './options.js';
import { isPreparedElsewhere, namingStatements, type QueryingClient } from './prepared-statements.js';
import { queryWords } from './query-words.js';

/** Types of columns by their OID (pg_type.dat): what is not here is text. An int8 beyond 2^53 is rounded. */
const PARSERS: Readonly<Record<number, (text: string) => unknown>> = {
  16: (text) => text === 't',
  20: Number,
  21: Number,
  23: Number,
  26: Number,
  700: Number,
  701: Number,
  1700: Number,
};
const asText = (text: string) => text;
const types = { getTypeParser: (oid: number) => PARSERS[oid] ?? asText };

export async function openPool<Tables>(
  { attempts, pool }: PostgresqlOptions,
  program: string,
  entities: readonly EntityName[],
): Promise<Pool<Tables>> {
  const open = (connection: PgConnection) =>
    new MikroORM({
      ...QUIET,
      entities: [...entities],
      driver: PostgreSqlDriver,
      dbName: connection.database,
      driverOptions: {
        ...connection,
        ...pool,
        application_name: program,
        types,
        onPoolCreated: (created: { on(event: 'connect', listener: (client: QueryingClient) => void): void }) => {
          created.on('connect', namingStatements);
        },
      },
    });
  const orm = await firstToAnswer(attempts, open, (each) => each.em.getConnection().execute('SELECT 1'), mayTryNext);
  const kysely = orm.em.getKysely() as unknown as Kysely<Tables>;
  return serverPool(kysely, {
    words: queryWords,
    // To be run again, as after a connection that was lost.
    faultOf: (error) => (isPreparedElsewhere(error) ? 'connection-lost' : faultOf(error)),
    close: () => orm.close(true),
  });
}
