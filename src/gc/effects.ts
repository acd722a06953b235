/** What is done to things that go: removing them, or, for a dry run, finding out what that would be. */
import type { Artifacts } from '../artifacts/open.js';
import type { ArtifactRepository, Deleted } from '../artifacts/repository.js';
import type { Item, Kind, Removed, TrashSource } from './source.js';

export interface Effects {
  artifacts(item: Item & { readonly location: string }): Promise<Deleted>;
  /** @param within the experiment that they go with; null for those that go by themselves */
  rows(kind: Kind, items: readonly Item[], within: string | null): Promise<Removed>;
}

type IsGone = (kind: Kind, id: string) => boolean;

export function removing(source: TrashSource, artifacts: Artifacts): Effects {
  return {
    artifacts: async ({ id, location }) => {
      const deleted = await at(artifacts, location, (repository) => repository.delete(''));
      await artifacts.removeEmptyFolders(location, id);
      return deleted;
    },
    rows: (kind, items, within) => source.remove(kind, items, within),
  };
}

export function looking(source: TrashSource, artifacts: Artifacts, isGone: IsGone): Effects {
  return {
    artifacts: ({ location }) => at(artifacts, location, measured),
    rows: async (kind, items) => ({
      rows: await source.count(kind, items, isGone),
      ids: items.map(({ id }) => id),
      restored: [],
    }),
  };
}

async function at<T>(artifacts: Artifacts, location: string, use: (repository: ArtifactRepository) => Promise<T>) {
  const repository = await artifacts.open(location);
  try {
    return await use(repository);
  } finally {
    await repository.close();
  }
}

async function measured(repository: ArtifactRepository): Promise<Deleted> {
  let [files, bytes] = [0, 0];
  for await (const { size } of repository.walk('')) {
    files += 1;
    bytes += size;
  }
  return { files, bytes };
}
