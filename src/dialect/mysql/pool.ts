import { type EntityName, MikroORM } from '@mikro-orm/core';
import { MySqlDriver } from '@mikro-orm/mysql';
import { CompiledQuery, type DatabaseConnection, type Kysely } from 'kysely';
import type { ConnectionOptions } from 'mysql2';
import { QUIET } from '../orm.js';
import { firstToAnswer, type Pool, serverPool } from '../pool.js';
import { type Casting, exactDoubles } from './connect.js';
import { faultOf } from './faults.js';
import { type MysqlOptions, mayTryNext } from './options.js';
import { queryWords } from './query-words.js';
import { SQL_MODE } from './spell.js';

/** Every number as a number: one beyond 2^53 is rounded, which mysql2 would give as a text. */
const asNumbers: Casting = (field, next) => {
  if (field.type !== 'LONGLONG') return exactDoubles(field, next);
  const text = field.string();
  return text === null ? null : Number(text);
};

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
      driverOptions: { ...connection, ...pool, typeCast: asNumbers },
      onCreateConnection: async (created) => {
        for (const setting of settings) await (created as DatabaseConnection).executeQuery(CompiledQuery.raw(setting));
      },
    });
  const orm = await firstToAnswer(attempts, open, (each) => each.em.getConnection().execute('SELECT 1'), mayTryNext);
  const kysely = orm.em.getKysely() as unknown as Kysely<Tables>;
  return serverPool(kysely, { words: queryWords, faultOf, close: () => orm.close(true) });
}
