/** What a garbage collection removed, or would remove: the same in shape and content for both. */
import type { Kind, RowCounts } from './source.js';

/** Why something that is deleted stays. */
export type Reason =
  | 'needed'
  | 'undated'
  | 'young'
  | 'shared'
  | 'foreign-location'
  | 'restored'
  | 'not-deleted'
  | 'unknown'
  | 'incomplete';

export interface Kept {
  readonly kind: Kind;
  readonly id: string;
  readonly reason: Reason;
  /** In words; what needs it, for one that is needed. */
  readonly because: string;
}

export interface Failed {
  readonly kind: Kind;
  readonly id: string;
  readonly location: string | null;
  readonly cause: string;
}

export interface Report {
  /** Ids, in the order in which they went. */
  readonly removed: Readonly<Record<Plural, readonly string[]>>;
  readonly rows: RowCounts;
  readonly artifacts: {
    readonly objects: number;
    readonly bytes: number;
    /** Things whose artifacts were gone before. */
    readonly missing: number;
  };
  /** Deleted runs that have no time of deletion, and are left for that. */
  readonly undated: number;
  readonly kept: readonly Kept[];
  readonly failed: readonly Failed[];
  /** Why it ended before the last. */
  readonly stopped: 'max-runs' | 'max-duration' | 'signal' | null;
}

export type Plural = 'runs' | 'models' | 'traces' | 'experiments' | 'jobs';

const PLURALS: Readonly<Record<Kind, Plural>> = {
  run: 'runs',
  model: 'models',
  trace: 'traces',
  experiment: 'experiments',
  job: 'jobs',
};

export const KINDS_IN_ORDER = Object.keys(PLURALS) as Kind[];

/** Writes the report, and knows what was decided of each thing. */
export class Ledger {
  readonly #removed: Record<Kind, Set<string>> = {
    run: new Set(),
    model: new Set(),
    trace: new Set(),
    experiment: new Set(),
    job: new Set(),
  };
  readonly #left = new Set<string>();
  readonly #rows: Record<string, number> = {};
  readonly #artifacts = { objects: 0, bytes: 0, missing: 0 };
  readonly #kept: Kept[] = [];
  readonly #failed: Failed[] = [];
  undated = 0;
  stopped: Report['stopped'] = null;

  isGone = (kind: Kind, id: string): boolean => this.#removed[kind].has(id);

  /** Gone, kept or failed. */
  isDecided(kind: Kind, id: string): boolean {
    return this.isGone(kind, id) || this.#left.has(`${kind} ${id}`);
  }

  countRemoved(kind: Kind): number {
    return this.#removed[kind].size;
  }

  /** How many were kept, or failed. */
  get countLeft(): number {
    return this.#left.size;
  }

  get bytes(): number {
    return this.#artifacts.bytes;
  }

  remove(kind: Kind, ids: readonly string[], rows: RowCounts): void {
    for (const id of ids) this.#removed[kind].add(id);
    for (const [table, n] of Object.entries(rows)) this.#rows[table] = (this.#rows[table] ?? 0) + n;
  }

  artifacts(found: { readonly files: number; readonly bytes: number }): void {
    this.#artifacts.objects += found.files;
    this.#artifacts.bytes += found.bytes;
    if (found.files === 0) this.#artifacts.missing += 1;
  }

  keep(kept: Kept): void {
    this.#left.add(`${kept.kind} ${kept.id}`);
    this.#kept.push(kept);
  }

  fail(failed: Failed): void {
    this.#left.add(`${failed.kind} ${failed.id}`);
    this.#failed.push(failed);
  }

  report(): Report {
    const removed = Object.fromEntries(KINDS_IN_ORDER.map((kind) => [PLURALS[kind], [...this.#removed[kind]]]));
    return {
      removed: removed as Record<Plural, string[]>,
      rows: Object.fromEntries(Object.entries(this.#rows).sort(([a], [b]) => (a < b ? -1 : 1))),
      artifacts: { ...this.#artifacts },
      undated: this.undated,
      kept: this.#kept,
      failed: this.#failed,
      stopped: this.stopped,
    };
  }
}
