/** Whether a backup is of a database, at its revision, whole and recent: what it lacks is told, what it must not lack is refused. */
import { NEW_BACKUP } from '../dialect/backup-file.js';
import type { Database } from '../dialect/dialect.js';
import { MtrackError } from '../errors.js';
import { releasesOf, schemaAt } from '../schema/lineage.js';
import type { Content } from './content.js';
import type { Evidence, Taken } from './evidence.js';
import type { Live } from './live.js';
import type { SourceFacts } from './manifest.js';

export interface JudgeOptions {
  /** Milliseconds; null where any age will do. */
  readonly maxAge: number | null;
  /** Whether the database was moved since: then it need not be the one that the manifest names. */
  readonly moved: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface Verdict {
  readonly taken: Taken;
  /** Rows that the database has more than the backup, by table; less than none where it has fewer. */
  readonly lacks: Readonly<Record<string, number>>;
  /** What an operator should know, in sentences. */
  readonly notes: readonly string[];
}

/** @throws {MtrackError} BACKUP_OF_ANOTHER, BACKUP_REVISION, BACKUP_INCOMPLETE, BACKUP_EMPTY, BACKUP_STALE */
export function judge(evidence: Evidence, live: Live, database: Database, options: JudgeOptions): Verdict {
  const { content, manifest, opened } = evidence;
  const { path } = opened.file;
  if (opened.dialect !== database.dialect.name)
    throw ofAnother(`${path} is of another kind of database`, `${database.shown}`);
  if (manifest && !options.moved) refuseOther(manifest.source, live);
  const notes = compareOwners(path, content, live);
  refuseNoRows(path, content, live);
  refuseRevision(path, content, live);
  refuseMissing(path, content, live, database);
  const taken = takenAt(evidence, live, options);
  refuseStale(path, taken, options);
  return { taken, lacks: lacking(content, live), notes };
}

/** Rows that the database has more than what is kept of it. */
export function lacking(content: Content, live: Live): Record<string, number> {
  return Object.fromEntries(
    Object.entries(live.tables)
      .map(([table, n]) => [table, n - (content.tables[table] ?? 0)] as const)
      .filter(([, n]) => n !== 0),
  );
}

// ---------------------------------------------------------------- whose it is

/** @throws {MtrackError} */
export function refuseOther({ identity, uri }: SourceFacts, live: Live): void {
  if (!identity.firm || !live.identity.firm) return;
  const differs = Object.entries(identity.facts).find(([fact, value]) => {
    const now = live.identity.facts[fact];
    return now !== undefined && now !== value;
  });
  if (!differs) return;
  const [fact, value] = differs;
  throw ofAnother(
    `the backup is of ${uri}, whose ${fact} was ${value}`,
    `the same ${fact}, and this one's is ${live.identity.facts[fact]}`,
    ['if the database itself was moved here since then: --moved has it judged by its content alone'],
  );
}

/**
 * By what is in it: a run's id is made up once and for ever, and two databases count their experiments by themselves.
 * @throws {MtrackError}
 */
export function compareOwners(path: string, content: Content, { known }: Pick<Live, 'known'>): string[] {
  const created = new Map(known.experiments.map(({ id, created }) => [id, created]));
  for (const { id, created: then } of content.experiments) {
    const now = created.get(id);
    if (then === null || now === undefined || now === null || now === then) continue;
    throw ofAnother(
      `experiment ${id} of ${path} was made at ${timeText(then)}, and that of the database at ${timeText(now)}`,
      'the same experiments',
    );
  }
  const { runs, newestRuns } = content;
  const here = runs.filter((id) => known.runs.has(id)).length;
  const newestHere = newestRuns.filter((id) => known.runs.has(id)).length;
  if (runs.length > 0 && here === 0)
    throw ofAnother(`none of the runs of ${path} is in the database (${runs.length} were looked for)`, 'the same runs');
  if (newestRuns.length > 0 && newestHere === 0) {
    throw ofAnother(
      `the runs of ${path} that began last are not in the database, although older ones are: it may be of a copy of it that went on by itself`,
      'the same runs',
    );
  }
  const notes: string[] = [];
  if (here < runs.length)
    notes.push(
      `of ${runs.length} runs of the backup that were looked for, ${runs.length - here} are gone from the database`,
    );
  if (runs.length === 0 && known.experiments.length === 0)
    notes.push('there is nothing in the backup by which it could be told of which database it is');
  return notes;
}

function ofAnother(found: string, expected: string, fix: readonly string[] = []): MtrackError {
  return new MtrackError('BACKUP_OF_ANOTHER', {
    found,
    expected,
    fix: ['check the path of the backup and the store URI', ...fix, ...NEW_BACKUP.slice(1)],
  });
}

// ---------------------------------------------------------------- what is in it

function refuseRevision(path: string, { versions }: Content, live: Live): void {
  const [then = null] = versions ?? [];
  const [now = null] = live.versions ?? [];
  if (then === now) return;
  throw new MtrackError('BACKUP_REVISION', {
    found: `${path} is at ${revisionText(then)}, and the database at ${revisionText(now)}`,
    expected: 'a backup from after the last upgrade',
    fix: ['take a new backup: mtrack db backup'],
    details: { backup: then, database: now },
  });
}

function revisionText(revision: string | null): string {
  if (revision === null) return 'no revision';
  const releases = releasesOf(revision);
  return `revision ${revision}${releases === null ? '' : ` (MLflow ${releases})`}`;
}

function refuseNoRows(path: string, content: Content, live: Live): void {
  const rows = (tables: Readonly<Record<string, number>>) =>
    Object.entries(tables).reduce((sum, [table, n]) => sum + (table === 'alembic_version' ? 0 : n), 0);
  if (rows(content.tables) > 0 || rows(live.tables) === 0) return;
  throw new MtrackError('BACKUP_EMPTY', {
    found: `${path} has the tables of MLflow without their rows, and the database has ${rows(live.tables)}`,
    expected: 'a backup with its data',
    fix: ['take a new backup, without --schema-only or --no-data', 'mtrack db backup'],
  });
}

/** Tables without which the revision is not whole, and tables whose rows were left out. */
function refuseMissing(path: string, content: Content, live: Live, { dialect }: Database): void {
  const { location } = live;
  const expected = location.state === 'at' ? [...schemaAt(location.revision, dialect.traits).tables.keys()] : [];
  const missing = expected.filter((table) => table in live.tables && !(table in content.tables));
  if (missing.length > 0) throw incomplete(`${path} has no table ${missing.join(', ')}`, 'every table of its revision');
  const newest = Math.max(...Object.values(content.newest).filter((at) => at <= Date.now()), Number.NEGATIVE_INFINITY);
  const left = Object.entries(live.oldest).filter(([table, at]) => content.tables[table] === 0 && at < newest);
  if (left.length > 0) {
    throw incomplete(
      `${path} has no rows of ${left.map(([table]) => table).join(', ')}, and the database has some from before ${timeText(newest)}, which is in the backup`,
      'the rows of every table',
    );
  }
}

function incomplete(found: string, expected: string): MtrackError {
  return new MtrackError('BACKUP_INCOMPLETE', { found, expected, fix: ['take a new backup: mtrack db backup'] });
}

// ---------------------------------------------------------------- from when it is

/** The time of a file is that of its last copy: a run that is not in it, although it began before, shows that it is older. */
function takenAt({ taken }: Evidence, { known }: Live, { now }: JudgeOptions): Taken {
  const { firstMissing } = known;
  if (taken.by !== 'file' || firstMissing === null || firstMissing > now || firstMissing >= taken.at) return taken;
  return { at: firstMissing, by: 'content' };
}

/** @throws {MtrackError} */
export function refuseStale(path: string, taken: Taken, { maxAge, now }: Pick<JudgeOptions, 'maxAge' | 'now'>): void {
  if (maxAge === null || now - taken.at <= maxAge) return;
  throw new MtrackError('BACKUP_STALE', {
    found: `${path} was taken at ${timeText(taken.at)} (${SAID[taken.by]}), ${hours(now - taken.at)} ago`,
    expected: `at most ${hours(maxAge)} ago`,
    fix: ['take a new backup: mtrack db backup'],
    details: { takenAt: taken.at, by: taken.by },
  });
}

export const SAID: Readonly<Record<Taken['by'], string>> = {
  manifest: 'by its manifest',
  tool: 'as the tool that made it says',
  file: 'by the time of its file',
  content: 'by a run that began then and is not in it',
};

export const timeText = (at: number): string => {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString();
};

function hours(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 120) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`;
}
