/**
 * What one call changes on the disk. Nobody sees half a file: a new content is written beside the record that it belongs to,
 * under a name that MLflow does not look at, and renamed; the points of a metric are appended by one write.
 *
 * What is on the medium (fsync) when the call returns, so that it outlives a power cut: every meta.yaml and its like, and
 * what takes the place of an older content. A reader never meets an empty file where there was one. What is new beside it,
 * a point, a param or a tag, is in the hands of the system by then: it outlives the death of any process, and reaches the
 * medium within seconds, as with MLflow; with `syncsAll` it is there, and its name, before the call returns.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { statOf } from './files.js';

const sync = promisify(fsync);

/** A key that was to be new is there already. */
export class Taken extends Error {
  readonly path: string;

  constructor(path: string) {
    super(`${path} is there already`);
    this.name = 'Taken';
    this.path = path;
  }
}

interface Content {
  readonly path: string;
  readonly text: string;
  /** It must not be there yet. */
  readonly isNew: boolean;
  readonly syncs: boolean;
}

interface Lines {
  readonly text: string;
  readonly below: string;
}

interface Staged extends Content {
  readonly part: string;
}

/** So many files are open at a time. */
const OPEN_AT_ONCE = 200;

export class Changes {
  readonly #folder: string;
  readonly #syncsAll: boolean;
  readonly #contents: Content[] = [];
  readonly #lines = new Map<string, Lines>();

  /** @param folder of the record, where the parts of what is being written lie: MLflow looks there for known names only */
  constructor(folder: string, syncsAll: boolean) {
    this.#folder = folder;
    this.#syncsAll = syncsAll;
  }

  /** A file of its own right, as meta.yaml. */
  putMeta(path: string, text: string): void {
    this.#contents.push({ path, text, isNew: false, syncs: true });
  }

  /** A value, which may take the place of an older one. */
  put(path: string, text: string): void {
    this.#contents.push({ path, text, isNew: false, syncs: this.#syncsAll });
  }

  /** A value of a key that is not there yet: commit throws Taken if it is by then. */
  putNew(path: string, text: string): void {
    this.#contents.push({ path, text, isNew: true, syncs: this.#syncsAll });
  }

  /** Lines to go behind those that are there. @param below the folder that must be there; what is missing below it is made */
  append(path: string, lines: string, below = this.#folder): void {
    this.#lines.set(path, { text: (this.#lines.get(path)?.text ?? '') + lines, below });
  }

  /**
   * @throws {Taken} and then nothing that was to be appended or replaced has been; but new values may have been
   * @throws an error of the file system: ENOENT when the record has gone
   */
  async commit(): Promise<void> {
    const folders = new Set<string>();
    for (const contents of chunks(this.#contents)) {
      const staged = await this.#stage(contents);
      try {
        for (const each of staged) this.#publish(each);
      } finally {
        for (const { part } of staged) unlinkIfThere(part);
      }
      for (const { path, syncs } of contents) if (syncs) folders.add(dirname(path));
    }
    for (const lines of chunks([...this.#lines])) await this.#append(lines);
    if (this.#syncsAll) for (const [path] of this.#lines) folders.add(dirname(path));
    if (this.#syncsAll) await Promise.all([...folders].map(syncFolder));
  }

  /** Writes every content to a file of its own. */
  async #stage(contents: readonly Content[]): Promise<Staged[]> {
    const staged: Staged[] = [];
    const open: number[] = [];
    try {
      for (const content of contents) {
        const part = join(this.#folder, partName());
        const before = content.isNew ? undefined : statOf(content.path);
        const file = openSync(part, 'wx');
        staged.push({ ...content, part });
        if (before) keepOwner(file, before);
        writeSync(file, content.text);
        if (content.syncs || before) open.push(file);
        else closeSync(file);
      }
      await Promise.all(open.map((file) => sync(file)));
    } catch (error) {
      for (const { part } of staged) unlinkIfThere(part);
      throw error;
    } finally {
      for (const file of open) closeSync(file);
    }
    return staged;
  }

  #publish({ part, path, isNew }: Staged): void {
    inFolder(path, this.#folder, () => (isNew ? linkNew(part, path) : renameSync(part, path)));
  }

  /** All files are opened before the first is written to: where one is missing, nothing is. */
  async #append(entries: readonly (readonly [path: string, lines: Lines])[]): Promise<void> {
    const open: number[] = [];
    try {
      for (const [path, { below }] of entries) open.push(inFolder(path, below, () => openSync(path, 'a+')));
      for (const [at, file] of open.entries()) {
        const text = entries[at]?.[1].text ?? '';
        writeSync(file, endsInLine(file) ? `\n${text}` : text);
      }
      if (this.#syncsAll) await Promise.all(open.map((file) => sync(file)));
    } finally {
      for (const file of open) closeSync(file);
    }
  }
}

function* chunks<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let at = 0; at < items.length; at += OPEN_AT_ONCE) yield items.slice(at, at + OPEN_AT_ONCE);
}

/** A name for it, unless somebody has that by now. */
function linkNew(part: string, path: string): void {
  try {
    linkSync(part, path);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') throw new Taken(path);
    // There are file systems that know no second name of a file.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error;
    if (statOf(path)) throw new Taken(path);
    renameSync(part, path);
  }
}

/** Makes the folders of a key, but not that of the record, which may just have been moved away. */
function inFolder<Result>(path: string, below: string, write: () => Result): Result {
  try {
    return write();
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  let folder = below;
  for (const name of relative(below, dirname(path)).split(sep)) {
    folder = join(folder, name);
    makeFolder(folder);
  }
  return write();
}

/** Unless it is there. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/** The owner and the mode of the file that another one takes the place of, as far as we may. */
function keepOwner(file: number, { mode, uid, gid }: Stats): void {
  const own = fstatSync(file);
  if (own.mode !== mode) fchmodSync(file, mode & 0o7777);
  if (own.uid === uid && own.gid === gid) return;
  try {
    fchownSync(file, uid, gid);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error;
  }
}

/**
 * Makes a folder with what is in it, and gives it its name when it is whole. One that is there by then stays.
 * @param beside the folder to make it in, on the same file system
 */
export async function moveNew(beside: string, folder: string, fill: (part: string) => Promise<void>): Promise<void> {
  const part = join(beside, partName());
  mkdirSync(part);
  try {
    await fill(part);
    renameSync(part, folder);
  } catch (error) {
    rmSync(part, { recursive: true, force: true });
    if (codeOf(error) !== 'EEXIST' && codeOf(error) !== 'ENOTEMPTY') throw error;
  }
}

/** Of what is not whole yet. */
const partName = (): string => `.mtrack-${randomBytes(9).toString('base64url')}`;

const NEWLINE = 10;

/** Whether the last line has no end, as when its writer was cut off: what is appended would go on with it. */
function endsInLine(file: number): boolean {
  const { size } = fstatSync(file);
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  return readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE;
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/** So that the names in it are on the medium. */
export async function syncFolder(path: string): Promise<void> {
  const folder = openSync(path, 'r');
  try {
    await sync(folder);
  } finally {
    closeSync(folder);
  }
}

export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
