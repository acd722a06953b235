/** Looking at a source and a target before anything is moved: what would be, and what stands in the way. */
import type { Dialect } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import { MtrackError } from '../errors.js';
import type { Row } from '../rows/values.js';
import type { Schema } from '../schema/model.js';
import { Spool } from './archive/spool.js';
import { type ExperimentMap, mapExperiments, type OnConflict, type Renumbered } from './experiments.js';
import type { OnDifference } from './load.js';
import { sorted } from './merge.js';
import { isBad, type Problem, Problems, problemText } from './problems.js';
import { Meter, type OnProgress } from './progress.js';
import { Sieve } from './sieve.js';
import type { Source } from './source.js';
import type { Target } from './target.js';
import { differenceOf, isDefault, takenOf } from './told.js';

export interface ImportOptions {
  /** Leaves behind what cannot be read or does not fit, instead of refusing all. */
  readonly skipBad: boolean;
  /** Cuts values of params and tags that are too long, as MLflow does. */
  readonly cutLong: boolean;
  readonly onConflict: OnConflict;
  readonly onDifference: OnDifference;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
  /** Rows that one transaction holds at the most, about, where the import is not a single one. */
  readonly transactionRows: number;
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
  const place = { schema: target.schema, dialect, session: target.isEmpty ? null : session };
  const map = await experimentMap(source, place, options, problems);
  const { renumbered } = map;
  const there = new Map<string, number>();
  const occupied = target.isEmpty ? new Set<string>() : await tablesWithRows(target, session);
  // Rows that keep the same rules already, into tables that have none: there is nothing to find.
  if (source.isSteady && occupied.size === 0 && source.dialect?.name === dialect.name) {
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

/** @param target its session is null where it has no tables yet */
export async function experimentMap(
  source: Source,
  target: { readonly schema: Schema; readonly dialect: Dialect; readonly session: Session | null },
  { onConflict, signal }: Pick<ImportOptions, 'onConflict' | 'signal'>,
  problems: Problems,
): Promise<ExperimentMap> {
  const table = target.schema.tables.get('experiments');
  if (!table) throw new Error('a schema of MLflow without experiments');
  const rows: Row[] = [];
  for await (const batch of source.only(['experiments'], signal)) rows.push(...batch.rows);
  return mapExperiments(table, rows, target, onConflict, problems);
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
