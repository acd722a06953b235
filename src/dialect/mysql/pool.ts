import { type EntityName, MikroORM } from '@mikro-orm/core';
import { MySqlDriver } from '@mikro-orm/mysql';
import { CompiledQuery, type DatabaseConnection, type Kysely } from 'kysely';
import type { ConnectionOptions } from 'mysql2';
import { QUIET } from '../orm.js';
import { firstToAnswer, type Pool, serverPool } from '../pool.js';
import { exactDoubles } from './connect.js';
import { faultOf } from './faults.js';
import { type MysqlOptions, mayTryNext } from './options.js';
import { queryWords } from './query-words.js';
import { SQL_MODE } from './spell.js';

export async function openPool<Tables>(
  { attempts, pool, setup }: MysqlOptions,
  entities: readonly EntityName[],
): Promise<Pool<Tables>> {
  const settings = [...setup, `SET SESSION sql_mode = '${SQL_MODE}'`];
  const open = (connection: ConnectionOptions) =>
    new MikroORM({
      ...QUIET,
      entities: [...entities],
      driver: MySqlDriver,
      dbName: connection.database ?? '',
      // A number rather than a text for a bigint beyond 2^53: it is rounded, as with the other dialects.
      driverOptions: { ...connection, ...pool, typeCast: exactDoubles, supportBigNumbers: false },
      onCreateConnection: async (created) => {
        for (const setting of settings) await (created as DatabaseConnection).executeQuery(CompiledQuery.raw(setting));
      },
    });
  const orm = await firstToAnswer(attempts, open, (each) => each.em.getConnection().execute('SELECT 1'), mayTryNext);
  const kysely = orm.em.getKysely() as unknown as Kysely<Tables>;
  return serverPool(kysely, { words: queryWords, faultOf, close: () => orm.close(true) });
}
