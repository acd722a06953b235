/** What a collection tells while it is at work. */
export type Progress =
  /** Before the first thing goes. `total`: deleted runs that are old enough; null where none are asked for. */
  | { readonly event: 'begun'; readonly total: number | null }
  /** So far: runs, all things together, and bytes of artifacts. */
  | { readonly event: 'removed'; readonly runs: number; readonly all: number; readonly bytes: number };
