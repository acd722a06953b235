/**
 * Artifact folders that nothing in the store refers to: what a run left that was removed without its artifacts. Only folders
 * that are called as MLflow calls them are looked at, directly in the artifact location of an experiment.
 */
import pLimit from 'p-limit';
import type { Artifacts } from '../artifacts/open.js';
import { joined } from '../artifacts/path.js';
import type { ArtifactRepository } from '../artifacts/repository.js';
import { messageOf } from '../errors.js';
import type { TrashSource } from './source.js';

export interface Orphan {
  readonly kind: 'run' | 'model' | 'trace' | 'experiment';
  /** The name of the folder: the id of what is not there. */
  readonly id: string;
  /** The location that the folder is in. */
  readonly location: string;
  readonly path: string;
  readonly objects: number;
  readonly bytes: number;
  /** When the last of it was written, in milliseconds since the epoch; null where that is not to be had. */
  readonly newest: number | null;
  /** Why it is not deleted; null for one that is, or would be. */
  readonly kept: string | null;
}

export interface OrphanReport {
  readonly orphans: readonly Orphan[];
  readonly objects: number;
  readonly bytes: number;
  /** Locations that could not be looked at, and folders that could not be deleted. */
  readonly failed: readonly { readonly location: string; readonly cause: string }[];
}

export interface OrphanOptions {
  /** Milliseconds that nothing of it may have been written for. */
  readonly grace: number;
  readonly deletes: boolean;
  /** Also where most folders seem to be orphans. */
  readonly force: boolean;
  readonly concurrency: number;
  readonly signal: AbortSignal;
}

/** What is in an experiment's location, by the name of the folder in it; `''` is the location itself. */
const FOLDERS = [
  { kind: 'run', folder: '', name: /^[\da-f]{32}$/ },
  { kind: 'model', folder: 'models', name: /^m-[\da-f]{32}$/ },
  { kind: 'trace', folder: 'traces', name: /^(?:tr-)?[\da-f]{32}$/ },
] as const;

/** With more orphans than this, and than half of all folders, the location seems to belong to another store as well. */
const FEW = 10;

export async function findOrphans(
  source: TrashSource,
  artifacts: Artifacts,
  options: OrphanOptions,
): Promise<OrphanReport> {
  const search = new Search(source, artifacts, options, await source.now());
  return search.run();
}

class Search {
  readonly #source: TrashSource;
  readonly #artifacts: Artifacts;
  readonly #options: OrphanOptions;
  readonly #now: number;
  readonly #orphans: Orphan[] = [];
  readonly #failed: { location: string; cause: string }[] = [];

  constructor(source: TrashSource, artifacts: Artifacts, options: OrphanOptions, now: number) {
    this.#source = source;
    this.#artifacts = artifacts;
    this.#options = options;
    this.#now = now;
  }

  async run(): Promise<OrphanReport> {
    const places = await this.#source.places();
    for (const location of new Set(places.map((place) => place.location))) {
      await this.#at(location, (repository) => this.#ofExperiment(repository, location));
    }
    for (const root of rootsOf(places)) await this.#at(root, (repository) => this.#ofRoot(repository, root));
    const sum = (of: (orphan: Orphan) => number) => this.#orphans.reduce((total, orphan) => total + of(orphan), 0);
    return {
      orphans: this.#orphans,
      objects: sum(({ objects }) => objects),
      bytes: sum(({ bytes }) => bytes),
      failed: this.#failed,
    };
  }

  async #ofExperiment(repository: ArtifactRepository, location: string): Promise<void> {
    for (const { kind, folder, name } of FOLDERS) {
      const names = await foldersIn(repository, folder, name);
      const known = new Set((await this.#source.find(kind, names)).map(({ id }) => id));
      await this.#judge(kind, repository, location, folder, names, known);
    }
  }

  /** Folders of experiments that are not there, beside those that are. */
  async #ofRoot(repository: ArtifactRepository, root: string): Promise<void> {
    const names = await foldersIn(repository, '', /^\d+$/);
    const known = new Set((await this.#source.find('experiment', names)).map(({ id }) => id));
    await this.#judge('experiment', repository, root, '', names, known);
  }

  async #judge(
    kind: Orphan['kind'],
    repository: ArtifactRepository,
    location: string,
    folder: string,
    names: readonly string[],
    known: ReadonlySet<string>,
  ): Promise<void> {
    const unknown = names.filter((name) => !known.has(name));
    const named = await this.#source.namedByVersions(new Set(unknown));
    const isShared = unknown.length > FEW && unknown.length > names.length / 2 && !this.#options.force;
    const limit = pLimit(this.#options.concurrency);
    const found = await Promise.all(
      unknown.map((id) =>
        limit(async () => {
          if (this.#options.signal.aborted) return null;
          const path = joined(folder, id);
          const { objects, bytes, newest } = await measured(repository, path);
          if (objects === 0) return null;
          const by = named.get(id);
          const shared = `${unknown.length} of ${names.length} folders here belong to nothing in this store: another one may have its artifacts here (--force takes them)`;
          const kept = by !== undefined ? `needed by ${by}` : isShared ? shared : this.#tooYoung(newest);
          if (kept === null && this.#options.deletes) await repository.delete(path);
          return { kind, id, location, path, objects, bytes, newest, kept };
        }).catch((error: unknown) => {
          this.#failed.push({ location: `${location}/${joined(folder, id)}`, cause: messageOf(error) });
          return null;
        }),
      ),
    );
    this.#orphans.push(...found.filter((orphan) => orphan !== null));
  }

  #tooYoung(newest: number | null): string | null {
    if (newest === null) return 'nobody knows when it was written';
    return this.#now - newest < this.#options.grace ? 'it was written to lately' : null;
  }

  async #at(location: string, look: (repository: ArtifactRepository) => Promise<void>): Promise<void> {
    if (this.#options.signal.aborted) return;
    try {
      const repository = await this.#artifacts.open(location);
      await look(repository).finally(() => repository.close());
    } catch (error) {
      this.#failed.push({ location, cause: messageOf(error) });
    }
  }
}

/** What the default locations of experiments, which are called by their ids, are in. */
function rootsOf(places: readonly { readonly experiment: string; readonly location: string }[]): string[] {
  const parents = places.flatMap(({ experiment, location }) => {
    const end = `/${experiment}`;
    return location.endsWith(end) ? [location.slice(0, -end.length)] : [];
  });
  return [...new Set(parents)].filter((root) => root !== '' && !root.endsWith('/'));
}

async function foldersIn(repository: ArtifactRepository, folder: string, name: RegExp): Promise<string[]> {
  const entries = await repository.list(folder);
  return entries
    .filter(({ isFolder }) => isFolder)
    .map(({ path }) => path.split('/').at(-1) ?? '')
    .filter((each) => name.test(each));
}

async function measured(repository: ArtifactRepository, path: string) {
  let [objects, bytes, newest] = [0, 0, 0];
  for await (const { size, modified } of repository.walk(path)) {
    objects += 1;
    bytes += size;
    newest = modified === 0 ? Number.NaN : Math.max(newest, modified);
  }
  return { objects, bytes, newest: Number.isNaN(newest) || newest === 0 ? null : newest };
}
