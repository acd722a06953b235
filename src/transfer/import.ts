/**
 * Moving everything from a source into a database: looked at first, then put in under a lock, then proven. Nothing that
 * the target has is ever deleted, and an import that was cut off goes on when it is run again.
 */
import type { Dialect } from '../dialect/dialect.js';
import type { Loader } from '../dialect/loader.js';
import type { Session } from '../dialect/session.js';
import { MtrackError } from '../errors.js';
import { type Digest, digestTable } from '../rows/checksum.js';
import { inForeignKeyOrder } from '../rows/order.js';
import { columnsOf, type Row } from '../rows/values.js';
import type { Table } from '../schema/model.js';
import { makeTables } from '../upgrade/init.js';
import { Spool } from './archive/spool.js';
import { type ExperimentMap, mapExperiments, type OnConflict, type Renumbered } from './experiments.js';
import { Load, type OnDifference, type Tally } from './load.js';
import { underLock } from './lock.js';
import { type Different, sorted, type Taken } from './merge.js';
import { isBad, type Problem, Problems, problemText, rowText } from './problems.js';
import { Meter, type OnProgress } from './progress.js';
import { keyNames, Sieve } from './sieve.js';
import type { Source } from './source.js';
import { lookAtTarget, type Target } from './target.js';

export interface ImportOptions {
  /** Leaves behind what cannot be read or does not fit, instead of refusing all. */
  readonly skipBad: boolean;
  /** Cuts values of params and tags that are too long, as MLflow does. */
  readonly cutLong: boolean;
  readonly onConflict: OnConflict;
  readonly onDifference: OnDifference;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
  /** Milliseconds to wait for another one that works on the target. */
  readonly patience: number;
}

/** What an import would do. */
export interface Survey {
  /** What is to be moved. */
  readonly source: Source;
  readonly target: Target;
  readonly rows: ReadonlyMap<string, number>;
  /** Rows that the target has already. */
  readonly there: ReadonlyMap<string, number>;
  readonly problems: readonly Problem[];
  readonly renumbered: readonly Renumbered[];
}

export interface TableOutcome {
  readonly table: string;
  readonly added: number;
  readonly equal: number;
  readonly updated: number;
  /** Rows that differ, of which the target's were left as they are. */
  readonly kept: number;
  /** Rows of the source that were left behind. */
  readonly leftBehind: number;
  /** Lines of the source that say what another one has said: they are one row. */
  readonly repeated: number;
  readonly source: Digest;
  /** Read back from the target. */
  readonly target: Digest;
}

export interface Outcome {
  readonly revision: string;
  readonly tables: readonly TableOutcome[];
  readonly problems: readonly Problem[];
  readonly renumbered: readonly Renumbered[];
  /** Tables whose rows in the target are not those that went in. */
  readonly unproven: readonly string[];
  readonly seconds: number;
}

// ---------------------------------------------------------------- looking

/**
 * Reads all of the source, and of the target what it is about; changes nothing.
 * @param source is closed with the one of the survey, or where there is none
 * @throws {MtrackError}
 */
export async function survey(
  source: Source,
  target: Target,
  session: Session,
  options: Pick<ImportOptions, 'cutLong' | 'onConflict' | 'signal' | 'onProgress'>,
): Promise<Survey> {
  const { dialect } = target.database;
  const problems = new Problems();
  const map = await experimentMap(source, target, target.isEmpty ? null : session, options, problems);
  const { renumbered } = map;
  const there = new Map<string, number>();
  const occupied = target.isEmpty ? new Set<string>() : await tablesWithRows(target, session);
  // Rows that keep the same rules already, into tables that have none: there is nothing to find.
  if (source.isSteady && occupied.size === 0 && source.dialect?.rowWords === dialect.rowWords) {
    return { source, target, rows: source.counts, there, problems: problems.list, renumbered };
  }
  const meter = new Meter('look', options.onProgress, source.counts);
  const sieve = new Sieve(dialect, options.cutLong);
  const own = new Problems();
  const spool = source.isSteady ? null : new Spool();
  try {
    for await (const batch of source.batches(options.signal, own)) {
      const { table } = batch;
      await spool?.add(batch);
      const rows = sieve.pass(map.apply(batch), problems);
      meter.add(table.name, batch.rows.length, 0);
      if (!occupied.has(table.name)) continue;
      const found = await sorted({ table, rows }, session, dialect);
      there.set(table.name, (there.get(table.name) ?? 0) + found.equal.length + found.different.length);
      for (const each of found.different) if (!isDefault(table, each.row)) problems.add(differenceOf(table, each));
      for (const each of found.taken) problems.add(takenOf(table, each));
    }
    const steady = await spool?.finish(source, target.schema, dialect.traits, own);
    const all = [...own.list, ...problems.list];
    return { source: steady ?? source, target, rows: meter.rows, there, problems: all, renumbered };
  } catch (error) {
    spool?.remove();
    throw error;
  }
}

async function tablesWithRows({ schema, database }: Target, session: Session): Promise<Set<string>> {
  const found = new Set<string>();
  for (const name of schema.tables.keys()) {
    const { firstOf, words } = database.dialect;
    const [first] = await session.rows(firstOf(`SELECT 1 AS there FROM ${words.id(name)}`));
    if (first) found.add(name);
  }
  return found;
}

async function experimentMap(
  source: Source,
  target: Target,
  session: Session | null,
  { onConflict, signal }: Pick<ImportOptions, 'onConflict' | 'signal'>,
  problems: Problems,
): Promise<ExperimentMap> {
  const table = target.schema.tables.get('experiments');
  if (!table) throw new Error('a schema of MLflow without experiments');
  const rows: Row[] = [];
  for await (const batch of source.experiments(signal)) rows.push(...batch.rows);
  return mapExperiments(table, rows, { session, dialect: target.database.dialect }, onConflict, problems);
}

/** The experiment that MLflow makes by itself: each database has its own. */
function isDefault(table: Table, row: Row): boolean {
  if (table.name !== 'experiments') return false;
  const at = (name: string) => row[columnsOf(table).findIndex((column) => column.name === name)];
  return at('experiment_id') === 0 && at('name') === 'Default';
}

function differenceOf(table: Table, { row, columns }: Different): Problem {
  const names = keyNames(table);
  return {
    kind: 'different',
    where: rowText(table.name, names, valuesOf(table, names, row)),
    reason: `: the target has another ${columns.join(', ')}`,
    rows: {},
  };
}

function takenOf(table: Table, { row, by, columns }: Taken): Problem {
  const names = keyNames(table);
  return {
    kind: 'taken',
    where: rowText(table.name, names, valuesOf(table, names, row)),
    reason: `: the target has ${rowText(table.name, columns, valuesOf(table, columns, by))}`,
    rows: { [table.name]: 1 },
  };
}

function valuesOf(table: Table, names: readonly string[], row: Row) {
  const columns = columnsOf(table).map(({ name }) => name);
  return names.map((name) => row[columns.indexOf(name)] ?? null);
}

/** Why an import cannot go ahead: everything at once. Null when it can. */
export function refusalOf(
  { problems }: Pick<Survey, 'problems'>,
  { skipBad, onDifference }: Pick<ImportOptions, 'skipBad' | 'onDifference'>,
): MtrackError | null {
  const bad = skipBad ? [] : problems.filter(isBad);
  const conflicts = problems.filter(
    ({ kind }) =>
      kind === 'name-taken' || (kind === 'taken' && !skipBad) || (kind === 'different' && onDifference === 'fail'),
  );
  const all = [...bad, ...conflicts];
  if (all.length === 0) return null;
  const kinds = new Set(all.map(({ kind }) => kind));
  return new MtrackError(bad.length > 0 ? 'SOURCE_DAMAGED' : 'TARGET_CONFLICT', {
    found: [
      `${all.length} ${all.length === 1 ? 'thing stands' : 'things stand'} in the way:`,
      ...all.map(problemText),
    ].join('\n'),
    expected: 'a source of which all can be moved, and a place for it; nothing was changed',
    fix: [
      ...(bad.length > 0 ? ['put right what is bad, or leave it behind, with a report of each: --skip-bad'] : []),
      ...(kinds.has('different')
        ? ['where rows differ, say whose values count: --on-difference source (or target)']
        : []),
      ...(kinds.has('name-taken')
        ? ['where names or numbers of experiments are taken: --on-conflict rename, or --on-conflict merge']
        : []),
      ...(kinds.has('taken') ? ['leave behind what has no place of its own, with a report of each: --skip-bad'] : []),
    ],
    details: { problems: all },
  });
}

// ---------------------------------------------------------------- doing

/** Rows that one transaction holds at the most, about. */
const TOGETHER = 50_000;

/** @throws {MtrackError} */
export async function runImport(agreed: Survey, options: ImportOptions): Promise<Outcome> {
  const started = Date.now();
  const { source } = agreed;
  const { database } = agreed.target;
  if (agreed.target.isEmpty) await makeTables(database, agreed.target.revision);
  const problems = new Problems();
  const loader = await database.loader();
  let loaded: { tallies: ReadonlyMap<string, Tally>; map: ExperimentMap };
  try {
    loaded = await underLock(loader, database.dialect, options, () => load(source, agreed, loader, options, problems));
  } finally {
    await loader.close();
  }
  const tables = await proven(agreed.target, loaded.tallies, problems, options);
  return {
    revision: agreed.target.revision,
    tables,
    problems: problems.list,
    renumbered: loaded.map.renumbered,
    unproven: tables.filter(({ source, target }) => !isEqual(source, target)).map(({ table }) => table),
    seconds: (Date.now() - started) / 1000,
  };
}

const isEqual = (one: Digest, other: Digest) => one.rows === other.rows && one.checksum === other.checksum;

async function load(
  source: Source,
  agreed: Survey,
  loader: Loader,
  options: ImportOptions,
  problems: Problems,
): Promise<{ tallies: ReadonlyMap<string, Tally>; map: ExperimentMap }> {
  const { database } = agreed.target;
  const { dialect } = database;
  const target = await lookAtTarget(database, loader);
  if (target.revision !== agreed.target.revision) throw moved(agreed.target.revision, target.revision);
  const map = await experimentMap(source, target, loader, options, problems);
  const sieve = new Sieve(dialect, options.cutLong);
  const meter = new Meter('load', options.onProgress, agreed.rows);
  const refuse = () => {
    const refusal = refusalOf({ problems: problems.list }, options);
    if (refusal) throw refusal;
  };
  const into = new Load(loader, dialect, {
    // What the migrations have put into tables that were made just now gives way.
    onDifference: agreed.target.isEmpty ? 'source' : options.onDifference,
    isKept: isDefault,
    onDifferent: (table, different) => {
      problems.add(differenceOf(table, different));
      refuse();
    },
    onTaken: (table, taken) => {
      problems.add(takenOf(table, taken));
      sieve.keepBack(table, taken.row);
      refuse();
    },
  });
  const own = dialect.transaction !== 'upgrade';
  let open = 0;
  if (own) await loader.begin();
  for await (const batch of source.batches(options.signal, problems)) {
    const mapped = map.apply(batch);
    const rows = sieve.pass(mapped, problems);
    refuse();
    const characters = await into.put({ table: batch.table, rows });
    meter.add(batch.table.name, batch.rows.length, characters);
    open += rows.length;
    if (!own || open < TOGETHER) continue;
    await loader.commit();
    await loader.begin();
    open = 0;
  }
  refuse();
  await into.finish(tablesIn(target, into.tallies));
  await refuseBroken(loader, dialect, [...into.tallies.keys()]);
  if (own) await loader.commit();
  return { tallies: into.tallies, map };
}

const tablesIn = (target: Target, names: ReadonlyMap<string, unknown>) =>
  inForeignKeyOrder(target.schema).filter(({ name }) => names.has(name));

function moved(agreed: string, found: string): MtrackError {
  return new MtrackError('PLAN_CHANGED', {
    found: `the target was at revision ${agreed} when the import was agreed to, and is at ${found} now`,
    fix: ['run the import again'],
  });
}

/** Where the database checks references at the end only. @throws {MtrackError} */
async function refuseBroken(loader: Loader, dialect: Dialect, tables: readonly string[]): Promise<void> {
  const broken = await dialect.brokenReferences(loader, tables);
  if (broken.length === 0) return;
  throw new MtrackError('SOURCE_DAMAGED', {
    found: broken.join('\n'),
    expected: 'every row to refer to one that is there; nothing was changed',
    fix: ['delete those rows in the source, or restore what they refer to'],
  });
}

// ---------------------------------------------------------------- proving

async function proven(
  target: Target,
  tallies: ReadonlyMap<string, Tally>,
  problems: Problems,
  { signal, onProgress, patience }: ImportOptions,
): Promise<TableOutcome[]> {
  const totals = new Map([...tallies].map(([name, { source }]) => [name, source.digest.rows]));
  const meter = new Meter('verify', onProgress, totals);
  const lost = problems.rows;
  const session = await target.database.reader(patience);
  try {
    const outcomes: TableOutcome[] = [];
    for (const table of inForeignKeyOrder(target.schema)) {
      const tally = tallies.get(table.name);
      const leftBehind = lost.get(table.name) ?? 0;
      if (!tally && leftBehind === 0) continue;
      outcomes.push({
        table: table.name,
        added: tally?.added ?? 0,
        equal: tally?.equal ?? 0,
        updated: tally?.updated ?? 0,
        kept: tally?.kept ?? 0,
        leftBehind,
        repeated: problems.repeated.get(table.name) ?? 0,
        source: tally?.source.digest ?? NOTHING,
        target: tally ? await readBack(table, tally) : NOTHING,
      });
    }
    return outcomes;
  } finally {
    await session.close();
  }

  async function readBack(table: Table, tally: Tally): Promise<Digest> {
    if (tally.target) return tally.target.digest;
    const onRows = (rows: number) => meter.add(table.name, rows, 0);
    return digestTable(session, target.database.dialect, table, { signal, onRows });
  }
}

const NOTHING: Digest = { rows: 0, checksum: '0'.repeat(32) };
