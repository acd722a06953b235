/** `db plan`: what an upgrade of this database would do to it and to those who use it. Reads only. */
import type { Database } from '../dialect/dialect.js';
import { resolveTarget } from '../schema/lineage.js';
import { type Assessment, assess } from '../upgrade/assess.js';
import { type Blocked, blockedTables, refuseBlocked } from '../upgrade/blocked.js';
import { assessedFindings } from '../upgrade/check.js';
import { secretsOf, wordsOf } from '../uri.js';
import { waitingNotes } from './progress.js';
import { blockedText, findingsList } from './render/hazards.js';
import { planJson } from './render/json.js';
import { atText, planText } from './render/plan.js';
import { namedDatabase, withDatabase } from './store.js';
import type { Terminal } from './terminal.js';

export interface PlanFlags {
  readonly 'backend-store-uri'?: string | undefined;
  readonly 'backend-store-uri-file'?: string | undefined;
  readonly to: string;
  /** Milliseconds. */
  readonly 'max-blocked'?: number | undefined;
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
    const assessment = await assessed(database, target, terminal);
    if (!assessment) {
      terminal.say(`at revision ${atText(target)}: nothing to do`);
      return { from: target, to: target, revisions: [], hazards: [], blocked: [] };
    }
    const blocked = blockedTables(assessment.plan, assessment.stats, database.dialect);
    show(assessment, blocked, database, terminal);
    const most = input.flags['max-blocked'];
    if (most !== undefined) refuseBlocked(blocked, most / 1000);
    return {
      ...planJson(assessment),
      hazards: assessedFindings(assessment, database.dialect),
      blocked,
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

function show(assessment: Assessment, blocked: readonly Blocked[], database: Database, { say }: Terminal): void {
  const findings = assessedFindings(assessment, database.dialect);
  say(
    [
      planText({ ...assessment, consents: [], findings: [] }, database.dialect),
      '',
      ...blockedText(blocked),
      '',
      ...findingsList(findings),
    ].join('\n'),
  );
}
