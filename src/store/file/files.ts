/** Reading from the disk: whole small files, taken apart, and the folders that they are in. */
import { isUtf8 } from 'node:buffer';
import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { Damage, Unreadable } from './damage.js';

/** Takes a text apart. @throws {Unreadable} */
export type Decode<Value> = (text: string) => Value;

/** A tree is read with what is wrong in its place: a reader decides what that means for the whole. */
export type Tree<Value> = ReadonlyMap<string, Value | Damage>;

/**
 * Where readers take contents from: the disk, or a store's memory of it. They do not wait: files of a store are small and
 * near, and a call that goes through a pool of threads costs several times what it does.
 */
export interface Files {
  /** What a file holds; undefined where there is none. @throws {Damage} */
  read<Value>(path: string, decode: Decode<Value>): Value | undefined;
  /** Every file below a folder, by its path from there with slashes, sorted; empty where there is no folder. */
  tree<Value>(folder: string, decode: Decode<Value>): Tree<Value>;
  /** The folders in a folder, by name, sorted; undefined where there is none. @throws {Damage} */
  folders(folder: string): readonly string[] | undefined;
}

/** Straight from the disk. */
export const disk: Files = {
  read: (path, decode) => {
    const text = readText(path);
    return text === undefined ? undefined : decoded(path, text, decode);
  },
  tree: (folder, decode) => {
    const found = new Map<string, ReturnType<typeof decode> | Damage>();
    for (const name of filesBelow(folder)) {
      try {
        const value = disk.read(join(folder, name), decode);
        if (value !== undefined) found.set(name, value);
      } catch (error) {
        if (!(error instanceof Damage)) throw error;
        found.set(name, error);
      }
    }
    return found;
  },
  folders: (folder) =>
    entriesOf(folder)
      ?.filter((entry) => isFolder(entry))
      .map(({ name }) => name)
      .sort(),
};

/** Milliseconds after which a file that is not whole is taken for damaged, not for one that is being written. */
const IS_WRITTEN_MS = 2000;

/** Whether a file was written to in the last milliseconds, so that somebody may still be at it. */
export function isFresh(path: string, withinMs: number = IS_WRITTEN_MS): boolean {
  const found = statOf(path);
  return found !== undefined && Math.abs(Date.now() - found.mtimeMs) < withinMs;
}

/** Undefined where there is nothing. @throws {Damage} */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, OR_UNDEFINED);
  } catch (error) {
    return absent(path, error);
  }
}

const OR_UNDEFINED = { throwIfNoEntry: false } as const;

/** @throws {Damage} where the text is not what `decode` takes apart */
export function decoded<Value>(path: string, text: string, decode: Decode<Value>): Value {
  try {
    return decode(text);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    throw new Damage({ path, line: error.line, reason: error.message }, { passing: isFresh(path) });
  }
}

/** The text of a file as it stands; undefined where there is none. @throws {Damage} where it is not UTF-8, or cannot be read */
export const readText = (path: string): string | undefined => readEntry(path)?.text;

/** What stands under a path, before its text was read; only a file has a text. */
export interface Entry {
  readonly stats: Stats;
  readonly text: string | undefined;
}

/** A pipe must not keep us waiting for who writes to it. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;

/** Undefined where there is nothing. @throws {Damage} as readText */
export function readEntry(path: string): Entry | undefined {
  try {
    const file = openSync(path, READ);
    try {
      const stats = fstatSync(file);
      return { stats, text: stats.isFile() ? textOf(path, file, stats.size) : undefined };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    return absent(path, error);
  }
}

/** Nearly all files are smaller. Whoever reads into it takes out at once what was read. */
const SMALL = Buffer.allocUnsafe(32 * 1024);

function textOf(path: string, file: number, size: number): string {
  // It may have grown since.
  const length = size < SMALL.length ? readSync(file, SMALL, 0, SMALL.length, 0) : SMALL.length;
  const isSmall = length < SMALL.length;
  const text = isSmall ? SMALL.toString('utf8', 0, length) : readFileSync(path, 'utf8');
  // What is not UTF-8 comes as this character, which may stand in a text as well.
  if (text.includes('\ufffd') && !isUtf8(isSmall ? SMALL.subarray(0, length) : readFileSync(path))) {
    throw new Damage({ path, reason: 'is not UTF-8' });
  }
  return text;
}

/** Undefined where there is no folder. @throws {Damage} */
export function entriesOf(folder: string): Dirent[] | undefined {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    return absent(folder, error);
  }
}

/** Names of what is in a folder; undefined where there is none. @throws {Damage} */
export function namesIn(folder: string): string[] | undefined {
  try {
    return readdirSync(folder);
  } catch (error) {
    return absent(folder, error);
  }
}

/** Names of the files below a folder with slashes, sorted. Links to folders are not followed, as MLflow does not. */
export function filesBelow(folder: string): string[] {
  const found: string[] = [];
  const walk = (path: string, before: string) => {
    for (const entry of entriesOf(path) ?? []) {
      if (entry.isDirectory()) walk(join(path, entry.name), `${before}${entry.name}/`);
      else if (entry.isFile() || !isFolder(entry)) found.push(before + entry.name);
    }
  };
  walk(folder, '');
  return found.sort();
}

/** Whether it is a folder, or leads to one. */
export const isFolder = (entry: Dirent): boolean =>
  entry.isDirectory() || (!entry.isFile() && (statOf(join(entry.parentPath, entry.name))?.isDirectory() ?? false));

/** A folder is no file, and a file no folder. */
const ABSENT = ['ENOENT', 'ENOTDIR', 'EISDIR'];

/** Undefined for what is not there. @throws {Damage} for what the system does not let be read, and what is no fault of a file */
function absent(path: string, error: unknown): undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') throw error;
  if (ABSENT.includes(error.code)) return undefined;
  throw new Damage({ path, reason: `cannot be read (${error.code})` });
}
