/** What an upgrade tells while it runs. The core emits these; the command line shows them. */
import type { Blocker } from '../dialect/dialect.js';
import type { PlannedRevision, Step } from './plan.js';

export type Progress =
  /** Another upgrade, or another session, holds what is needed. */
  | { readonly event: 'waiting'; readonly blockers: readonly Blocker[]; readonly forMs: number }
  | { readonly event: 'locked' }
  | { readonly event: 'revision'; readonly planned: PlannedRevision; readonly index: number; readonly of: number }
  | { readonly event: 'step'; readonly step: Step; readonly index: number; readonly of: number }
  /** Rows of the step's current statement; `total` is an estimate where the database gives no better. */
  | { readonly event: 'rows'; readonly done: number; readonly total: number | null; readonly what: string }
  /** Work inside the server, in its own units. */
  | { readonly event: 'server'; readonly phase: string; readonly done: number; readonly total: number }
  | { readonly event: 'revision-done'; readonly planned: PlannedRevision }
  /** The connection broke; the state of the database decides how to go on. */
  | { readonly event: 'reconnecting'; readonly attempt: number; readonly because: string }
  | { readonly event: 'verifying' };

export type OnProgress = (progress: Progress) => void;
