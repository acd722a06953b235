/**
 * Folders for what is unpacked or restored for a while. They are removed by whoever made them, or, where that process was
 * killed, by the next one.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SCRATCH_PREFIX } from './backups.js';

export interface ScratchFolder {
  readonly path: string;
  remove(): Promise<void>;
}

const OWNER = '.owner';
/** A folder of which nobody says whose it is was made just now, or by a process that died at once. */
const YOUNG_MS = 3_600_000;

/** @throws the system's error where none can be made */
export function makeScratchFolder(): ScratchFolder {
  const path = join(tmpdir(), `${SCRATCH_PREFIX}${randomBytes(6).toString('hex')}`);
  mkdirSync(path, { mode: 0o700 });
  writeFileSync(join(path, OWNER), ownMark());
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Removes the folders of processes that are no more; their paths. */
export async function dropOldFolders(): Promise<string[]> {
  const dropped: string[] = [];
  for (const name of readdirSync(tmpdir()).filter((each) => each.startsWith(SCRATCH_PREFIX))) {
    const path = join(tmpdir(), name);
    if (isInUse(path)) continue;
    await rm(path, { recursive: true, force: true });
    dropped.push(path);
  }
  return dropped;
}

function isInUse(path: string): boolean {
  try {
    const mark = readFileSync(join(path, OWNER), 'utf8');
    if (mark !== '') return isAlive(mark);
  } catch {
    // No owner, or one that we may not read.
  }
  const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
  return Date.now() - made < YOUNG_MS;
}

/** This process, so that it can be told from all others: numbers come again, and then were started at another time. */
export const ownMark = (): string => `${process.pid}-${startOf(process.pid)}`;

export function isAlive(mark: string): boolean {
  const [, pid, start = ''] = /^(\d+)-(\d*)$/.exec(mark) ?? [];
  if (pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    // Of another user, which may not be asked, is alive as well.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
  return startOf(Number(pid)) === start;
}

/** The 22nd field (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html); empty on a system that has no such file. */
function startOf(pid: number): string {
  try {
    const behindName = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /s, '');
    return behindName.split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
