/** Schemas that MLflow itself has made and that differ from what its revisions declare: no drift, and no hindrance. */
import type { Difference } from './diff.js';

/** MLflow 0.9 had the value in the primary key of metrics; the first revision replaces that key anyway. */
export function isKnownVariant({ table, element, found }: Difference): boolean {
  return table === 'metrics' && element === 'primary key' && found === '(key, timestamp, run_uuid, value)';
}
