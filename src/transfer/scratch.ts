/**
 * Rows of an older revision, brought to a newer one: by the migrations that would do it in their own database, in a scratch
 * one of the same content. The source stays as it is.
 */
import type { Database } from '../dialect/dialect.js';
import { positionOf } from '../schema/lineage.js';
import { assess } from '../upgrade/assess.js';
import { execute } from '../upgrade/execute.js';
import { makeTables } from '../upgrade/init.js';
import { type DatabaseSource, openDatabaseSource } from './database.js';
import { Load } from './load.js';
import { underLock } from './lock.js';
import { Problems } from './problems.js';
import { Meter, type OnProgress } from './progress.js';
import type { Source } from './source.js';

export interface Scratch {
  readonly database: Database;
  remove(): void;
}

export interface BringingOptions {
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
  readonly openScratch: () => Promise<Scratch>;
}

/** Whether a source has to be brought to a revision before its rows can go there. */
export const isOlder = (source: Source, revision: string) => positionOf(source.revision) < positionOf(revision);

/** The same source at a newer revision. Closing it closes the old one, too. */
export async function broughtTo(revision: string, source: Source, options: BringingOptions): Promise<DatabaseSource> {
  const scratch = await options.openScratch();
  try {
    const problems = await filled(scratch.database, source, options);
    await upgrade(scratch.database, revision, options.signal);
    const brought = await openDatabaseSource(scratch.database, { patience: 0, onWait: () => undefined });
    return {
      ...brought,
      shown: source.shown,
      others: source.others,
      async *batches(signal, into) {
        for (const problem of problems.list) into.add(problem);
        yield* brought.batches(signal, into);
      },
      close: async () => {
        await brought.close();
        scratch.remove();
        await source.close();
      },
    };
  } catch (error) {
    scratch.remove();
    throw error;
  }
}

/** Makes the tables of a database, and puts a source's rows there. @returns what the source had that could not be read */
export async function filled(
  database: Database,
  source: Source,
  { signal, onProgress }: Omit<BringingOptions, 'openScratch'>,
): Promise<Problems> {
  await makeTables(database, source.revision);
  const problems = new Problems();
  const meter = new Meter('bring', onProgress, source.counts);
  const loader = await database.loader();
  try {
    await underLock(loader, database.dialect, { patience: 0, onProgress }, async () => {
      const load = new Load(loader, database.dialect, ALL_AS_IT_IS);
      for await (const batch of source.batches(signal, problems)) {
        const characters = await load.put(batch);
        meter.add(batch.table.name, batch.rows.length, characters);
      }
      await load.finish([]);
    });
  } finally {
    await loader.close();
  }
  return problems;
}

/** What the migrations themselves have put there gives way. */
const ALL_AS_IT_IS = {
  onDifference: 'source',
  isKept: () => false,
  onTaken: () => undefined,
  onDifferent: () => undefined,
} as const;

/** Everything is agreed to: what is lost is lost to a copy. */
async function upgrade(database: Database, revision: string, signal: AbortSignal): Promise<void> {
  const session = await database.reader(0);
  const assessment = await assess(database, revision, session).finally(() => session.close());
  if (!assessment) return;
  await execute(database, assessment.plan, { lockTimeout: 0, patience: 0, signal, onProgress: () => undefined });
}
