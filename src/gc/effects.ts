/** What is done to things that go: removing them, or, for a dry run, finding out what that would be. */
import type { Artifacts } from '../artifacts/open.js';
import type { ArtifactRepository, Deleted } from '../artifacts/repository.js';
import type { Item, Kind, Removed, TrashSource } from './source.js';

export interface Effects {
  artifacts(item: Item & { readonly location: string }): Promise<Deleted>;
  rows(kind: Kind, items: readonly Item[]): Promise<Removed>;
}

type IsGone = (kind: Kind, id: string) => boolean;

export function removing(source: TrashSource, artifacts: Artifacts): Effects {
  return {
    artifacts: ({ location }) => at(artifacts, location, (repository) => repository.delete('')),
    rows: (kind, items) => source.remove(kind, items),
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
