/** Selectors, put together: what of each kind is meant. They narrow: where ids of one kind are given, other kinds stay. */
import type { GcOptions } from './options.js';
import type { Ledger, Reason } from './report.js';
import type { Age, Item, Kind, Scope, TrashSource } from './source.js';

export interface Selection {
  /** Null where none of the kind are meant. */
  readonly runs: Scope | null;
  readonly models: Scope | null;
  readonly experiments: Pick<Scope, 'experiments'> | null;
  readonly jobs: { readonly ids: readonly string[] | null } | null;
  /** Says of each thing that was named, and is still there, why it stays. */
  explain(source: TrashSource, ledger: Ledger, age: Age): Promise<void>;
}

export async function select(source: TrashSource, options: GcOptions): Promise<Selection> {
  const { runIds, modelIds, jobIds, jobs, experimentNames } = options;
  const named = experimentNames === null ? null : await source.idsOf(experimentNames);
  const experiments = both(options.experimentIds, named?.map(({ id }) => id) ?? null);
  const noIds = runIds === null && modelIds === null && jobIds === null;
  const takesJobs = jobIds !== null || (jobs && noIds && experiments === null);
  return {
    runs: runIds !== null || noIds ? { ids: runIds, experiments } : null,
    models: modelIds !== null || noIds ? { ids: modelIds, experiments } : null,
    experiments: noIds ? { experiments } : null,
    jobs: takesJobs ? { ids: jobIds } : null,
    explain: async (source, ledger, age) => {
      for (const name of experimentNames ?? []) {
        if (named?.some((each) => each.name === name)) continue;
        ledger.keep({
          kind: 'experiment',
          id: name,
          reason: 'unknown',
          because: 'there is no experiment of this name',
        });
      }
      await explain('run', runIds, experiments);
      await explain('model', modelIds, experiments);
      await explain('job', jobIds, null);
      if (noIds) await explain('experiment', options.experimentIds, null);

      async function explain(kind: Kind, ids: readonly string[] | null, within: readonly string[] | null) {
        // What was not come to is not explained: it may go the next time.
        const open = ledger.stopped === null ? (ids ?? []).filter((id) => !ledger.isDecided(kind, id)) : [];
        const found = new Map((await source.find(kind, open)).map((item) => [item.id, item]));
        for (const id of new Set(open)) {
          const item = found.get(id);
          // Of an experiment that is not deleted, what is deleted in it is meant.
          if (kind === 'experiment' && item?.deleted === false) continue;
          ledger.keep({ kind, id, ...whyNot(item, within, age) });
        }
      }
    },
  };
}

function whyNot(
  item: Item | undefined,
  experiments: readonly string[] | null,
  { before }: Age,
): { reason: Reason; because: string } {
  if (item === undefined) return { reason: 'unknown', because: 'there is none of this id' };
  if (item.kind === 'job') return { reason: 'not-deleted', because: 'it has not ended, or was made later' };
  if (!item.deleted) return { reason: 'not-deleted', because: 'it is not deleted' };
  if (experiments !== null && !experiments.includes(item.experiment ?? '')) {
    return { reason: 'unknown', because: `it is in experiment ${item.experiment}, which is none of those named` };
  }
  if (item.deletedAt === null) return { reason: 'undated', because: 'nobody knows since when it is deleted' };
  if (item.deletedAt > before) return { reason: 'young', because: 'it was deleted later' };
  return { reason: 'unknown', because: 'it came to be deleted after this run had begun' };
}

/** What both lists have; null is all. */
function both(one: readonly string[] | null, other: readonly string[] | null): readonly string[] | null {
  if (one === null || other === null) return one ?? other;
  return one.filter((each) => other.includes(each));
}
