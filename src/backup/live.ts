/** The database as it is now, as far as a backup is measured by it. Reads only, and one state of the database. */
import { sql } from 'kysely';
import type { Identity } from '../dialect/backups.js';
import type { Database, Dialect } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import type { Schema } from '../schema/model.js';
import { type Location, locate } from '../upgrade/locate.js';
import { countRows } from '../upgrade/verify.js';
import { type Content, type ExperimentFact, TIMES } from './content.js';

export interface Live {
  readonly location: Location;
  readonly versions: readonly string[] | null;
  readonly identity: Identity;
  /** Rows, by table of MLflow's. */
  readonly tables: Readonly<Record<string, number>>;
  readonly newest: Readonly<Record<string, number>>;
  readonly oldest: Readonly<Record<string, number>>;
  /** Of the runs and experiments of a backup, those that are here. */
  readonly known: Known;
}

export interface Known {
  readonly runs: ReadonlySet<string>;
  readonly experiments: readonly ExperimentFact[];
  /** When the first of the runs began that are here and began after all those of the backup; null when there is none. */
  readonly firstMissing: number | null;
}

/** @param content of the backup; null where nothing is to be compared */
export async function readLive(database: Database, session: Session, content: Content | null): Promise<Live> {
  const { dialect } = database;
  const location = await locate(session, dialect);
  const { schema } = location;
  const names = [...schema.tables.keys()];
  const counts = await countRows(session, dialect, names);
  const [newest, oldest] = [new Map<string, number>(), new Map<string, number>()];
  for (const [table, column] of Object.entries(TIMES)) {
    if (!hasColumn(schema, table, column)) continue;
    for (const [which, times] of [['MAX', newest] as const, ['MIN', oldest] as const]) {
      const end = exactly(dialect, `${which}(${dialect.words.id(column)})`);
      const at = await aggregate(session, `SELECT ${end} AS n FROM ${dialect.words.id(table)}`);
      if (at !== null) times.set(table, at);
    }
  }
  return {
    location,
    versions: await dialect.readVersions(session),
    identity: await (await database.backups()).identify(session),
    tables: Object.fromEntries(counts),
    newest: Object.fromEntries(newest),
    oldest: Object.fromEntries(oldest),
    known: content === null ? NOTHING : await knownOf(content, schema, database, session),
  };
}

const NOTHING: Known = { runs: new Set(), experiments: [], firstMissing: null };

async function knownOf(content: Content, schema: Schema, { dialect }: Database, session: Session): Promise<Known> {
  const id = (name: string) => sql.raw(dialect.words.id(name));
  const runs = new Set<string>();
  const asked = [...new Set([...content.runs, ...content.newestRuns])];
  if (asked.length > 0 && hasColumn(schema, 'runs', 'run_uuid')) {
    const rows = await session.rows<{ k: string }>(
      sql`SELECT ${id('run_uuid')} AS k FROM ${id('runs')} WHERE ${id('run_uuid')} IN (${sql.join(asked)})`,
    );
    for (const { k } of rows) runs.add(k);
  }
  const experiments: ExperimentFact[] = [];
  const ids = content.experiments.map((each) => Number(each.id)).filter(Number.isSafeInteger);
  if (ids.length > 0 && hasColumn(schema, 'experiments', 'creation_time')) {
    const rows = await session.rows<{ k: unknown; t: unknown }>(
      sql`SELECT ${id('experiment_id')} AS k, ${sql.raw(exactly(dialect, dialect.words.id('creation_time')))} AS t FROM ${id('experiments')} WHERE ${id('experiment_id')} IN (${sql.join(ids)})`,
    );
    for (const { k, t } of rows) experiments.push({ id: String(k), created: t === null ? null : Number(t) });
  }
  const last = content.newest.runs;
  const firstMissing =
    last === undefined || !hasColumn(schema, 'runs', 'start_time')
      ? null
      : await aggregate(
          session,
          sql`SELECT ${sql.raw(exactly(dialect, `MIN(${dialect.words.id('start_time')})`))} AS n FROM ${id('runs')} WHERE ${id('start_time')} > ${last}`,
        );
  return { runs, experiments, firstMissing };
}

/** Times are written by clients, and need not fit into a double. */
const exactly = ({ rowWords }: Dialect, expression: string) =>
  rowWords.exactly({ name: '', type: { kind: 'bigint' }, nullable: true }, expression);

async function aggregate(session: Session, query: Parameters<Session['rows']>[0]): Promise<number | null> {
  const [row] = await session.rows<{ n: unknown }>(query);
  return row?.n === null || row?.n === undefined ? null : Number(row.n);
}

const hasColumn = ({ tables }: Schema, table: string, column: string) =>
  tables.get(table)?.columns.some(({ name }) => name === column) ?? false;
