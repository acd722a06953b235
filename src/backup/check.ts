/** Whether a backup can be trusted: read whole, of this database, of its revision, recent; and, where asked, restored and rehearsed. */
import { dirname, relative, resolve } from 'node:path';
import type { ReadContext } from '../dialect/backups.js';
import type { Database } from '../dialect/dialect.js';
import { MtrackError } from '../errors.js';
import { commandOf } from '../upgrade/command.js';
import { type ArtifactsReport, lookAtArtifacts } from './artifacts.js';
import type { Sealed } from './canonical.js';
import { type Evidence, gather, type OpenedBackup } from './evidence.js';
import { judge, lacking, type Verdict } from './judge.js';
import { type Live, readLive } from './live.js';
import { makeReceipt, type Receipt } from './receipt.js';
import { type Rehearsal, rehearse } from './rehearse.js';
import { compareRestored, type Restored, type RestoreOptions, withScratch } from './restore.js';

export interface CheckOptions extends ReadContext {
  readonly maxAge: number | null;
  readonly moved: boolean;
  /** Restores the backup into a scratch database. */
  readonly restore: boolean;
  /** Where that is made: beside this database, if it is not to be beside the one itself. */
  readonly scratchHost: Database | null;
  readonly exact: boolean;
  /** What is directly at an artifact URI; null where artifacts are not asked for. */
  readonly listArtifacts: ((uri: string) => Promise<readonly unknown[]>) | null;
  /** The revision to rehearse the upgrade to; null for no rehearsal. */
  readonly rehearseTo: string | null;
  /** Where the receipt is to lie, from where its paths are said. */
  readonly receiptPath: string;
  readonly patience: number;
  readonly lockTimeout: number;
  readonly madeBy: string;
}

export interface Checked {
  readonly evidence: Evidence;
  readonly live: Live;
  readonly verdict: Verdict;
  readonly restored: Restored | null;
  readonly rehearsal: Rehearsal | null;
  readonly artifacts: ArtifactsReport | null;
  readonly receipt: Sealed<Receipt>;
}

/** @throws {MtrackError} with the code of what is wrong with the backup */
export async function checkBackup(opened: OpenedBackup, database: Database, options: CheckOptions): Promise<Checked> {
  try {
    return await checked(opened, database, options);
  } catch (error) {
    throw named(error, database);
  }
}

async function checked(opened: OpenedBackup, database: Database, options: CheckOptions): Promise<Checked> {
  const evidence = await gather(opened, options);
  const session = await database.reader(options.patience);
  const live = await readLive(database, session, evidence.content).finally(() => session.close());
  const verdict = judge(evidence, live, database, { ...options, now: Date.now() });
  const { restored, rehearsal, artifacts } = options.restore
    ? await prove(opened, database, { ...options, differing: differing(evidence, live) })
    : { restored: null, rehearsal: null, artifacts: null };
  const receipt = makeReceipt({
    madeBy: options.madeBy,
    madeAt: Date.now(),
    source: {
      dialect: database.dialect.name,
      uri: database.shown,
      identity: live.identity,
      revision: live.versions?.[0] ?? null,
    },
    backup: {
      path: relative(dirname(resolve(options.receiptPath)), resolve(opened.file.path)),
      format: opened.format,
      sum: { sha256: evidence.sum.sha256, bytes: evidence.sum.bytes },
      taken: verdict.taken,
      content: evidence.content,
    },
    lacks: verdict.lacks,
    restored,
    rehearsal,
  });
  return { evidence, live, verdict, restored, rehearsal, artifacts, receipt };
}

/** Whoever reads a backup knows no database: the command that takes another is completed here. */
export function named(error: unknown, database: Database): unknown {
  if (!(error instanceof MtrackError)) return error;
  const fix = error.failure.fix?.map((line) => line.replace(/mtrack db backup$/, commandOf('db backup', database)));
  return new MtrackError(error.code, { ...error.failure, ...(fix && { fix }) });
}

/** Tables with another number of rows now: what came since, mostly. */
function differing({ content }: Evidence, live: Live): ReadonlyMap<string, number> {
  const tables = Object.entries(lacking(content, live));
  return new Map(tables.map(([table]) => [table, Math.max(content.tables[table] ?? 0, live.tables[table] ?? 0)]));
}

function prove(
  opened: OpenedBackup,
  database: Database,
  options: CheckOptions & Pick<RestoreOptions, 'differing'>,
): Promise<Pick<Checked, 'rehearsal' | 'artifacts'> & { restored: Restored }> {
  return withScratch(opened, options.scratchHost ?? database, options, async (scratch, seconds) => {
    const compared = await compareRestored(opened.file.path, scratch, database, options);
    const list = options.listArtifacts;
    const artifacts = list && (await lookAtArtifacts(opened.file.path, scratch, { ...options, list }));
    const rehearsal =
      options.rehearseTo === null
        ? null
        : await rehearse(scratch, database, { ...options, target: options.rehearseTo });
    return { restored: { seconds, ...compared }, rehearsal, artifacts };
  });
}
