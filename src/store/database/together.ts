/** Several queries about the same things, which are one statement where the database can make them one. */
import { type Expression, type Kysely, sql } from 'kysely';
import type { Columns, Compilable, Packing, Union } from '../../dialect/query-words.js';
import type { Context } from './context.js';
import type { Tables } from './entities/index.js';
import { rowsOf } from './statements.js';

export interface Query<Row> {
  readonly columns: Columns<Row>;
  readonly build: () => Compilable<Row> & Expression<unknown>;
}

interface Asked {
  readonly context: Pick<Context, 'texts' | 'pool'>;
  readonly db: Kysely<Tables>;
  readonly shape: string;
  readonly queries: readonly (readonly [name: string, query: Query<never>])[];
  readonly values: readonly unknown[];
}

/**
 * Their rows, by the names of the queries.
 * @param shape as for rowsOf
 * @param values in the order of the holes of each query
 */
export async function rowsTogether<Rows extends object>(
  context: Asked['context'],
  db: Kysely<Tables>,
  shape: string,
  byName: { readonly [Name in keyof Rows]: Query<Rows[Name]> },
  values: readonly unknown[],
): Promise<{ [Name in keyof Rows]: Rows[Name][] }> {
  const queries = Object.entries<Query<never>>(byName);
  const rows = await rowsOfEach({ context, db, shape, queries, values });
  return Object.fromEntries(queries.map(([name], at) => [name, rows[at]])) as { [Name in keyof Rows]: Rows[Name][] };
}

function rowsOfEach(asked: Asked): Promise<unknown[][]> {
  const { context, db, shape, queries, values } = asked;
  const { packing, union } = context.pool.words;
  if (packing) return packedRows(asked, packing);
  // A row of the union is as wide as all: it is for those of one thing.
  if (union && values.length === 1) return unitedRows(asked, union);
  return Promise.all(queries.map(([name, { build }]) => rowsOf(context, db, `${shape}: ${name}`, build, values)));
}

const forEachOf = ({ queries, values }: Asked) => queries.flatMap(() => values);

async function packedRows(asked: Asked, { pack, unpack }: Packing): Promise<unknown[][]> {
  const { context, db, shape, queries } = asked;
  const build = () => {
    const packed = queries.map(
      ([name, { columns, build }]) => sql`${pack(Object.keys(columns), build())} AS ${sql.ref(name)}`,
    );
    return sql<Record<string, unknown>>`SELECT ${sql.join(packed)}`;
  };
  const [row] = await rowsOf(context, db, shape, build, forEachOf(asked));
  return queries.map(([name, { columns }]) => unpack(columns, row?.[name]));
}

async function unitedRows(asked: Asked, { unite, rowsOf: rowsIn }: Union): Promise<unknown[][]> {
  const { context, db, shape, queries } = asked;
  const build = () => unite(queries.map(([, { columns, build }]) => ({ columns, query: build() })));
  const rows = await rowsOf(context, db, shape, build, forEachOf(asked));
  return rowsIn(
    queries.map(([, query]) => query),
    rows,
  );
}
