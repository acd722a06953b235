/**
 * Moving everything from a source into a database: looked at first (survey.ts), then put in under a lock, then proven. Nothing
 * that the target has is ever deleted, and an import that was cut off goes on when it is run again.
 */
import type { Dialect } from '../dialect/dialect.js';
import type { Loader } from '../dialect/loader.js';
import { MtrackError, messageOf } from '../errors.js';
import { type Digest, digestTable } from '../rows/checksum.js';
import { inForeignKeyOrder } from '../rows/order.js';
import type { Table } from '../schema/model.js';
import { ahead } from './ahead.js';
import type { ExperimentMap, Renumbered } from './experiments.js';
import { Load, type Tally } from './load.js';
import { underLock } from './lock.js';
import { alikeIn, sorted } from './merge.js';
import { type Problem, Problems, problemText } from './problems.js';
import { Meter } from './progress.js';
import { Sieve } from './sieve.js';
import type { Batch, Source } from './source.js';
import { experimentMap, type ImportOptions, refusalOf, type Survey } from './survey.js';
import { lookAtTarget, makeTargetTables, type Target } from './target.js';
import { differenceOf, isDefault, takenOf } from './told.js';
import { verifyStores } from './verify.js';

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

/** @throws {MtrackError} */
export async function runImport(agreed: Survey, options: ImportOptions): Promise<Outcome> {
  const started = Date.now();
  const { source } = agreed;
  const { database } = agreed.target;
  if (agreed.target.isEmpty) await makeTargetTables(agreed.target);
  const problems = new Problems();
  const loader = await database.loader();
  let loaded: { tallies: ReadonlyMap<string, Tally>; map: ExperimentMap };
  try {
    loaded = await underLock(loader, database.dialect, options, () => load(source, agreed, loader, options, problems));
  } finally {
    await loader.close();
  }
  const tables = await proven(agreed.target, loaded.tallies, problems, options);
  const isProven = tables.every(({ source, target }) => isEqual(source, target));
  const unproven = isProven ? [] : await unlike(agreed, options);
  return {
    revision: agreed.target.revision,
    tables,
    problems: [...problems.list, ...unproven],
    renumbered: loaded.map.renumbered,
    unproven: [...new Set(unproven.flatMap(({ rows }) => Object.keys(rows)))],
    seconds: (Date.now() - started) / 1000,
  };
}

/** Row by row, where the sums are not the same: others who write to the target add to it, and are of no account. */
async function unlike({ source, target }: Survey, options: ImportOptions): Promise<readonly Problem[]> {
  const { database, revision, schema } = target;
  const session = await database.reader(options.patience);
  try {
    const compared = { session, dialect: database.dialect, revision, schema };
    const { problems } = await verifyStores(source, compared, options);
    return problems.filter(({ kind }) => kind === 'missing' || kind === 'different');
  } finally {
    await session.close();
  }
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
  const map = await experimentMap(source, { schema: target.schema, dialect, session: loader }, options, problems);
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
  for await (const batch of ahead(source.batches(options.signal, problems))) {
    const mapped = map.apply(batch);
    const rows = sieve.pass(mapped, problems);
    refuse();
    const characters = await put(into, { table: batch.table, rows }, loader, dialect);
    meter.add(batch.table.name, batch.rows.length, characters);
    open += rows.length;
    if (!own || open < options.transactionRows) continue;
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

/** @throws {MtrackError} TARGET_CONFLICT for rows that the database does not take beside one another */
async function put(into: Load, batch: Batch, loader: Loader, dialect: Dialect): Promise<number> {
  try {
    return await into.put(batch);
  } catch (error) {
    if (dialect.faultOf(error) !== 'other' || error instanceof MtrackError) throw error;
    await loader.rollback();
    throw await notTaken(error, batch, loader, dialect);
  }
}

/** Why the database has not taken a batch, as far as it can be found out. */
async function notTaken(
  error: unknown,
  { table, rows }: Batch,
  loader: Loader,
  dialect: Dialect,
): Promise<MtrackError> {
  const { taken, different } = await sorted({ table, rows }, loader, dialect);
  const problems = [
    ...taken.map((each) => takenOf(table, each)),
    ...different.map((each) => differenceOf(table, each)),
    ...alikeIn({ table, rows }),
  ];
  return new MtrackError(problems.length > 0 ? 'TARGET_CONFLICT' : 'STATEMENT_FAILED', {
    found: [`rows of ${table.name}: ${messageOf(error)}`, ...problems.map(problemText)].join('\n'),
    expected: 'rows that the target takes; what was committed before these stays, and is passed over the next time',
    fix: ['put these right in the source, and run the import again'],
    details: { problems },
    cause: error,
  });
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
