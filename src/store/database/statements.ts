/** Statements of hot paths: their text is made once for each shape and kept, and only values are bound to it after that. */
import { CompiledQuery, type Kysely, type RawBuilder, sql } from 'kysely';
import type { Columns, Compilable, InsertShape, Statement } from '../../dialect/query-words.js';
import type { Context } from './context.js';
import type { Tables } from './entities/index.js';

/** Texts that are kept: a list of VALUES has another one for each length. */
const MOST_TEXTS = 1000;

/** Texts by shape. Those of one database only, as each dialect has its own. */
export class Texts {
  readonly #kept = new Map<string, string>();

  of({ shape, build, values }: Statement, db: Kysely<Tables>): string {
    const known = this.#kept.get(shape);
    if (known !== undefined) return known;
    const { sql, parameters } = build().compile(db);
    if (parameters.length !== values.length) {
      throw new Error(`${shape}: ${values.length} values for ${parameters.length} places`);
    }
    if (this.#kept.size >= MOST_TEXTS) this.#kept.clear();
    this.#kept.set(shape, sql);
    return sql;
  }
}

/** Questions that are kept, and how long one of them may be. */
const MOST_QUESTIONS = 200;
const LONGEST_QUESTION = 2000;

/** Whole questions, read and compiled: pages and dashboards ask the same ones again and again. */
export class Questions {
  readonly #kept = new Map<string, CompiledQuery>();

  /** @param question all that the query depends on */
  of(question: string, compiled: () => CompiledQuery): CompiledQuery {
    const known = this.#kept.get(question);
    if (known) return known;
    const query = compiled();
    if (question.length > LONGEST_QUESTION) return query;
    if (this.#kept.size >= MOST_QUESTIONS) this.#kept.clear();
    this.#kept.set(question, query);
    return query;
  }
}

type Kept = Pick<Context, 'texts'>;

const run = <Row>({ texts }: Kept, db: Kysely<Tables>, statement: Statement) =>
  db.executeQuery<Row>(CompiledQuery.raw(texts.of(statement, db), [...statement.values]));

/**
 * The rows that a query gives.
 * @param shape a name that no other statement has, with whatever the text depends on
 * @param values in the order of the holes
 */
export async function rowsOf<Row>(
  context: Kept,
  db: Kysely<Tables>,
  shape: string,
  build: () => Compilable<Row>,
  values: readonly unknown[],
): Promise<Row[]> {
  return (await run<Row>(context, db, { shape, build, values })).rows;
}

/** The rows of a query that gives many. */
export async function manyRows<Row>(
  { pool: { words } }: Pick<Context, 'pool'>,
  db: Kysely<Tables>,
  columns: Columns<Row>,
  query: RawBuilder<Row>,
): Promise<Row[]> {
  const { packing } = words;
  if (!packing) return (await query.execute(db)).rows;
  const packed = packing.pack(Object.keys(columns), query);
  const { rows } = await sql<{ packed: unknown }>`SELECT ${packed} AS packed`.execute(db);
  return packing.unpack(columns, rows[0]?.packed);
}

/** How many rows a statement changed. Parameters as for rowsOf. */
export async function change(
  context: Kept,
  db: Kysely<Tables>,
  shape: string,
  build: () => Compilable,
  values: readonly unknown[],
): Promise<number> {
  return Number((await run(context, db, { shape, build, values })).numAffectedRows ?? 0);
}

/** @param rows with a value for each column, in the order of the shape; no two have the same key */
export async function insertRows(
  context: Kept & Pick<Context, 'pool'>,
  db: Kysely<Tables>,
  shape: InsertShape,
  rows: readonly (readonly unknown[])[],
): Promise<void> {
  for (const statement of context.pool.words.insertMany(shape, rows)) await run(context, db, statement);
}
