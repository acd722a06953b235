/** A source whose artifacts are to be elsewhere: its rows with the URIs of the new places. */
import type { Batch, Source } from '../source.js';
import { Rewriting } from './rewriting.js';
import type { UriMap } from './uri-map.js';

/** What a source is about to bring along. */
export class Moves {
  /** Places of artifacts that things have for their own, old to new, none of them inside another one. */
  readonly roots = new Map<string, string>();
  /** How many URIs change, by column. */
  readonly counts = new Map<string, number>();

  add(name: string, from: string, to: string, isOwn: boolean): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    if (isOwn && !this.#isInside(from)) this.roots.set(from, to);
  }

  /** A version of a model mostly lies within the artifacts of its run. */
  #isInside(uri: string): boolean {
    for (let end = uri.length; end > 0; end = uri.lastIndexOf('/', end - 1)) {
      if (this.roots.has(uri.slice(0, end))) return true;
    }
    return false;
  }
}

/**
 * @param moves filled when the source is read for the first time
 */
export function movedSource<Of extends Source>(source: Of, map: UriMap, moves: Moves): Of {
  if (map.isEmpty) return source;
  let isRead = false;
  return {
    ...source,
    // Texts of other lengths: the columns of its own database say nothing of them.
    dialect: undefined,
    async *batches(signal, problems): AsyncGenerator<Batch> {
      const counts = !isRead;
      isRead = true;
      const rewriting = new Rewriting(map, ({ name, place }, { from, to }) => {
        if (counts) moves.add(name, from, to, place.isOwn);
      });
      for await (const batch of source.batches(signal, problems)) yield rewriting.batch(batch);
    },
    async *only(tables, signal, among): AsyncGenerator<Batch> {
      const rewriting = new Rewriting(map, () => undefined);
      for await (const batch of source.only(tables, signal, among)) yield rewriting.batch(batch);
    },
  };
}
