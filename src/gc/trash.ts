/** What is in the trash and when it would go, and taking things out of it. */
import { messageOf } from '../errors.js';
import { StoreError } from '../store/errors.js';
import { doubtsOf } from './doubts.js';
import type { Kind, Restorer, Scope, TrashSource } from './source.js';

export interface Trashed {
  readonly kind: 'run' | 'model' | 'experiment';
  readonly id: string;
  readonly name: string | null;
  readonly experiment: string | null;
  /** Milliseconds since the epoch; null where MLflow did not write it down. */
  readonly deletedAt: number | null;
  /** From when on `gc` would take it; null for one that it keeps. */
  readonly goesAt: number | null;
  /** Why it is kept. */
  readonly because: string | null;
}

export interface TrashList {
  /** Milliseconds since the epoch by the store's clock. */
  readonly now: number;
  readonly trash: readonly Trashed[];
}

const UNDATED = 'nobody knows since when it is deleted: gc takes it with --undated treat-as-old';

/** @param olderThan milliseconds, of the `gc` that would take them @param experiments only what is in these, and they themselves */
export async function listTrash(
  source: TrashSource,
  olderThan: number,
  experiments: readonly string[] | null,
): Promise<TrashList> {
  const now = await source.now();
  const everything = { before: Number.MAX_SAFE_INTEGER, undated: true };
  const doubts = await doubtsOf(source, false);
  const trash: Trashed[] = [];
  const add = (item: Omit<Trashed, 'goesAt'>) => {
    const because = item.because ?? (item.deletedAt === null ? UNDATED : null);
    const goesAt = because === null && item.deletedAt !== null ? item.deletedAt + olderThan : null;
    trash.push({ ...item, because, goesAt });
  };
  const scope: Scope = { ids: null, experiments };
  for (const { id, name, deletedAt } of await source.experiments(scope)) {
    const reason = await doubts.ofExperiment(source, id, everything);
    add({ kind: 'experiment', id, name, experiment: id, deletedAt, because: reason?.because ?? null });
  }
  for (const kind of ['run', 'model'] as const) {
    for await (const page of source.deleted(kind, scope, everything)) {
      for (const item of page) {
        const { id, name, experiment, deletedAt } = item;
        const needed = doubts.of(item);
        const because = needed === null ? null : `needed by ${needed}`;
        add({ kind, id, name, experiment, deletedAt, because });
      }
    }
  }
  return { now, trash };
}

export interface Restored {
  readonly restored: { readonly experiments: readonly string[]; readonly runs: readonly string[] };
  readonly failed: readonly { readonly kind: Kind; readonly id: string; readonly cause: string }[];
}

/** Experiments first, and with them their runs: a run that was named as well has come with its experiment. */
export async function restore(
  restorer: Restorer,
  wanted: { readonly experiments: readonly string[]; readonly runs: readonly string[] },
  source: TrashSource,
): Promise<Restored> {
  const restored = { experiments: [] as string[], runs: [] as string[] };
  const failed: { kind: Kind; id: string; cause: string }[] = [];
  const attempt = async (kind: 'experiment' | 'run', id: string, list: string[]) => {
    try {
      await restorer[kind](id);
      list.push(id);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      failed.push({ kind, id, cause: messageOf(error) });
    }
  };
  for (const id of new Set(wanted.experiments)) await attempt('experiment', id, restored.experiments);
  const runs = new Map((await source.find('run', wanted.runs)).map((run) => [run.id, run]));
  for (const id of new Set(wanted.runs)) {
    if (restored.experiments.includes(runs.get(id)?.experiment ?? '')) restored.runs.push(id);
    else await attempt('run', id, restored.runs);
  }
  return { restored, failed };
}
