/**
 * What was read, remembered for as long as the file is the same one (device, inode), of the same size and not touched since
 * (modification and change time, to a quarter of a microsecond). A look costs a `stat` of each file then, and no more.
 *
 * Times of a file system stand still for some milliseconds, some for two seconds: a file that was touched so shortly before
 * it was read may change again unseen. It is not trusted, and read again the next time.
 */
import { lstatSync, type Stats } from 'node:fs';
import { Damage } from './damage.js';
import {
  type Decode,
  decoded,
  entriesOf,
  type Files,
  isFolder,
  namesIn,
  readEntry,
  statOf,
  type Tree,
} from './files.js';
import { Held } from './held.js';

const SETTLES_MS = 2000;

/** Numbers that tell one state of a file from another; of one that is not to be trusted the first is NaN. */
type Stamp = readonly [touched: number, changed: number, size: number, inode: number, device: number];

/** What a file holds, or what is wrong with it. */
interface File {
  readonly stamp: Stamp;
  readonly value: unknown;
  /** The function that the value comes of. */
  readonly decode: unknown;
}

interface FolderOfValues {
  /** It, and the folders in it. */
  readonly folders: readonly (readonly [path: string, stamp: Stamp])[];
  readonly names: readonly string[];
  /** One for each name. */
  readonly files: readonly File[];
  /** The same map for as long as nothing changes: readers remember what they make of it. */
  readonly values: Tree<unknown>;
}

interface Names {
  readonly stamp: Stamp;
  readonly folders: readonly string[];
}

export class RememberedFiles implements Files {
  readonly #files: Held<File>;
  readonly #trees: Held<FolderOfValues>;
  readonly #names: Held<Names>;

  /** @param limit about so many bytes are held */
  constructor(limit: number) {
    this.#trees = new Held(limit * 0.7);
    this.#files = new Held(limit * 0.2);
    this.#names = new Held(limit * 0.1);
  }

  /** About so many bytes are held. */
  get bytes(): number {
    return this.#files.bytes + this.#trees.bytes + this.#names.bytes;
  }

  read<Value>(path: string, decode: Decode<Value>): Value | undefined {
    const held = this.#files.get(path);
    const file = held && isUnchanged(held, path, decode) ? held : readFile(path, decode);
    if (file === undefined) return undefined;
    if (file !== held) this.#files.set(path, file, sizeOf(path, file.value));
    if (file.value instanceof Damage) throw file.value;
    return file.value as Value;
  }

  folders(folder: string): readonly string[] | undefined {
    const found = statOf(folder);
    if (found === undefined) return undefined;
    const held = this.#names.get(folder);
    if (held && isOf(held.stamp, found)) return held.folders;
    const folders = entriesOf(folder)
      ?.filter(isFolder)
      .map(({ name }) => name)
      .sort();
    if (folders) this.#names.set(folder, { stamp: stampOf(found), folders }, sizeOf(folder, folders.join('')));
    return folders;
  }

  tree<Value>(folder: string, decode: Decode<Value>): Tree<Value> {
    const held = this.#trees.get(folder);
    const tree = held && isWhole(folder, held, decode) ? held : readTree(folder, decode, held);
    if (tree === undefined) return EMPTY;
    if (tree !== held) this.#trees.set(folder, tree, treeSize(folder, tree));
    return tree.values as Tree<Value>;
  }
}

const EMPTY: Tree<never> = new Map();

/** What an entry costs beside its texts, which take two bytes for each character at most. */
const ENTRY = 400;

const sizeOf = (name: string, value: unknown): number =>
  ENTRY + 2 * (name.length + (typeof value === 'string' ? value.length : ENTRY));

function treeSize(folder: string, { values }: FolderOfValues): number {
  let size = sizeOf(folder, '');
  for (const [name, value] of values) size += sizeOf(name, value);
  return size;
}

function stampOf({ mtimeMs, ctimeMs, size, ino, dev }: Stats): Stamp {
  const settled = Date.now() - Math.max(mtimeMs, ctimeMs) > SETTLES_MS;
  return [settled ? mtimeMs : Number.NaN, ctimeMs, size, ino, dev];
}

const isOf = (stamp: Stamp, found: Stats | undefined): boolean =>
  found !== undefined &&
  found.mtimeMs === stamp[0] &&
  found.ctimeMs === stamp[1] &&
  found.size === stamp[2] &&
  found.ino === stamp[3] &&
  found.dev === stamp[4];

const isUnchanged = (held: File, path: string, decode: unknown): boolean =>
  held.decode === decode && isOf(held.stamp, statOf(path));

function isWhole(folder: string, { folders, names, files }: FolderOfValues, decode: unknown): boolean {
  for (const [path, stamp] of folders) if (!isOf(stamp, statOf(path))) return false;
  for (let at = 0; at < names.length; at += 1) {
    const file = files[at];
    if (file === undefined || !isUnchanged(file, `${folder}/${names[at]}`, decode)) return false;
  }
  return true;
}

/** Undefined where there is no file. */
function readFile<Value>(path: string, decode: Decode<Value>): File | undefined {
  try {
    const found = readEntry(path);
    return found?.text === undefined ? undefined : fileOf(path, found.stats, found.text, decode);
  } catch (error) {
    return damaged(error, decode);
  }
}

function fileOf<Value>(path: string, stats: Stats, text: string, decode: Decode<Value>): File {
  const stamp = stampOf(stats);
  try {
    return { stamp, value: decoded(path, text, decode), decode };
  } catch (error) {
    return damaged(error, decode, stamp);
  }
}

const NEVER: Stamp = [Number.NaN, 0, 0, 0, 0];

/** What is wrong is remembered, too. */
function damaged(error: unknown, decode: unknown, stamp: Stamp = NEVER): File {
  if (error instanceof Damage) return { stamp, value: error, decode };
  throw error;
}

/** @param held what is known already of the same files */
function readTree<Value>(
  root: string,
  decode: Decode<Value>,
  held: FolderOfValues | undefined,
): FolderOfValues | undefined {
  const folders: (readonly [string, Stamp])[] = [];
  const names: string[] = [];
  const files: File[] = [];
  const values = new Map<string, unknown>();
  const known = new Map(held?.names.map((name, at) => [name, held.files[at]]));
  const add = (name: string, file: File): void => {
    names.push(name);
    files.push(file);
    values.set(name, file.value);
  };
  const walk = (folder: string, before: string): void => {
    const found = statOf(folder);
    const entries = namesIn(folder);
    if (found === undefined || entries === undefined) return;
    folders.push([folder, stampOf(found)]);
    for (const entry of entries.sort()) {
      const [path, name] = [`${folder}/${entry}`, before + entry];
      const same = known.get(name);
      const file = same && isUnchanged(same, path, decode) ? same : readUnlessFolder(path, decode);
      if (file === 'folder') walk(path, `${name}/`);
      else if (file !== undefined) add(name, file);
    }
  };
  walk(root, '');
  return folders.length === 0 ? undefined : { folders, names, files, values };
}

/** Links to folders are not followed, as MLflow does not. */
function readUnlessFolder<Value>(path: string, decode: Decode<Value>): File | 'folder' | undefined {
  try {
    const found = readEntry(path);
    if (found?.text !== undefined) return fileOf(path, found.stats, found.text, decode);
    const isFolder = found && lstatSync(path, { throwIfNoEntry: false })?.isDirectory();
    return isFolder ? 'folder' : undefined;
  } catch (error) {
    return damaged(error, decode);
  }
}
