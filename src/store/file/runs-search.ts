/**
 * Searching runs: first every meta.yaml, and of other files those alone that the question names; then all that is in the
 * runs on the page.
 */
import { invalidParameter } from '../errors.js';
import type { Page, Run } from '../records.js';
import {
  type Column,
  decodePageToken,
  type Found,
  type Kind,
  matches,
  parseSearch,
  type Searchable,
  sorted,
} from '../search/index.js';
import type { Runs } from '../store.js';
import type { Context } from './context.js';
import type { Report } from './damage.js';
import type { Files } from './files.js';
import { findExperiment } from './find.js';
import { METRICS, PARAMS, TAGS } from './layout.js';
import { pageOf } from './paging.js';
import { readInputs, readRun, type StoredInputs, type StoredRun } from './read-run.js';
import { readRunMetric, readValue } from './read-values.js';
import { readEach } from './reading.js';
import { RUN_NAME, wholeRun } from './runs-read.js';
import { isInView } from './view.js';
import { runFolders } from './walk.js';

const MOST_BY_DEFAULT = 1000;
const PAGE_LIMIT = 50_000;

export async function searchRuns(context: Context, question: Parameters<Runs['search']>[0]): Promise<Page<Run>> {
  const { experiment_ids, run_view_type, filter, order_by, max_results = MOST_BY_DEFAULT, page_token } = question;
  validatePageSize(max_results);
  const { where, orderBy } = parseSearch('runs', filter, order_by, 'file');
  const offset = decodePageToken(page_token);
  const columns = [...where, ...orderBy];
  const folders = experiment_ids.flatMap((id) => {
    const experiment = findExperiment(context, id);
    return experiment === undefined ? [] : runFolders(context.files, experiment);
  });
  const candidates = await readEach(context, folders, (folder, report) => {
    const stored = readRun(context.files, folder);
    if (stored === undefined || !isInView(stored.info.lifecycle_stage, run_view_type)) return undefined;
    const candidate = new Candidate(stored);
    candidate.load(context.files, columns, report);
    return candidate;
  });
  const found = candidates.filter((each) => where.every((clause) => matches('runs', clause, each)));
  const { items, next_page_token } = pageOf(sorted(found, orderBy), offset, max_results);
  const page = await readEach(context, items, ({ stored }, report) => wholeRun(context, stored, report));
  return { items: page, next_page_token };
}

export function validatePageSize(maxResults: number): void {
  if (maxResults <= PAGE_LIMIT) return;
  throw invalidParameter(
    `Invalid value for request parameter max_results. It must be at most ${PAGE_LIMIT}, but got value ${maxResults}`,
  );
}

const CONTEXT = 'mlflow.data.context';

/** A run with what is asked for of it. */
class Candidate implements Searchable {
  readonly stored: StoredRun;
  readonly #values = new Map<string, Found>();
  #inputs: StoredInputs | undefined;

  constructor(stored: StoredRun) {
    this.stored = stored;
  }

  load(files: Files, columns: readonly Column[], report: Report): void {
    const { folder, info } = this.stored;
    for (const { kind, key } of columns) {
      const name = `${kind} ${key}`;
      if (this.#values.has(name)) continue;
      if (kind === 'metric') this.#values.set(name, readRunMetric(files, `${folder}/${METRICS}`, key, report)?.value);
      else if (kind === 'parameter') this.#values.set(name, readValue(files, `${folder}/${PARAMS}`, key, report));
      else if (kind === 'tag') this.#values.set(name, readValue(files, `${folder}/${TAGS}`, key, report));
      else if (kind === 'dataset') this.#inputs ??= readInputs(files, folder, report);
      else if (key === 'run_name' && !info.run_name) {
        this.#values.set(name, readValue(files, `${folder}/${TAGS}`, RUN_NAME, report) || info.run_name);
      }
    }
  }

  find(kind: Kind, key: string): Found {
    const name = `${kind} ${key}`;
    if (this.#values.has(name)) return this.#values.get(name);
    return kind === 'attribute' ? attributeOf(this.stored, key) : undefined;
  }

  findEach(_: 'dataset', key: string): readonly string[] {
    const inputs = this.#inputs?.dataset_inputs ?? [];
    if (key === 'name' || key === 'digest') return inputs.map(({ dataset }) => dataset[key]);
    return inputs.flatMap(({ tags }) => tags.filter((tag) => tag.key === CONTEXT).map(({ value }) => value));
  }
}

function attributeOf({ info }: StoredRun, key: string): Found {
  switch (key) {
    case 'run_id':
    case 'run_name':
    case 'user_id':
    case 'status':
    case 'start_time':
    case 'end_time':
    case 'artifact_uri':
      return info[key];
    default:
      return undefined;
  }
}
