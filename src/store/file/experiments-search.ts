/** Searching experiments: every meta.yaml is read, and tags where they are asked for. */
import type { Experiment, Page, ViewType } from '../records.js';
import {
  decodePageToken,
  type Found,
  type Kind,
  matches,
  parseSearch,
  type Search,
  type Searchable,
  sorted,
} from '../search/index.js';
import type { Experiments } from '../store.js';
import { validateMaxResults } from '../validate.js';
import type { Context } from './context.js';
import type { Report } from './damage.js';
import { pageOf } from './paging.js';
import { readExperiment, readExperimentTags, type StoredExperiment } from './read-experiment.js';
import { readEach } from './reading.js';
import { experimentFolders } from './walk.js';

const MOST = 1000;

export async function searchExperiments(
  context: Context,
  question: Parameters<Experiments['search']>[0],
): Promise<Page<Experiment>> {
  const { view_type = 'ACTIVE_ONLY', filter, order_by, max_results = MOST, page_token } = question;
  validateMaxResults(max_results);
  const search = parseSearch('experiments', filter, order_by, 'file');
  const offset = decodePageToken(page_token);
  const candidates = await readAll(context, view_type, search);
  const found = candidates.filter((each) => search.where.every((clause) => matches('experiments', clause, each)));
  const { items, next_page_token } = pageOf(sorted(found, search.orderBy), offset, max_results);
  const page = await readEach(context, items, (each, report) => each.whole(context, report));
  return { items: page, next_page_token };
}

/** All of a view, the newest first. */
export async function allByDefault(context: Context, view: ViewType): Promise<StoredExperiment[]> {
  const search = parseSearch('experiments', undefined, undefined, 'file');
  return sorted(await readAll(context, view, search), search.orderBy).map(({ stored }) => stored);
}

function readAll(context: Context, view: ViewType, { where }: Search): Promise<Candidate[]> {
  const { active, deleted } = experimentFolders(context.files, context.root);
  const folders = [...(view === 'DELETED_ONLY' ? [] : active), ...(view === 'ACTIVE_ONLY' ? [] : deleted)];
  const needsTags = where.some(({ kind }) => kind === 'tag');
  return readEach(context, folders, (folder, report) => {
    const candidate = new Candidate(readExperiment(context.files, folder));
    if (needsTags) candidate.loadTags(context, report);
    return candidate;
  });
}

class Candidate implements Searchable {
  readonly stored: StoredExperiment;
  #tags: Experiment['tags'] | undefined;

  constructor(stored: StoredExperiment) {
    this.stored = stored;
  }

  loadTags({ files }: Context, report: Report): Experiment['tags'] {
    this.#tags ??= readExperimentTags(files, this.stored.folder, report);
    return this.#tags;
  }

  find(kind: Kind, key: string): Found {
    if (kind === 'tag') return this.#tags?.find((tag) => tag.key === key)?.value;
    const { experiment } = this.stored;
    switch (key) {
      case 'experiment_id':
      case 'name':
      case 'creation_time':
      case 'last_update_time':
        return experiment[key];
      default:
        return undefined;
    }
  }

  whole(context: Context, report: Report): Experiment {
    return { ...this.stored.experiment, tags: this.loadTags(context, report) };
  }
}
