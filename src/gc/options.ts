/** What is asked of a garbage collection. */
import type { Progress } from './progress.js';

export interface GcOptions {
  /** Milliseconds that something must have been deleted for; null is no limit. */
  readonly olderThan: number | null;
  /** What to do with what is deleted and has no time of its deletion. */
  readonly undated: 'skip' | 'treat-as-old';

  /** Selectors; null is all. Each makes less of what there is, and one of ids leaves the other kinds alone. */
  readonly runIds: readonly string[] | null;
  readonly modelIds: readonly string[] | null;
  readonly jobIds: readonly string[] | null;
  readonly experimentIds: readonly string[] | null;
  readonly experimentNames: readonly string[] | null;
  /** Whether finished jobs go as well. */
  readonly jobs: boolean;

  /** Also what registered models and living logged models depend on. */
  readonly force: boolean;
  /** Runs that are nested in one that goes. */
  readonly children: 'keep' | 'with-parent';

  /** Things whose artifacts are deleted at a time. */
  readonly concurrency: number;
  readonly maxRuns: number | null;
  /** Milliseconds. */
  readonly maxDuration: number | null;
  /** Things a second, at the most. */
  readonly throttle: number | null;

  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}
