import type { UriMap } from './uri-map.js';

export interface Relocation {
  readonly map: UriMap;
  readonly signal: AbortSignal;
}

export interface Relocated {
  /** How many URIs change, or changed, by column; those of which none does are among them. */
  readonly counts: ReadonlyMap<string, number>;
}
