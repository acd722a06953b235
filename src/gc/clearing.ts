/** Things that go: of each the artifacts first, many at a time, then the rows of all whose artifacts are gone. */
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { messageOf } from '../errors.js';
import type { Effects } from './effects.js';
import type { Locations } from './locations.js';
import type { GcOptions } from './options.js';
import type { Ledger } from './report.js';
import type { Item, Kind, TrashSource } from './source.js';

/** Failures of one store in a row, with no success between them, after which it is taken for being out of reach. */
const UNREACHABLE_AFTER = 20;
/** Milliseconds: transactions shorter than this may be larger, longer ones must be smaller. */
const SHORT = 500;
const LONG = 2000;
const FIRST_BATCH = 100;

export class Clearing {
  readonly #source: TrashSource;
  readonly #locations: Locations;
  readonly #effects: Effects;
  readonly #options: GcOptions;
  readonly #ledger: Ledger;
  readonly #limit: ReturnType<typeof pLimit>;
  readonly #began = Date.now();
  /** Of each store, how many times in a row it failed, and how the last time. */
  readonly #failures = new Map<string, { times: number; cause: string }>();
  #batch: number;
  #handled = 0;

  constructor(source: TrashSource, locations: Locations, effects: Effects, options: GcOptions, ledger: Ledger) {
    this.#source = source;
    this.#locations = locations;
    this.#effects = effects;
    this.#options = options;
    this.#ledger = ledger;
    this.#limit = pLimit(options.concurrency);
    const { least, most } = source.batch;
    this.#batch = Math.max(least, Math.min(most, FIRST_BATCH));
  }

  /** Whether nothing more is to be begun. */
  get isStopped(): boolean {
    const { maxRuns } = this.#options;
    const isEnough = maxRuns !== null && this.#ledger.countRemoved('run') >= maxRuns;
    if (!this.#isCutShort() && isEnough) this.#ledger.stopped ??= 'max-runs';
    return this.#ledger.stopped !== null;
  }

  /** Not even what lies ready is to be begun. */
  #isCutShort(): boolean {
    const { signal, maxDuration } = this.#options;
    const isLate = maxDuration !== null && Date.now() - this.#began > maxDuration;
    if (signal.aborted) this.#ledger.stopped ??= 'signal';
    else if (isLate) this.#ledger.stopped ??= 'max-duration';
    return signal.aborted || isLate;
  }

  /** @param items of one kind @param within the experiment that they go with; null for those that go by themselves */
  async clear(items: readonly Item[], within: string | null): Promise<void> {
    const [first] = items;
    if (first === undefined) return;
    const undecided = items.filter(({ kind, id }) => !this.#ledger.isDecided(kind, id));
    const going = this.#cut(first.kind, undecided).filter((item) => this.#isItsOwn(item));
    const cleared = await Promise.all(going.map((item) => this.#limit(() => this.#artifacts(item))));
    const gone = going.filter((_, i) => cleared[i]);
    await this.rows(first.kind, gone, within);
  }

  async rows(kind: Kind, items: readonly Item[], within: string | null): Promise<void> {
    for (let at = 0; at < items.length; ) {
      const began = Date.now();
      const batch = items.slice(at, at + this.#batch);
      at += batch.length;
      const { ids, rows, restored } = await this.#effects.rows(kind, batch, within);
      this.#ledger.remove(kind, ids, rows);
      for (const id of restored) {
        const because = 'it was restored while it was being removed: its artifacts are gone';
        this.#ledger.keep({ kind, id, reason: 'restored', because });
      }
      this.#handled += ids.length;
      this.#resize(batch.length, Date.now() - began);
      const { bytes } = this.#ledger;
      this.#options.onProgress({
        event: 'removed',
        runs: this.#ledger.countRemoved('run'),
        all: this.#handled,
        bytes,
      });
      await this.#pause();
    }
  }

  #resize(size: number, took: number): void {
    const { least, most } = this.#source.batch;
    if (took > LONG) this.#batch = Math.max(least, Math.floor(this.#batch / 2));
    else if (took < SHORT && size === this.#batch) this.#batch = Math.min(most, this.#batch * 2);
  }

  /** As many runs as may still go. */
  #cut(kind: Kind, items: readonly Item[]): readonly Item[] {
    const { maxRuns } = this.#options;
    if (kind !== 'run' || maxRuns === null) return items;
    const left = maxRuns - this.#ledger.countRemoved('run');
    if (items.length > left) this.#ledger.stopped = 'max-runs';
    return items.slice(0, left);
  }

  #isItsOwn(item: Item): boolean {
    const { kind, id, location } = item;
    try {
      const because = this.#source.refusal(item);
      const refusal =
        because === null ? this.#locations.refusal(item) : ({ reason: 'foreign-location', because } as const);
      if (refusal) this.#ledger.keep({ kind, id, ...refusal });
      return refusal === null;
    } catch (error) {
      this.#ledger.fail({ kind, id, location, cause: messageOf(error) });
      return false;
    }
  }

  /** Whether they are gone now. */
  async #artifacts(item: Item): Promise<boolean> {
    const { kind, id, location } = item;
    if (this.#isCutShort()) return false;
    if (location === null) return true;
    const store = this.#locations.storeOf(location);
    const before = this.#failures.get(store);
    try {
      if (before && before.times >= UNREACHABLE_AFTER)
        throw new Error(`not tried, as others had failed: ${before.cause}`);
      this.#ledger.artifacts(await this.#effects.artifacts({ ...item, location }));
      this.#failures.delete(store);
      return true;
    } catch (error) {
      const cause = messageOf(error);
      if (!before || before.times < UNREACHABLE_AFTER)
        this.#failures.set(store, { times: (before?.times ?? 0) + 1, cause });
      this.#ledger.fail({ kind, id, location, cause });
      return false;
    }
  }

  async #pause(): Promise<void> {
    const { throttle, signal } = this.#options;
    if (throttle === null) return;
    const ahead = (this.#handled / throttle) * 1000 - (Date.now() - this.#began);
    if (ahead > 0) await sleep(ahead, undefined, { signal }).catch(() => undefined);
  }
}
