/** A database as a source: one snapshot of it, however long the reading takes and whoever goes on writing. */
import { type RawBuilder, sql } from 'kysely';
import type { Database, Dialect, LockWait } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import { MtrackError } from '../errors.js';
import { inForeignKeyOrder } from '../rows/order.js';
import { readRows } from '../rows/read.js';
import { bound } from '../rows/values.js';
import { schemaAt } from '../schema/lineage.js';
import { columnOf, type Table } from '../schema/model.js';
import { wholeRevision } from '../upgrade/gate.js';
import { locate } from '../upgrade/locate.js';
import { findOrphans } from './orphans.js';
import type { Among, Batch, Source } from './source.js';

/** A source that is a database, which can be asked more. */
export interface DatabaseSource extends Source {
  readonly session: Session;
  readonly dialect: Dialect;
}

/** @throws {MtrackError} DATABASE_EMPTY, PART_WAY, DRIFTED, DATABASE_NEWER, DATABASE_FOREIGN, UNVERSIONED */
export async function openDatabaseSource(database: Database, { patience, onWait }: LockWait): Promise<DatabaseSource> {
  const session = await database.snapshot(patience, onWait);
  try {
    return await sourceOf(database, session);
  } catch (error) {
    await session.close();
    throw error;
  }
}

async function sourceOf(database: Database, session: Session) {
  const { dialect } = database;
  const location = await locate(session, dialect);
  const revision = wholeRevision(location, database);
  if (revision === null) throw nothingThere(database);
  const schema = schemaAt(revision, dialect.traits);
  const tables = inForeignKeyOrder(schema);
  const stats = await dialect.readStats(
    session,
    tables.map(({ name }) => name),
  );
  const orphans = await findOrphans(session, dialect, schema);
  const others = [...location.schema.tables.keys()].filter((name) => !schema.tables.has(name) && name !== VERSIONS);
  return {
    shown: database.shown,
    revision,
    counts: new Map([...stats].map(([name, { rows }]) => [name, rows])),
    others,
    isSteady: true,
    session,
    dialect,
    async *batches(signal, problems): AsyncGenerator<Batch> {
      for (const problem of orphans.problems) problems.add(problem);
      for (const table of tables) {
        const where = orphans.condition(table);
        for await (const rows of readRows(session, dialect, table, { where, signal })) yield { table, rows };
      }
    },
    async *only(names, signal, among): AsyncGenerator<Batch> {
      for (const table of tables) {
        if (!names.includes(table.name)) continue;
        for (const condition of conditionsOf(table, among, dialect)) {
          const all = [orphans.condition(table), condition].filter((each) => each !== undefined);
          const where = all.length === 0 ? undefined : sql.join(all, sql` AND `);
          for await (const rows of readRows(session, dialect, table, { where, signal })) yield { table, rows };
        }
      }
    },
    close: () => session.close(),
  } satisfies DatabaseSource;
}

/** So many values are asked for; of more all rows are read. */
const MOST_VALUES = 10_000;
const TOGETHER = 500;

/** One after the other, none where there is nothing to look for. */
function conditionsOf(table: Table, among: Among | undefined, dialect: Dialect): (RawBuilder<unknown> | undefined)[] {
  const column = among && columnOf(table, among.column);
  if (!among || !column || among.values.size > MOST_VALUES) return [undefined];
  const values = [...among.values];
  const id = sql.raw(dialect.words.id(column.name));
  return Array.from({ length: Math.ceil(values.length / TOGETHER) }, (_, at) => {
    const some = values.slice(at * TOGETHER, (at + 1) * TOGETHER);
    return sql`${id} IN (${sql.join(some.map((value) => bound(value, dialect)))})`;
  });
}

const VERSIONS = 'alembic_version';

function nothingThere({ absent, target }: Database): MtrackError {
  return new MtrackError('DATABASE_EMPTY', {
    found: absent ? `there is no ${target.database}` : `${target.database} has no tables of MLflow`,
    expected: 'a database of MLflow, as the source',
    fix: ['check the store URI that is given with --from'],
  });
}
