/** Schemas that MLflow itself has made and that differ from what its revisions declare: no drift, and no hindrance. */
import type { Difference } from './diff.js';

/** Each with where it comes from. */
const VARIANTS: readonly ((difference: Difference) => boolean)[] = [
  // MLflow 0.9 had the value in the primary key of metrics; the first revision replaces that key anyway.
  ({ table, element, found }) =>
    table === 'metrics' && element === 'primary key' && found === '(key, timestamp, run_uuid, value)',
  // With SQLAlchemy before 1.4, the table had from its beginning the check that 39d1c3be5f05 adds.
  ({ table, element, kind, found }) =>
    table === 'latest_metrics' && element === 'check' && kind === 'extra' && found === 'is_nan in (0, 1)',
];

export function isKnownVariant(difference: Difference): boolean {
  return VARIANTS.some((is) => is(difference));
}
