/** Proves a backup by restoring it: into a scratch database, whose rows are compared with the database's, and which is dropped. */
import type { BackupContext, Scratch } from '../dialect/backups.js';
import type { Database } from '../dialect/dialect.js';
import { dropOldFolders } from '../dialect/scratch-folder.js';
import type { Session } from '../dialect/session.js';
import { MtrackError } from '../errors.js';
import { describeDifference } from '../schema/diff.js';
import { schemaAt } from '../schema/lineage.js';
import type { Schema, Table } from '../schema/model.js';
import { type Location, locate } from '../upgrade/locate.js';
import { compareTable, readRuns, type Side, type TableComparison } from './compare.js';
import type { OpenedBackup } from './evidence.js';

export interface RestoreOptions extends BackupContext {
  /** Milliseconds to wait for a writer that keeps readers out. */
  readonly patience: number;
  /** Whether the database has not changed since: then every row must be the same. */
  readonly exact: boolean;
  /** The larger number of rows of tables that are known to have another one in the backup than in the database. */
  readonly differing: ReadonlyMap<string, number>;
}

export interface Restored {
  /** Of the restore, and of the comparison. */
  readonly seconds: number;
  readonly comparedSeconds: number;
  readonly tables: readonly TableComparison[];
}

/**
 * Restores a backup beside `host` and has it used. The scratch database is dropped, whatever happens; those that a killed run
 * left are dropped before.
 * @throws {MtrackError} RESTORE_FAILED, and those of reading a backup
 */
export async function withScratch<T>(
  opened: OpenedBackup,
  host: Database,
  context: BackupContext,
  use: (scratch: Database, seconds: number) => Promise<T>,
): Promise<T> {
  const backups = await host.backups();
  await dropOldFolders();
  await backups.dropLeftovers();
  const scratch: Scratch = await backups.createScratch();
  try {
    const begun = Date.now();
    await scratch.restore(opened.file, context);
    return await use(scratch.database, (Date.now() - begun) / 1000);
  } finally {
    await scratch.drop();
  }
}

/** @throws {MtrackError} BACKUP_DIFFERS, BACKUP_INCOMPLETE, INTERRUPTED */
export async function compareRestored(
  path: string,
  scratch: Database,
  database: Database,
  options: RestoreOptions,
): Promise<Omit<Restored, 'seconds'>> {
  const begun = Date.now();
  const here = await scratch.reader(options.patience);
  let there: Session | undefined;
  try {
    there = await database.reader(options.patience);
    // Where readers keep writers out, servers would wait for the whole comparison: its pages are then of different moments.
    if (database.dialect.transaction !== 'upgrade') await there.snapshot();
    const tables = await compareAll(
      { session: here, dialect: scratch.dialect },
      { session: there, dialect: database.dialect },
      path,
      options,
    );
    refuse(path, tables, options.exact);
    return { comparedSeconds: (Date.now() - begun) / 1000, tables };
  } finally {
    await here.close();
    await there?.close();
  }
}

async function compareAll(backup: Side, live: Side, path: string, options: RestoreOptions): Promise<TableComparison[]> {
  const [there, here] = [await locate(backup.session, backup.dialect), await locate(live.session, live.dialect)];
  refuseSchema(path, there, here);
  const tables = [...here.schema.tables.values()].flatMap((table) => {
    const common = inCommon(modelOf(table, here, live), there.schema, here.schema);
    return common ? [common] : [];
  });
  const runs = tables.find(({ name }) => name === 'runs');
  const known = runs ? await readRuns(runs, backup, live) : { ended: new Map(), live: new Set<string>() };
  const compared: TableComparison[] = [];
  for (const table of tables) {
    const differing = options.differing.get(table.name) ?? null;
    compared.push(await compareTable(table, backup, live, { ...options, runs: known, differing }));
  }
  return compared;
}

/** As the lineage declares it, which says how its values are to be read. */
function modelOf(table: Table, { state, ...location }: Location, { dialect }: Side): Table {
  const revision = 'revision' in location && state === 'at' ? location.revision : null;
  return (revision !== null && schemaAt(revision, dialect.traits).tables.get(table.name)) || table;
}

/** The columns that both have; null where one has no such table. */
function inCommon(table: Table, a: Schema, b: Schema): Table | null {
  const [x, y] = [a.tables.get(table.name), b.tables.get(table.name)];
  if (!x || !y) return null;
  const has = (name: string) => [x, y].every((each) => each.columns.some((column) => column.name === name));
  return { ...table, columns: table.columns.filter(({ name }) => has(name)) };
}

/** What has been restored must be as good a database as the one that it is of. @throws {MtrackError} */
function refuseSchema(path: string, there: Location, here: Location): void {
  const missing = [...here.schema.tables.keys()].filter((name) => !there.schema.tables.has(name));
  const known = new Set(here.state === 'at' ? here.drift.map(describeDifference) : []);
  const drift =
    there.state === 'at'
      ? there.drift.filter(({ weight }) => weight !== 'harmless').map(describeDifference)
      : [`it is ${there.state}`];
  const worse = drift.filter((each) => !known.has(each));
  const state = here.state === there.state ? worse : drift;
  if (missing.length > 0)
    throw new MtrackError('BACKUP_INCOMPLETE', {
      found: `${path}, restored, has no table ${missing.join(', ')}`,
      expected: 'every table of the database',
      fix: FIX,
    });
  if (state.length > 0) {
    throw new MtrackError('BACKUP_DIFFERS', {
      found: [`${path}, restored, has another schema than the database:`, ...state].join('\n'),
      expected: 'the schema of the database',
      fix: FIX,
    });
  }
}

const FIX = ['take a new backup: mtrack db backup'];

/** @throws {MtrackError} */
function refuse(path: string, tables: readonly TableComparison[], exact: boolean): void {
  const details = { tables: tables.filter((each) => !isSame(each)) };
  const damaged = tables.filter(({ damaged }) => damaged > 0);
  if (damaged.length > 0) {
    throw new MtrackError('BACKUP_DIFFERS', {
      found: damaged
        .map(({ table, damaged }) => `${rowsText(damaged)} of ${table} in ${path} are not what the database has`)
        .join('\n'),
      expected: 'the same values where MLflow never changes them',
      fix: ['check that it is a backup of this database', ...FIX],
      details,
    });
  }
  const missing = tables.filter(({ missing }) => missing > 0);
  if (missing.length > 0) {
    throw new MtrackError('BACKUP_INCOMPLETE', {
      found: missing
        .map(
          ({ table, missing }) =>
            `${rowsText(missing)} of ${table} are not in ${path}, although their runs had ended in it`,
        )
        .join('\n'),
      expected: 'all that a run logged before it ended (or nobody who logged to it later: then a new backup has it)',
      fix: FIX,
      details,
    });
  }
  const other = tables.filter((each) => !isSame(each));
  if (exact && other.length > 0) {
    throw new MtrackError('BACKUP_DIFFERS', {
      found: other.map((each) => `${each.table}: ${sinceText(each)}`).join('\n'),
      expected: 'with --exact, a database that has not changed since the backup',
      fix: ['stop the MLflow servers, and take a new backup: mtrack db backup', 'or leave out --exact'],
      details,
    });
  }
}

export const isSame = ({ backup, live }: TableComparison): boolean =>
  backup.rows === live.rows && backup.checksum === live.checksum;

/** What happened to a table since the backup. */
export function sinceText({ newer, changed, gone }: TableComparison): string {
  return [
    ...(newer > 0 ? [`${rowsText(newer)} came`] : []),
    ...(changed > 0 ? [`${rowsText(changed)} changed`] : []),
    ...(gone > 0 ? [`${rowsText(gone)} went`] : []),
  ].join(', ');
}

const rowsText = (n: number) => `${n} ${n === 1 ? 'row' : 'rows'}`;
