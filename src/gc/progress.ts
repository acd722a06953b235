import type { Blocker } from '../dialect/dialect.js';

export type Progress =
  | { readonly event: 'waiting'; readonly blockers: readonly Blocker[] }
  /** Before the first one. @property total null where it is not known */
  | { readonly event: 'begun'; readonly total: number | null }
  | { readonly event: 'removed'; readonly runs: number; readonly all: number; readonly bytes: number };
