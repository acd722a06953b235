/**
 * What was read, remembered for as long as the file is the same one (device, inode), of the same size and not touched since
 * (modification and change time, to a quarter of a microsecond). A look costs a `stat` of each file then, and no more.
 *
 * Times of a file system stand still for some milliseconds, some for two seconds: a file that was touched so shortly before
 * it was read may change again unseen. It is not trusted, and read again the next time.
 */
import type { Stats } from 'node:fs';
import { Damage } from './damage.js';
import { type Decode, decoded, entriesOf, type Files, isFolder, readText, statOf, type Tree } from './files.js';

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
  readonly files: Map<string, File>;
  readonly values: Map<string, unknown>;
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
    const found = statOf(path);
    if (found === undefined) return undefined;
    const held = this.#files.get(path);
    const file = isSame(held, found, decode) ? held : readFile(path, found, decode);
    if (file === undefined) return undefined;
    if (file !== held) this.#files.set(path, file, sizeOf(path, file.value));
    if (file.value instanceof Damage) throw file.value;
    return file.value as Value;
  }

  folders(folder: string): readonly string[] | undefined {
    const found = statOf(folder);
    if (found === undefined) return undefined;
    const held = this.#names.get(folder);
    if (held && isUnchanged(held.stamp, found)) return held.folders;
    const folders = entriesOf(folder)
      ?.filter(isFolder)
      .map(({ name }) => name)
      .sort();
    if (folders) this.#names.set(folder, { stamp: stampOf(found), folders }, sizeOf(folder, folders));
    return folders;
  }

  tree<Value>(folder: string, decode: Decode<Value>): Tree<Value> {
    const found = statOf(folder);
    if (found === undefined) return EMPTY;
    const held = this.#trees.get(folder);
    const tree = held && isListed(held, found) ? held : listFiles(folder, held);
    let changed = tree !== held;
    for (const [name, known] of tree.files) {
      const path = `${folder}/${name}`;
      const stats = statOf(path);
      if (stats && isSame(known, stats, decode)) continue;
      changed = true;
      const file = stats && readFile(path, stats, decode);
      if (file) {
        tree.files.set(name, file);
        tree.values.set(name, file.value);
      } else {
        tree.files.delete(name);
        tree.values.delete(name);
      }
    }
    if (changed) this.#trees.set(folder, tree, treeSize(folder, tree));
    return tree.values as Tree<Value>;
  }
}

const EMPTY: Tree<never> = new Map();

/** As much as there is room for; what was not used for longest goes first. */
class Held<What> {
  readonly #limit: number;
  readonly #entries = new Map<string, { readonly what: What; readonly bytes: number }>();
  bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(path: string): What | undefined {
    const entry = this.#entries.get(path);
    if (entry === undefined) return undefined;
    this.#entries.delete(path);
    this.#entries.set(path, entry);
    return entry.what;
  }

  set(path: string, what: What, bytes: number): void {
    this.#drop(path);
    this.#entries.set(path, { what, bytes });
    this.bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.bytes <= this.#limit) return;
      this.#drop(oldest);
    }
  }

  #drop(path: string): void {
    this.bytes -= this.#entries.get(path)?.bytes ?? 0;
    this.#entries.delete(path);
  }
}

/** What an entry costs beside its texts, which take two bytes for each character at most. */
const ENTRY = 400;

function sizeOf(name: string, value: unknown): number {
  const text = typeof value === 'string' ? value.length : Array.isArray(value) ? value.join().length : ENTRY;
  return ENTRY + 2 * (name.length + text);
}

function treeSize(folder: string, { values }: FolderOfValues): number {
  let size = sizeOf(folder, '');
  for (const [name, value] of values) size += sizeOf(name, value);
  return size;
}

function stampOf({ mtimeMs, ctimeMs, size, ino, dev }: Stats): Stamp {
  const settled = Date.now() - Math.max(mtimeMs, ctimeMs) > SETTLES_MS;
  return [settled ? mtimeMs : Number.NaN, ctimeMs, size, ino, dev];
}

function isUnchanged([touched, changed, size, inode, device]: Stamp, found: Stats | undefined): boolean {
  return (
    found !== undefined &&
    found.mtimeMs === touched &&
    found.ctimeMs === changed &&
    found.size === size &&
    found.ino === inode &&
    found.dev === device
  );
}

function isSame(held: File | undefined, found: Stats, decode: unknown): held is File {
  return held !== undefined && held.decode === decode && isUnchanged(held.stamp, found);
}

const isListed = ({ folders }: FolderOfValues, root: Stats): boolean =>
  folders.every(([path, stamp], at) => isUnchanged(stamp, at === 0 ? root : statOf(path)));

/** Undefined for a file that has gone. */
function readFile<Value>(path: string, found: Stats, decode: Decode<Value>): File | undefined {
  const stamp = stampOf(found);
  try {
    const text = readText(path);
    return text === undefined ? undefined : { stamp, value: decoded(path, text, decode), decode };
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    return { stamp, value: error, decode };
  }
}

const UNKNOWN: File = { stamp: [Number.NaN, 0, 0, 0, 0], value: undefined, decode: undefined };

/** The files below a folder, with what is known of those of the same names. */
function listFiles(root: string, held: FolderOfValues | undefined): FolderOfValues {
  const folders: (readonly [string, Stamp])[] = [];
  const names: string[] = [];
  const walk = (folder: string, before: string) => {
    const found = statOf(folder);
    if (found === undefined) return;
    folders.push([folder, stampOf(found)]);
    for (const entry of entriesOf(folder) ?? []) {
      if (entry.isDirectory()) walk(`${folder}/${entry.name}`, `${before}${entry.name}/`);
      else if (entry.isFile() || !isFolder(entry)) names.push(before + entry.name);
    }
  };
  walk(root, '');
  const files = new Map(names.sort().map((name) => [name, held?.files.get(name) ?? UNKNOWN]));
  return { folders, files, values: new Map([...files].map(([name, { value }]) => [name, value])) };
}
