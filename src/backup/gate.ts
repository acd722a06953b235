/** Whether a receipt proves what an upgrade is to be made sure by: each link is looked at again. Reads only. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { BackupContext } from '../dialect/backups.js';
import type { Database } from '../dialect/dialect.js';
import { MtrackError } from '../errors.js';
import type { Sealed } from './canonical.js';
import { named } from './check.js';
import { sumOf } from './checksum.js';
import { compareOwners, lacking, refuseStale, timeText } from './judge.js';
import { readLive } from './live.js';
import { receiptPath } from './manifest.js';
import { type Receipt, readReceipt } from './receipt.js';

export interface GateOptions extends BackupContext {
  /** A receipt, or a folder with receipts, of which the newest that there is counts; a backup stands for its receipt. */
  readonly path: string;
  /** Milliseconds since the backup was taken; null where any age will do. */
  readonly maxAge: number | null;
  /** Whether the upgrade is to have been rehearsed. */
  readonly rehearsed: boolean;
  /** Of the plan that is to be executed. */
  readonly planHash: string;
  readonly patience: number;
  readonly now: number;
}

export interface Passed {
  readonly receipt: Sealed<Receipt>;
  readonly path: string;
  /** Rows that the database has more than the backup, by table. */
  readonly lacks: Readonly<Record<string, number>>;
}

/** @throws {MtrackError} GATE_REFUSED, with the link that does not hold; BACKUP_STALE */
export async function passGate(database: Database, options: GateOptions): Promise<Passed> {
  try {
    return await passed(database, options);
  } catch (error) {
    throw named(error, database);
  }
}

async function passed(database: Database, options: GateOptions): Promise<Passed> {
  const path = receiptAt(options.path);
  const receipt = readReceipt(path);
  if (receipt.restored === null)
    throw refused(`${path} is of a backup that was read, and not restored`, 'a receipt of --restore');
  refuseOtherPlan(path, receipt, options);
  const backup = resolve(dirname(path), receipt.backup.path);
  const lacks = await refuseOtherDatabase(path, receipt, database, options.patience);
  refuseStale(backup, receipt.backup.taken, options);
  await refuseOtherBackup(path, receipt, backup, options);
  return { receipt, path, lacks };
}

/** @throws {MtrackError} */
function receiptAt(path: string): string {
  const beside = receiptPath(path);
  if (existsSync(beside)) return beside;
  if (!existsSync(path))
    throw refused(`${path} is not there`, 'a receipt, a folder with receipts, or a backup beside its own');
  if (!statSync(path).isDirectory()) return path;
  const receipts = readdirSync(path)
    .filter((name) => name.endsWith('.receipt.json'))
    .map((name) => join(path, name))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  const [newest] = receipts;
  if (newest === undefined) throw refused(`there is no receipt in ${path}`, 'a file ….receipt.json');
  return newest;
}

function refuseOtherPlan(path: string, { rehearsal, madeAt }: Receipt, { rehearsed, planHash }: GateOptions): void {
  if (!rehearsed) return;
  if (rehearsal === null)
    throw refused(`${path} is of a backup on which no upgrade was rehearsed`, 'a receipt of --rehearse');
  if (rehearsal.planHash === planHash) return;
  throw refused(
    `the upgrade to ${rehearsal.to} that was rehearsed at ${timeText(madeAt)} is another one: plan ${rehearsal.planHash}`,
    `plan ${planHash}, with the same --to`,
  );
}

/** @throws {MtrackError} */
async function refuseOtherDatabase(
  path: string,
  { source, backup }: Receipt,
  database: Database,
  patience: number,
): Promise<Readonly<Record<string, number>>> {
  const session = await database.reader(patience);
  const live = await readLive(database, session, backup.content).finally(() => session.close());
  if (source.dialect !== database.dialect.name)
    throw refused(`${path} is of ${source.uri}, another kind of database`, `a receipt of ${database.shown}`);
  for (const [fact, value] of Object.entries(source.identity.facts)) {
    const now = live.identity.facts[fact];
    if (now !== value)
      throw refused(
        `${path} is of ${source.uri}, whose ${fact} was ${value}`,
        `the same ${fact}, and it is ${now ?? 'not known'}`,
      );
  }
  const revision = live.versions?.[0] ?? null;
  if (source.revision !== revision) {
    throw refused(
      `${path} is of a database at revision ${source.revision ?? 'none'}`,
      `the revision of the database, ${revision ?? 'none'}`,
    );
  }
  try {
    compareOwners(backup.path, backup.content, live);
  } catch (error) {
    if (!(error instanceof MtrackError)) throw error;
    throw refused(error.failure.found, error.failure.expected ?? '', error);
  }
  return lacking(backup.content, live);
}

/** @throws {MtrackError} */
async function refuseOtherBackup(
  path: string,
  receipt: Receipt,
  backup: string,
  context: BackupContext,
): Promise<void> {
  if (!existsSync(backup))
    throw refused(`${backup}, the backup that ${path} is of, is not there`, 'the backup beside it');
  const { sha256 } = await sumOf(backup, context);
  if (sha256 === receipt.backup.sum.sha256) return;
  throw refused(
    `${backup} was changed since it was checked: its SHA-256 is ${sha256}`,
    `the one in ${path}, ${receipt.backup.sum.sha256}`,
  );
}

function refused(found: string, expected: string, cause?: unknown): MtrackError {
  return new MtrackError('GATE_REFUSED', {
    found,
    expected,
    fix: ['check the backup, or a new one, again: mtrack db backup-check BACKUP --restore --rehearse'],
    cause,
  });
}
