/**
 * Whose artifacts are at a location. Only what lies in a folder of the thing's own is ever deleted: one that has the id of
 * the run in its path, as MLflow makes them, and in which, or around which, nothing has its artifacts that stays.
 */
import type { Item } from './source.js';

const STAR = '*';

export class Locations {
  /** Of living things: places with `*` for their ids, and the names in their paths. */
  readonly #places = new Set<string>();
  readonly #names = new Map<string, string[]>();
  readonly #placeOf: (uri: string) => string;

  /** @param placeOf a location as text that is the same for all that lead to it; may throw */
  constructor(placeOf: (uri: string) => string) {
    this.#placeOf = placeOf;
  }

  /** @param uri of something that stays, with `*` for its own id */
  addLiving(uri: string): void {
    const place = this.#tryPlaceOf(uri);
    if (place === null || this.#places.has(place)) return;
    this.#places.add(place);
    for (const name of place.split('/')) {
      if (name === '' || name === STAR) continue;
      const places = this.#names.get(name);
      if (places) places.push(place);
      else this.#names.set(name, [place]);
    }
  }

  /** What cannot be read leads nowhere that is known here. */
  #tryPlaceOf(uri: string): string | null {
    try {
      return this.#placeOf(uri);
    } catch {
      return null;
    }
  }

  /** The store that a location is in, to tell one that is out of reach from others. */
  storeOf(uri: string): string {
    return /^[a-z][a-z\d+.-]*:\/\/[^/]*/i.exec(this.#placeOf(uri))?.[0] ?? uri;
  }

  /**
   * Why the artifacts of a thing must not be deleted; null when they may.
   * @throws what `placeOf` does
   */
  refusal({ id, location }: Item): { reason: 'shared' | 'foreign-location'; because: string } | null {
    if (location === null) return null;
    const place = this.#placeOf(location);
    if (!place.split('/').includes(id)) {
      const because = `its artifacts are at ${location}, which is no folder of its own`;
      return { reason: 'foreign-location', because };
    }
    const other = this.#inside(id, place) ?? this.#around(id, place);
    return other === null ? null : { reason: 'shared', because: `${location} is shared with ${other}, which stays` };
  }

  /** Something that stays, at this place or in it: its path then has the id in it, too. */
  #inside(id: string, place: string): string | null {
    return this.#names.get(id)?.find((other) => other === place || other.startsWith(`${place}/`)) ?? null;
  }

  /** Something that stays, in whose folder this place is. */
  #around(id: string, place: string): string | null {
    const names = place.split('/');
    for (let length = names.length - 1; length > 0; length--) {
      const above = names.slice(0, length);
      const candidates = [
        above.join('/'),
        ...above.flatMap((name, at) => (name === id ? [] : [above.with(at, STAR).join('/')])),
      ];
      const found = candidates.find((candidate) => this.#places.has(candidate));
      if (found !== undefined) return found;
    }
    return null;
  }
}
