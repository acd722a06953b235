/** Rows with the URIs of their artifacts in a new place. */
import type { Row } from '../../rows/values.js';
import type { Table } from '../../schema/model.js';
import type { Batch } from '../source.js';
import { type PlaceInRows, placesIn } from './places.js';
import type { UriMap } from './uri-map.js';

/** A URI that changes. */
export interface Moved {
  readonly from: string;
  readonly to: string;
}

export class Rewriting {
  readonly #map: UriMap;
  readonly #places = new Map<string, readonly PlaceInRows[]>();
  readonly #onMoved: (where: PlaceInRows, moved: Moved) => void;

  /** @param onMoved told of each URI that changes */
  constructor(map: UriMap, onMoved: (where: PlaceInRows, moved: Moved) => void) {
    this.#map = map;
    this.#onMoved = onMoved;
  }

  batch(batch: Batch): Batch {
    const places = this.#placesOf(batch.table);
    return places.length === 0 ? batch : { table: batch.table, rows: batch.rows.map((row) => this.#row(row, places)) };
  }

  /** The row itself where nothing in it changes. */
  row(table: Table, row: Row): Row {
    return this.#row(row, this.#placesOf(table));
  }

  #row(row: Row, places: readonly PlaceInRows[]): Row {
    let changed = row;
    for (const where of places) {
      const { at, keyAt, place } = where;
      const from = row[at];
      if (typeof from !== 'string' || (keyAt >= 0 && !place.keys?.includes(String(row[keyAt])))) continue;
      const to = this.#map.moved(from);
      if (to === null || to === from) continue;
      this.#onMoved(where, { from, to });
      changed = changed.with(at, to);
    }
    return changed;
  }

  #placesOf(table: Table): readonly PlaceInRows[] {
    const known = this.#places.get(table.name);
    if (known) return known;
    const places = placesIn(table);
    this.#places.set(table.name, places);
    return places;
  }
}
