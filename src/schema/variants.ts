/** Schemas that MLflow itself has made and that differ from what its revisions declare: no drift, and no hindrance. */
import type { Difference } from './diff.js';

/** Each with where it comes from. @see isKnownVariant */
const VARIANTS: readonly ((difference: Difference, revision: string) => boolean)[] = [
  // MLflow 0.9 had the value in the primary key of metrics; the first revision replaces that key anyway.
  ({ table, element, found }) =>
    table === 'metrics' && element === 'primary key' && found === '(key, timestamp, run_uuid, value)',
  // With SQLAlchemy before 1.4, the table had from its beginning the check that 39d1c3be5f05 adds.
  ({ table, element, kind, found }) =>
    table === 'latest_metrics' && element === 'check' && kind === 'extra' && found === 'is_nan in (0, 1)',
  // MLflow 1.5 let the check that refuses KILLED stand beside the one that allows it, and 1.6 dropped it.
  ({ table, element, kind, found }, revision) =>
    revision === 'cfd24bdc0731' &&
    table === 'runs' &&
    element === 'check' &&
    kind === 'extra' &&
    found === 'status in (SCHEDULED, FAILED, FINISHED, RUNNING)',
];

/** Whether MLflow itself has made such a difference from what its migrations declare for a revision. */
export function isKnownVariant(difference: Difference, revision: string): boolean {
  return VARIANTS.some((is) => is(difference, revision));
}
