/** Takes a backup: written beside its name, read back whole, and only then given its name. */
import { existsSync, readdirSync, renameSync } from 'node:fs';
import { open, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { openBackupFile } from '../dialect/backup-file.js';
import type { BackupContext, BackupFormat, Backups, Origin } from '../dialect/backups.js';
import type { Database } from '../dialect/dialect.js';
import { isAlive, ownMark } from '../dialect/scratch-folder.js';
import type { ToolEnvironment } from '../dialect/tools.js';
import { MtrackError } from '../errors.js';
import { foreignWords } from '../upgrade/foreign.js';
import type { Location } from '../upgrade/locate.js';
import { canonical, type Sealed, sealed } from './canonical.js';
import { sumOf } from './checksum.js';
import { type Content, ContentCollector } from './content.js';
import { type Live, readLive } from './live.js';
import { type Manifest, manifestPath } from './manifest.js';

export interface TakeBackupOptions extends BackupContext {
  /** Where the backup is to be: what it is called, or a folder that is there, to put it into. */
  readonly output: string;
  /** One of the dialect's; null for its own choice. */
  readonly format: string | null;
  readonly jobs: number;
  /** mtrack and its version. */
  readonly madeBy: string;
  /** Milliseconds to wait for a writer that keeps readers out. */
  readonly patience: number;
  readonly environment: ToolEnvironment;
}

export interface TakenBackup {
  readonly path: string;
  readonly manifest: Sealed<Manifest>;
}

/** @throws {MtrackError} USAGE, DATABASE_EMPTY, DATABASE_FOREIGN, BACKUP_FAILED, INTERRUPTED, and those of reading it back */
export async function takeBackup(database: Database, options: TakeBackupOptions): Promise<TakenBackup> {
  const backups = await database.backups();
  const format = chosenFormat(backups, options);
  const session = await database.reader(options.patience);
  const live = await readLive(database, session, null).finally(() => session.close());
  refuseOthers(live.location, database);
  const path = pathOf(database, live, format, options);
  return backups.writesHere
    ? takeHere(database, { backups, format, live, path }, options)
    : takeThere(database, { backups, format, live, path }, options);
}

interface Job {
  readonly backups: Backups;
  readonly format: BackupFormat;
  readonly live: Live;
  readonly path: string;
}

function chosenFormat({ formats }: Backups, { format, jobs }: TakeBackupOptions): BackupFormat {
  const parallel = formats.find((each) => each.parallel);
  const found = format === null ? (jobs > 1 && parallel) || formats[0] : formats.find(({ name }) => name === format);
  if (!found) {
    throw new MtrackError('USAGE', {
      found: `--format ${format}`,
      expected: `for this database: ${formats.map(({ name }) => name).join(', ')}`,
    });
  }
  if (jobs > 1 && !found.parallel) {
    throw new MtrackError('USAGE', {
      found: `--jobs ${jobs} with the format ${found.name}`,
      expected: parallel
        ? `--format ${parallel.name}, which is written by several jobs`
        : 'no --jobs for this database',
    });
  }
  return found;
}

/** @throws {MtrackError} */
function refuseOthers(location: Location, database: Database): void {
  if (location.state === 'empty') {
    throw new MtrackError('DATABASE_EMPTY', {
      found: database.absent ? `there is no ${database.target.database}` : 'the database has no tables of MLflow',
      fix: ['check the store URI'],
    });
  }
  if (location.state === 'foreign') {
    throw new MtrackError('DATABASE_FOREIGN', {
      found: foreignWords(location).found,
      fix: [foreignWords(location).fix],
    });
  }
}

function pathOf(database: Database, live: Live, { extension }: BackupFormat, { output }: TakeBackupOptions): string {
  const isFolder = output.endsWith('/') || (existsSync(output) && isDirectory(output));
  const name = [
    basename(database.target.database).replace(/\.\w+$/, '') || 'mlflow',
    live.versions?.[0] ?? 'base',
    new Date().toISOString().replace(/[-:]|\.\d+/g, ''),
  ].join('-');
  const path = isFolder ? join(output, name + extension) : output;
  if (!existsSync(path)) return path;
  throw new MtrackError('USAGE', {
    found: `${path} is there already`,
    expected: 'a name of its own for each backup',
    fix: ['leave out --output, or name a folder: the backup is then called by database, revision and time'],
  });
}

function isDirectory(path: string): boolean {
  try {
    readdirSync(path);
    return true;
  } catch {
    return false;
  }
}

// ---------------------------------------------------------------- files

const PARTIAL = '.mtrack-partial-';

async function takeHere(database: Database, job: Job, options: TakeBackupOptions): Promise<TakenBackup> {
  const { backups, format, path } = job;
  const partial = `${path}${PARTIAL}${ownMark()}`;
  await removePartials(path);
  try {
    const origin = await backups.take({ ...options, path: partial, format: format.name });
    const content = await readBack(partial, job, options);
    const sum = await sumOf(partial, options);
    await flushed(
      partial,
      sum.files.map(({ name }) => name),
    );
    const manifest = manifestOf(database, job, { origin, content, sum }, options);
    renameSync(partial, path);
    await writeWhole(manifestPath(path), manifest);
    return { path, manifest };
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

/** What a run left that was killed. A name with the number of a living process is of a run that goes on. */
async function removePartials(path: string): Promise<void> {
  const folder = dirname(path);
  const beginning = `${basename(path)}${PARTIAL}`;
  for (const name of await readdir(folder).catch(() => [])) {
    if (name.startsWith(beginning) && !isAlive(name.slice(beginning.length)))
      await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** What cannot be read back whole was not written whole. */
async function readBack(partial: string, { backups, format, live }: Job, options: TakeBackupOptions): Promise<Content> {
  const file = await openBackupFile(partial);
  try {
    const collector = new ContentCollector();
    await backups.reader.read(file, format.name, collector, options);
    const { content } = collector;
    const missing = Object.keys(live.tables).filter((table) => !(table in content.tables));
    if (missing.length > 0 || (content.versions?.[0] ?? null) !== (live.versions?.[0] ?? null)) {
      throw new MtrackError('BACKUP_FAILED', {
        found:
          missing.length > 0
            ? `the backup has no table ${missing.join(', ')}`
            : `the backup is at revision ${content.versions?.[0]}, and the database was at ${live.versions?.[0]}`,
        expected: 'the tables and the revision that the database had a moment ago',
        fix: ['end the upgrade that is under way, and run the command again'],
      });
    }
    return content;
  } finally {
    await file.close();
  }
}

/** On disk, before it gets its name. @param names of the files, if it is a folder */
async function flushed(path: string, names: readonly string[]): Promise<void> {
  for (const each of [...names.map((name) => join(path, name)), dirname(resolve(path))]) {
    const file = await open(each, 'r');
    await file.sync().finally(() => file.close());
  }
}

/** A document is there whole, or not at all. */
export async function writeWhole(path: string, document: object): Promise<void> {
  const partial = `${path}${PARTIAL}${ownMark()}`;
  await writeFile(partial, `${JSON.stringify(JSON.parse(canonical(document)), null, 2)}\n`);
  renameSync(partial, path);
}

// ---------------------------------------------------------------- a server that writes by itself

async function takeThere(database: Database, job: Job, options: TakeBackupOptions): Promise<TakenBackup> {
  const { backups, format, live, path } = job;
  const origin = await backups.take({ ...options, path, format: format.name });
  const { versions, tables, newest } = live;
  const content: Content = { versions, tables, newest, experiments: [], runs: [], newestRuns: [] };
  const manifest = manifestOf(database, job, { origin, content, sum: null }, options);
  await writeWhole(manifestPath(basename(path.replaceAll('\\', '/'))), manifest);
  return { path, manifest };
}

function manifestOf(
  database: Database,
  { live, path, format }: Job,
  { origin, content, sum }: { origin: Origin; content: Content; sum: Manifest['backup']['sum'] },
  { madeBy }: TakeBackupOptions,
): Sealed<Manifest> {
  return sealed({
    kind: 'mtrack backup manifest',
    version: 1,
    madeBy,
    takenAt: origin.takenAt ?? Date.now(),
    finishedAt: Date.now(),
    tool: origin.tool,
    server: origin.server,
    source: {
      dialect: database.dialect.name,
      uri: database.shown,
      identity: live.identity,
      revision: live.versions?.[0] ?? null,
    },
    backup: { name: basename(path), format: format.name, sum },
    content,
  });
}
