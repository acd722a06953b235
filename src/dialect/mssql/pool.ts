import { type EntityName, MikroORM } from '@mikro-orm/core';
import { MsSqlDriver } from '@mikro-orm/mssql';
import type { Kysely } from 'kysely';
import type { Connection } from 'tedious';
import { QUIET } from '../orm.js';
import { type Pool, serverPool } from '../pool.js';
import { connectionOptions, poolPatience, silence } from './connect.js';
import { faultOf } from './faults.js';
import type { MssqlOptions } from './options.js';
import { queryWords } from './query-words.js';

export async function openPool<Tables>(
  options: MssqlOptions,
  program: string,
  entities: readonly EntityName[],
): Promise<Pool<Tables>> {
  const orm = new MikroORM({
    ...QUIET,
    ...connectionOptions(options, program),
    entities: [...entities],
    driver: MsSqlDriver,
    pool: { ...poolPatience(options), max: options.pool.max },
    onCreateConnection: async (created) => silence(created as Connection),
  });
  await orm.em.getConnection().execute('SELECT 1');
  const kysely = orm.em.getKysely() as unknown as Kysely<Tables>;
  return serverPool(kysely, { words: queryWords, faultOf, close: () => orm.close(true) });
}
