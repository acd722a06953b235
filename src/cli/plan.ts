/** `db plan`: what an upgrade of this database would do to it and to those who use it. Reads only. */
import type { Backups } from '../dialect/backups.js';
import type { Database } from '../dialect/dialect.js';
import { dropOldFolders } from '../dialect/scratch-folder.js';
import { resolveTarget } from '../schema/lineage.js';
import { type Assessment, assess } from '../upgrade/assess.js';
import { type Blocked, blockedTables, refuseBlocked, type Unknown, whyUnknown } from '../upgrade/blocked.js';
import { assessedFindings } from '../upgrade/check.js';
import { otherwise, watchPlan } from '../upgrade/watch.js';
import { secretsOf, wordsOf } from '../uri.js';
import { waitingNotes } from './progress.js';
import { blockedText, findingsList, probeText } from './render/hazards.js';
import { blockedJson, planJson } from './render/json.js';
import { atText, planText } from './render/plan.js';
import { stopOnSignals } from './signals.js';
import { namedDatabase, withDatabase } from './store.js';
import type { Terminal } from './terminal.js';

export interface PlanFlags {
  readonly 'backend-store-uri'?: string | undefined;
  readonly 'backend-store-uri-file'?: string | undefined;
  readonly to: string;
  /** Milliseconds. */
  readonly 'max-blocked'?: number | undefined;
  readonly probe: boolean;
  /** Of the largest table, for `probe`. */
  readonly 'sample-rows': number;
}

/** How long to wait for a writer that keeps readers out, in milliseconds. */
const PATIENCE_MS = 10_000;

export async function runPlan(
  input: { readonly argument: string | undefined; readonly flags: PlanFlags },
  terminal: Terminal,
): Promise<unknown> {
  const target = resolveTarget(input.flags.to);
  const store = namedDatabase(input);
  terminal.keepSecret(secretsOf(store.uri), wordsOf(store.uri));
  return withDatabase(store, terminal.note, async (database) => {
    const found = await assessed(database, target, terminal);
    if (!found) {
      terminal.say(`at revision ${atText(target)}: nothing to do`);
      return { from: target, to: target, revisions: [], hazards: [], blocked: [] };
    }
    const assessment = input.flags.probe ? await probed(found, database, input.flags['sample-rows'], terminal) : found;
    const { watched, measured } = assessment;
    const differing = watched && otherwise(watched);
    const blocked = blockedTables(assessment, database.dialect);
    const unknown = whyUnknown(database, measured);
    show(assessment, blocked, unknown, database, terminal);
    if (differing) terminal.say(`\n${probeText(differing)}`);
    const most = input.flags['max-blocked'];
    if (most !== undefined) refuseBlocked(blocked, most / 1000, unknown);
    return {
      ...planJson(assessment),
      hazards: assessedFindings(assessment, database.dialect),
      ...blockedJson(blocked, unknown),
      ...(differing && { probe: { otherwise: differing } }),
      database: database.shown,
    };
  });
}

async function assessed(database: Database, target: string, terminal: Terminal): Promise<Assessment | null> {
  const session = await database.reader(PATIENCE_MS, waitingNotes(terminal.note));
  try {
    return await assess(database, target, session);
  } finally {
    await session.close();
  }
}

/** With what the server does to the same tables, in scratch databases that are made and dropped. */
async function probed(
  assessment: Assessment,
  database: Database,
  sampleRows: number,
  terminal: Terminal,
): Promise<Assessment> {
  const { dialect } = database;
  if (!dialect.samples) {
    terminal.note('nothing is probed: this kind of database is not asked');
    return assessment;
  }
  const { signal, release } = stopOnSignals((name) => terminal.note(`${name}: stopping`));
  try {
    const backups = await database.backups();
    await dropOldFolders();
    await backups.dropLeftovers();
    const watched = dialect.watch ? await watchedIn(backups, assessment, signal, terminal) : null;
    const { timeOnSample } = await import('../probe/trial.js');
    return await timeOnSample(database, watched ? { ...assessment, watched } : assessment, {
      signal,
      patience: PATIENCE_MS,
      sampleRows,
      onProgress: terminal.note,
    });
  } finally {
    release();
  }
}

async function watchedIn(backups: Backups, { plan }: Assessment, signal: AbortSignal, terminal: Terminal) {
  const scratch = await backups.createScratch();
  try {
    terminal.note('probing in a scratch database');
    return await watchPlan(scratch.database, plan, signal);
  } finally {
    await scratch.drop();
  }
}

function show(
  assessment: Assessment,
  blocked: readonly Blocked[],
  unknown: Unknown,
  database: Database,
  { say }: Terminal,
): void {
  const findings = assessedFindings(assessment, database.dialect);
  say(
    [
      planText({ ...assessment, consents: [], findings: [] }, database.dialect),
      '',
      ...blockedText(blocked, unknown),
      '',
      ...findingsList(findings),
    ].join('\n'),
  );
}
