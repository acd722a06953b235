import { type EntityName, MikroORM } from '@mikro-orm/core';
import { MsSqlDriver } from '@mikro-orm/mssql';
import type { Kysely } from 'kysely';
import type { Connection, Request } from 'tedious';
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
    onCreateConnection: async (created) => {
      const connection = created as Connection;
      silence(connection);
      readNumbers(connection);
    },
  });
  await orm.em.getConnection().execute('SELECT 1');
  const kysely = orm.em.getKysely() as unknown as Kysely<Tables>;
  return serverPool(kysely, { words: queryWords, faultOf, close: () => orm.close(true) });
}

/** As much of a value that tedious has read as is used. */
interface Column {
  readonly metadata: { readonly type: { readonly name: string } };
  value: unknown;
}

/** tedious gives a BIGINT as text: here it is a number, rounded beyond 2^53. */
function readNumbers(connection: Connection): void {
  const execute = connection.execSql.bind(connection);
  connection.execSql = (request: Request) => {
    request.prependListener('row', (columns: readonly Column[]) => {
      for (const column of columns) {
        const isWhole = column.metadata.type.name === 'BigInt' || column.metadata.type.name === 'IntN';
        if (isWhole && typeof column.value === 'string') column.value = Number(column.value);
      }
    });
    execute(request);
  };
}
