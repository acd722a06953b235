/** All that a backup says by itself: read to its last byte, with its files, its manifest and its content. */
import { existsSync, readFileSync } from 'node:fs';
import type { BackupFile } from '../dialect/backup-file.js';
import { NEW_BACKUP } from '../dialect/backup-file.js';
import type { BackupReader, Origin, ReadContext } from '../dialect/backups.js';
import { MtrackError } from '../errors.js';
import type { Sealed } from './canonical.js';
import { type Sum, sumOf } from './checksum.js';
import { type Content, ContentCollector } from './content.js';
import { type Manifest, readManifest } from './manifest.js';

/** A backup that was recognised; see `openBackup`. */
export interface OpenedBackup {
  readonly file: BackupFile;
  readonly dialect: string;
  readonly format: string;
  readonly reader: BackupReader;
}

export interface Evidence {
  readonly opened: OpenedBackup;
  readonly sum: Sum;
  readonly manifest: Sealed<Manifest> | null;
  readonly origin: Origin;
  readonly content: Content;
  readonly taken: Taken;
}

/** When the backup was taken, in milliseconds since the epoch, and who says so. */
export interface Taken {
  readonly at: number;
  readonly by: 'manifest' | 'tool' | 'file' | 'content';
}

/** @throws {MtrackError} BACKUP_TRUNCATED, BACKUP_DAMAGED, BACKUP_EMPTY, BACKUP_UNKNOWN, INTERRUPTED */
export async function gather(opened: OpenedBackup, context: ReadContext): Promise<Evidence> {
  const { file, format, reader } = opened;
  const manifest = readManifest(file.path);
  const sum = await sumOf(file.path, context);
  if (manifest) compareFiles(file.path, sum, manifest);
  else compareWithSums(file.path, sum);
  const collector = new ContentCollector();
  const origin = await reader.read(file, format, collector, context);
  const { content } = collector;
  if (manifest) compareContent(file.path, content, manifest);
  refuseEmpty(file.path, content);
  return { opened, sum, manifest, origin, content, taken: takenOf(manifest, origin, file) };
}

function takenOf(manifest: Manifest | null, origin: Origin, { modified }: BackupFile): Taken {
  if (manifest) return { at: manifest.takenAt, by: 'manifest' };
  if (origin.takenAt !== null) return { at: origin.takenAt, by: 'tool' };
  return { at: Math.round(modified), by: 'file' };
}

/** @throws {MtrackError} */
function compareFiles(path: string, sum: Sum, { backup }: Manifest): void {
  if (backup.sum === null || backup.sum.sha256 === sum.sha256) return;
  const found = new Map(sum.files.map((each) => [each.name, each]));
  const named = (name: string) => (name === '' ? path : `${path}/${name}`);
  for (const { name, bytes, sha256 } of backup.sum.files) {
    const file = found.get(name);
    if (!file) throw shorter(`${named(name)} is not there`);
    if (file.bytes < bytes) throw shorter(`${named(name)} has ${file.bytes} bytes, and had ${bytes} when it was taken`);
    if (file.sha256 !== sha256) throw changed(`${named(name)} is not what was written: its SHA-256 is another one`);
  }
  throw changed(`${path} has files that were not written with it`);
}

/** As `sha256sum` writes them beside a file, where somebody had it do so. */
function compareWithSums(path: string, { sha256 }: Sum): void {
  const beside = `${path}.sha256`;
  if (!existsSync(beside)) return;
  const [said] = /\b[0-9a-f]{64}\b/i.exec(readFileSync(beside, 'utf8')) ?? [];
  if (said === undefined || said.toLowerCase() === sha256) return;
  throw changed(`${path} is not what ${beside} says: its SHA-256 is ${sha256}`);
}

function compareContent(path: string, content: Content, manifest: Manifest): void {
  const differs = Object.entries(manifest.content.tables).find(([table, n]) => content.tables[table] !== n);
  if (differs && manifest.backup.sum !== null) {
    const [table, n] = differs;
    throw changed(`${path} has ${content.tables[table] ?? 'no'} rows of ${table}, and its manifest says ${n}`);
  }
}

function refuseEmpty(path: string, { tables, versions }: Content): void {
  const names = Object.keys(tables);
  if (names.length === 0 || (versions === null && !names.includes('runs'))) {
    throw new MtrackError('BACKUP_EMPTY', {
      found:
        names.length === 0
          ? `${path} has no tables`
          : `${path} has no table of MLflow's: ${names.slice(0, 5).join(', ')}`,
      expected: 'the tables of MLflow',
      fix: ['check that it is a backup of the right database, made with its data', ...NEW_BACKUP.slice(1)],
    });
  }
}

const shorter = (found: string) => new MtrackError('BACKUP_TRUNCATED', { found, fix: NEW_BACKUP });
const changed = (found: string) => new MtrackError('BACKUP_DAMAGED', { found, fix: NEW_BACKUP });
