/** Searching traces: first every trace_info.yaml, and of other files those that the question names. */
import { join } from 'node:path';
import type { Page, TraceInfo } from '../records.js';
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
import type { Traces } from '../store.js';
import type { Context } from './context.js';
import type { Report } from './damage.js';
import type { Files } from './files.js';
import { neededExperiment } from './find.js';
import { TAGS, TRACE_METADATA, TRACES } from './layout.js';
import { pageOf } from './paging.js';
import { readTrace, type StoredTrace } from './read-trace.js';
import { readValue } from './read-values.js';
import { readEach } from './reading.js';
import { validatePageSize } from './runs-search.js';
import { wholeTrace } from './traces-read.js';

const MOST_BY_DEFAULT = 100;

export async function searchTraces(
  context: Context,
  question: Parameters<Traces['search']>[0],
): Promise<Page<TraceInfo>> {
  const { experiment_ids, filter, order_by, max_results = MOST_BY_DEFAULT, page_token } = question;
  validatePageSize(max_results);
  const { where, orderBy } = parseSearch('traces', filter, order_by, 'file');
  const offset = decodePageToken(page_token);
  const folders = experiment_ids.flatMap((id) => tracesFolders(context, neededExperiment(context, id)));
  const candidates = await readEach(context, folders, (folder, report) => {
    const stored = readTrace(context.files, folder);
    if (stored === undefined) return undefined;
    const candidate = new Candidate(stored);
    candidate.load(context.files, [...where, ...orderBy], report);
    return candidate;
  });
  const found = candidates.filter((each) => where.every((clause) => matches('traces', clause, each)));
  const { items, next_page_token } = pageOf(sorted(found, orderBy), offset, max_results);
  const page = await readEach(context, items, ({ stored }, report) => wholeTrace(context, stored, report));
  return { items: page, next_page_token };
}

/** Folders that can be traces. */
export function tracesFolders({ files }: Context, experiment: string): string[] {
  const parent = join(experiment, TRACES);
  return (files.folders(parent) ?? []).map((name) => join(parent, name));
}

const KEPT_IN: Partial<Record<Kind, string>> = { tag: TAGS, request_metadata: TRACE_METADATA };

/** A trace with what is asked for of it. */
class Candidate implements Searchable {
  readonly stored: StoredTrace;
  readonly #values = new Map<string, Found>();

  constructor(stored: StoredTrace) {
    this.stored = stored;
  }

  load(files: Files, columns: readonly Column[], report: Report): void {
    for (const { kind, key } of columns) {
      const kept = KEPT_IN[kind];
      if (kept === undefined) continue;
      this.#values.set(`${kind} ${key}`, readValue(files, join(this.stored.folder, kept), key, report));
    }
  }

  find(kind: Kind, key: string): Found {
    return kind === 'attribute' ? attributeOf(this.stored, key) : this.#values.get(`${kind} ${key}`);
  }
}

function attributeOf({ info }: StoredTrace, key: string): Found {
  switch (key) {
    case 'request_id':
      return info.trace_id;
    case 'experiment_id':
    case 'client_request_id':
      return info[key];
    case 'timestamp_ms':
    case 'timestamp':
      return info.request_time;
    case 'execution_time_ms':
    case 'execution_time':
      return info.execution_duration;
    case 'status':
      return info.state === 'STATE_UNSPECIFIED' ? 'TRACE_STATUS_UNSPECIFIED' : info.state;
    default:
      return undefined;
  }
}
