/** What a transfer tells while it runs. The core emits these; the command line shows them. */
import type { Blocker } from '../dialect/dialect.js';

export type Progress =
  | { readonly event: 'waiting'; readonly blockers: readonly Blocker[]; readonly forMs: number }
  | { readonly event: 'phase'; readonly phase: Phase }
  /** Rows of one table since the phase began; `total` is null where it is not known. */
  | {
      readonly event: 'rows';
      readonly phase: Phase;
      readonly table: string;
      readonly rows: number;
      readonly total: number | null;
      /** Of the rows as text. */
      readonly bytes: number;
    };

export type Phase = 'bring' | 'look' | 'load' | 'write' | 'verify';

export type OnProgress = (progress: Progress) => void;

/** Adds up what goes by, table by table. */
export class Meter {
  readonly #phase: Phase;
  readonly #onProgress: OnProgress;
  readonly #totals: ReadonlyMap<string, number>;
  readonly rows = new Map<string, number>();
  readonly bytes = new Map<string, number>();

  constructor(phase: Phase, onProgress: OnProgress, totals: ReadonlyMap<string, number> = new Map()) {
    this.#phase = phase;
    this.#onProgress = onProgress;
    this.#totals = totals;
    onProgress({ event: 'phase', phase });
  }

  add(table: string, rows: number, bytes: number): void {
    this.rows.set(table, (this.rows.get(table) ?? 0) + rows);
    this.bytes.set(table, (this.bytes.get(table) ?? 0) + bytes);
    this.#onProgress({
      event: 'rows',
      phase: this.#phase,
      table,
      rows: this.rows.get(table) ?? 0,
      total: this.#totals.get(table) ?? null,
      bytes: this.bytes.get(table) ?? 0,
    });
  }
}
