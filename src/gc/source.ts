/**
 * The contract of what garbage collection asks of a store: what is in its trash, what depends on it, and to remove rows.
 * One implementation for databases at any revision, one for file stores. Times are integer milliseconds since the epoch.
 */
import type { LockWait } from '../dialect/dialect.js';

export type Kind = 'run' | 'model' | 'trace' | 'experiment' | 'job';

/** Something that can go: a run, a logged model, a trace, an experiment, a job. */
export interface Item {
  readonly kind: Kind;
  readonly id: string;
  readonly name: string | null;
  /** Null for jobs. */
  readonly experiment: string | null;
  /** The URI of its artifacts; null where it has none. */
  readonly location: string | null;
  /** It is deleted itself; else it goes with its experiment, or with its parent. */
  readonly deleted: boolean;
  /** Null where MLflow did not write it down: before 1.28 for runs. */
  readonly deletedAt: number | null;
  /** Where its record is, for the store itself. */
  readonly place?: string;
}

/** Which of the deleted things are meant; null is all. */
export interface Scope {
  readonly ids: readonly string[] | null;
  readonly experiments: readonly string[] | null;
}

/** What is old enough. */
export interface Age {
  /** Deleted at this time or before. */
  readonly before: number;
  /** What has no time of its deletion counts as old. */
  readonly undated: boolean;
}

/** Why something that is deleted is needed all the same. */
export interface Dependant {
  readonly id: string;
  readonly kind: 'run' | 'model';
  /** In words: `version 3 of the registered model "m" (alias champion)`. */
  readonly by: string;
  /** The experiment of what is needed. */
  readonly experiment: string;
  /** The experiment that the dependant is in and goes with; null for the model registry. */
  readonly within: string | null;
}

export type RowCounts = Readonly<Record<string, number>>;

export interface Removed {
  readonly rows: RowCounts;
  readonly ids: readonly string[];
  /** Not deleted any more: somebody has restored them meanwhile. */
  readonly restored: readonly string[];
}

export interface TrashSource {
  /** By the store's own clock. */
  now(): Promise<number>;

  /** Deleted experiments. */
  experiments(scope: Pick<Scope, 'experiments'>): Promise<readonly Item[]>;
  /** Where the artifacts of every experiment are, deleted or not. */
  places(): Promise<readonly { readonly experiment: string; readonly location: string }[]>;
  /** Ids of experiments with these names, deleted or not. */
  idsOf(names: readonly string[]): Promise<readonly { readonly id: string; readonly name: string }[]>;
  /** How many are deleted and old enough. */
  countDeleted(kind: 'run' | 'model', scope: Scope, age: Age): Promise<number>;
  /** Deleted and old enough, in pages. */
  deleted(kind: 'run' | 'model', scope: Scope, age: Age): AsyncIterable<readonly Item[]>;
  /** Everything of a kind in an experiment, whether it is deleted or not, in pages. */
  within(experiment: string, kind: 'run' | 'model' | 'trace'): AsyncIterable<readonly Item[]>;
  /** Runs that are nested in these, at any depth. */
  nested(parents: readonly string[]): AsyncIterable<readonly Item[]>;
  /** Finished jobs that were made at this time or before. */
  jobs(ids: readonly string[] | null, before: number): AsyncIterable<readonly Item[]>;
  /** What of these there is, with its state. */
  find(kind: Kind, ids: readonly string[]): Promise<readonly Item[]>;

  /** How many of an experiment's deleted runs are not old enough, and how many have no time of deletion. */
  notDue(experiment: string, age: Age): Promise<{ readonly young: number; readonly undated: number }>;
  /** Deleted runs without a time of deletion. */
  countUndated(scope: Scope): Promise<number>;
  /** What needs runs and models that are deleted, or are in a deleted experiment. */
  dependants(): Promise<readonly Dependant[]>;
  /** Which of these ids versions in the model registry name, with the words for one of them. */
  namedByVersions(ids: ReadonlySet<string>): Promise<ReadonlyMap<string, string>>;
  /** What else refers to an experiment and would be broken without it, in words. */
  hindrances(experiment: string): Promise<readonly string[]>;
  /**
   * Where things that stay have their artifacts: URIs, in which a `*` stands for the thing's own id. Things that are
   * deleted and old enough do not count.
   */
  living(age: Age): AsyncIterable<string>;

  /** Rows that `remove` would remove. @param isGone told of what was counted before, so that no row is counted twice */
  count(kind: Kind, items: readonly Item[], isGone: (kind: Kind, id: string) => boolean): Promise<RowCounts>;
  /** All rows of these, or none. @param within the experiment that they go with; while it is deleted */
  remove(kind: Kind, items: readonly Item[], within: string | null): Promise<Removed>;
  /** How many may be removed at a time: more while that takes a moment, less when it takes long. */
  readonly batch: { readonly least: number; readonly most: number };
  /** Gives the room of removed rows back to the system, as far as that can be done. */
  giveBack(tables: readonly string[]): Promise<void>;
  /** Why the artifacts of a thing are not this store's to delete, in words; null when they are. */
  refusal(item: Item): string | null;
}

/** Takes things out of the trash, as MLflow does. @throws {StoreError} where that cannot be */
export interface Restorer {
  /** With all of its runs, whenever they were deleted. */
  experiment(id: string): Promise<void>;
  run(id: string): Promise<void>;
}

/** A store whose trash can be looked at, and worked on by one at a time. */
export interface OpenTrash {
  /** Nothing is written. */
  look<T>(wait: LockWait, use: (source: TrashSource) => Promise<T>): Promise<T>;
  /** @throws {MtrackError} LOCKED while another one is at work */
  work<T>(wait: LockWait, use: (source: TrashSource, restorer: Restorer) => Promise<T>): Promise<T>;
}
