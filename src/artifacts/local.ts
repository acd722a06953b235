/**
 * Artifacts as files in a folder, as MLflow's LocalArtifactRepository keeps them. What is being written has MLflow's name for
 * that (`.artifact.uploading.…`), by which both leave it out of listings, and is renamed when it is whole.
 *
 * A symbolic link is followed to what is in the root and no further: one that leads out is listed as a file, so that it is not
 * missing without a word, and refused in MLflow's words when it is read.
 */
import { randomBytes } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { constants, lstat, mkdir, open, readdir, realpath, rename, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { invalidParameter, StoreError } from '../store/errors.js';
import { byPath, joined, namesIn } from './path.js';
import type { ArtifactEntry, ArtifactFile, ArtifactRepository, ByteRange, Deleted } from './repository.js';

const UPLOADING = '.artifact.uploading.';

/** @param folder the root; it is made by the first write. @param uri how it is named; as the folder, if that is not said */
export function localRepository(folder: string, uri: string = folder): ArtifactRepository {
  return new LocalRepository(resolve(folder), uri);
}

class LocalRepository implements ArtifactRepository {
  readonly uri: string;
  readonly multipart = null;
  readonly #root: string;

  constructor(root: string, uri: string) {
    this.#root = root;
    this.uri = uri;
  }

  async list(path: string): Promise<readonly ArtifactEntry[]> {
    const folder = await this.#existing(path);
    const entries = folder === null ? [] : await entriesIn(folder);
    const shown = entries.filter(({ name }) => !isUploading(name));
    const listed = await Promise.all(shown.map((entry) => this.#entry(joined(path, entry.name), entry)));
    return listed.filter((entry) => entry !== null).sort(byPath);
  }

  async #entry(path: string, entry: Dirent): Promise<ArtifactEntry | null> {
    if (entry.isDirectory()) return { path, isFolder: true, size: null };
    const file = join(entry.parentPath, entry.name);
    const followed = entry.isSymbolicLink() && (await this.#inRoot(file));
    const found = await orNull(followed ? stat(file) : lstat(file));
    if (found === null) return null;
    return found.isDirectory() ? { path, isFolder: true, size: null } : { path, isFolder: false, size: found.size };
  }

  async *walk(path: string): AsyncGenerator<ArtifactFile> {
    const place = await this.#existing(path);
    const found = place === null ? null : await orNull(lstat(place));
    if (place === null || found === null) return;
    if (found.isFile()) yield { path, size: found.size, modified: Math.trunc(found.mtimeMs) };
    if (found.isDirectory()) yield* walkFolder(place, path);
  }

  async stat(path: string): Promise<ArtifactFile | null> {
    const place = await this.#existing(path);
    const found = place === null ? null : await orNull(stat(place));
    return found?.isFile() ? { path, size: found.size, modified: Math.trunc(found.mtimeMs) } : null;
  }

  async read(path: string, range?: ByteRange): Promise<Readable> {
    const place = await this.#existing(path);
    // No link is left in `place`: one that stands there now was put there since.
    const file = place === null ? null : await orNull(open(place, constants.O_RDONLY | constants.O_NOFOLLOW));
    if (file === null) throw noSuchArtifact(path);
    if (!(await file.stat()).isFile()) {
      await file.close();
      throw noSuchArtifact(path);
    }
    return file.createReadStream({ start: range?.start ?? 0, ...(range?.end !== undefined && { end: range.end }) });
  }

  async write(path: string, content: Readable, size?: number): Promise<void> {
    const names = namesIn(path);
    const name = names.at(-1);
    if (name === undefined || isUploading(name)) throw invalidParameter(`Invalid artifact file name: '${path}'.`);
    const folder = await this.#made(names.slice(0, -1));
    const part = join(folder, `${UPLOADING}${randomBytes(8).toString('hex')}`);
    try {
      const file = await open(part, 'wx');
      // The stream closes the file, after its content has reached the disk.
      const sink = file.createWriteStream({ flush: true });
      await pipeline(content, sink);
      const written = sink.bytesWritten;
      if (size !== undefined && written !== size) {
        throw invalidParameter(`${written} of ${size} bytes of the artifact '${path}' arrived`);
      }
      await rename(part, join(folder, name));
    } catch (error) {
      content.destroy();
      await rm(part, { force: true });
      throw isFileFault(error, 'EISDIR', 'ENOTEMPTY', 'EEXIST') ? invalidParameter(`'${path}' is a folder`) : error;
    }
  }

  async delete(path: string): Promise<Deleted> {
    const names = namesIn(path);
    // A link that is to be deleted is removed, and not what it leads to.
    const folder = names.length === 0 ? null : await this.#existing(names.slice(0, -1).join('/'));
    const place = names.length === 0 ? this.#root : folder && join(folder, names.at(-1) ?? '');
    const found = place === null ? null : await orNull(lstat(place));
    if (place === null || found === null) return { files: 0, bytes: 0 };
    if (names.length === 0 && found.isSymbolicLink()) {
      throw invalidParameter(`${this.#root} is a symbolic link: what it leads to may be somebody else's`);
    }
    if (!found.isDirectory()) {
      await unlink(place);
      return found.isFile() ? { files: 1, bytes: found.size } : { files: 0, bytes: 0 };
    }
    let [files, bytes] = [0, 0];
    for await (const { size } of walkFolder(place, path)) {
      files += 1;
      bytes += size;
    }
    await rm(place, { recursive: true, force: true });
    return { files, bytes };
  }

  async close(): Promise<void> {}

  /** Where a path leads in the end; null where there is nothing. @throws {StoreError} when that is out of the root */
  async #existing(path: string): Promise<string | null> {
    const place = await orNull(realpath(join(this.#root, ...namesIn(path))));
    const root = place === null ? null : await orNull(realpath(this.#root));
    if (place === null || root === null) return null;
    if (!isWithin(root, place)) throw outside();
    return place;
  }

  async #inRoot(file: string): Promise<boolean> {
    const [root, place] = await Promise.all([orNull(realpath(this.#root)), orNull(realpath(file))]);
    return root !== null && place !== null && isWithin(root, place);
  }

  /** Makes the folders, one by one: a link among those that are there could lead out. */
  async #made(names: readonly string[]): Promise<string> {
    await mkdir(this.#root, { recursive: true });
    const root = await realpath(this.#root);
    let folder = root;
    for (const name of names) {
      const next = join(folder, name);
      await mkdir(next).catch((error: unknown) => {
        if (!isFileFault(error, 'EEXIST')) throw error;
      });
      folder = await realpath(next);
      if (!isWithin(root, folder)) throw outside();
      if (!(await stat(folder)).isDirectory()) {
        throw invalidParameter(`'${names.join('/')}' is no folder: there is a file of this name`);
      }
    }
    return folder;
  }
}

/** Removes the folders from `folder` up to the one of this name, as long as nothing is in them. */
export async function removeEmptyFolders(folder: string, name: string): Promise<void> {
  const names = folder.split(sep);
  const top = names.lastIndexOf(name);
  if (top < 0) return;
  for (let length = names.length; length > top; length--) {
    const path = names.slice(0, length).join(sep);
    try {
      await rmdir(path);
    } catch (error) {
      if (!isFileFault(error, 'ENOENT')) return;
    }
  }
}

async function* walkFolder(folder: string, path: string): AsyncGenerator<ArtifactFile> {
  for (const entry of await entriesIn(folder)) {
    const [place, below] = [join(folder, entry.name), joined(path, entry.name)];
    if (entry.isDirectory()) yield* walkFolder(place, below);
    if (!entry.isFile() || isUploading(entry.name)) continue;
    const found = await orNull(lstat(place));
    if (found) yield { path: below, size: found.size, modified: Math.trunc(found.mtimeMs) };
  }
}

const isUploading = (name: string): boolean => name.startsWith(UPLOADING);

const isWithin = (root: string, place: string): boolean =>
  place === root || place.startsWith(root === sep ? root : root + sep);

async function entriesIn(folder: string): Promise<Dirent[]> {
  return (await orNull(readdir(folder, { withFileTypes: true }))) ?? [];
}

/** Null for what is not there, or is not of the kind that was taken for granted, as when somebody else deletes at the same time. */
async function orNull<T>(looked: Promise<T>): Promise<T | null> {
  try {
    return await looked;
  } catch (error) {
    if (isFileFault(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return null;
    throw error;
  }
}

function isFileFault(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.some((code) => code === error.code);
}

const noSuchArtifact = (path: string) => new StoreError('RESOURCE_DOES_NOT_EXIST', `No such artifact: '${path}'`);

const outside = () => invalidParameter('Invalid path: resolved path is outside the artifact directory');
