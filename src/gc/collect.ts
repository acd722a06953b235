/**
 * Garbage collection over any store: experiments whole or not at all, then deleted runs and logged models, then jobs. Of each
 * thing the artifacts go first and the rows after: one whose artifacts cannot be deleted stays, for the next time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { messageOf } from '../errors.js';
import { type Doubts, doubtsOf } from './doubts.js';
import type { Effects } from './effects.js';
import type { Locations } from './locations.js';
import type { GcOptions } from './options.js';
import { Ledger, type Report } from './report.js';
import { type Selection, select } from './selection.js';
import type { Age, Experiment, Item, Kind, Scope, TrashSource } from './source.js';

export interface Parts {
  readonly source: TrashSource;
  readonly locations: Locations;
  /** @param isGone of what the run has removed already */
  readonly effects: (isGone: Ledger['isGone']) => Effects;
}

/** @throws {MtrackError} where the store itself fails; what fails for one thing alone is in the report */
export async function collect(parts: Parts, options: GcOptions): Promise<Report> {
  const now = await parts.source.now();
  const age = { before: now - (options.olderThan ?? 0), undated: options.undated === 'treat-as-old' };
  for await (const uri of parts.source.living(age)) parts.locations.addLiving(uri);
  const selection = await select(parts.source, options);
  const doubts = await doubtsOf(parts.source, options.force);
  return new Collection(parts, options, age, selection, doubts).run();
}

class Collection {
  readonly #source: TrashSource;
  readonly #locations: Locations;
  readonly #effects: Effects;
  readonly #options: GcOptions;
  readonly #age: Age;
  readonly #selection: Selection;
  readonly #doubts: Doubts;
  readonly #ledger = new Ledger();
  readonly #limit: ReturnType<typeof pLimit>;
  readonly #began = Date.now();
  #handled = 0;

  constructor(
    { source, locations, effects }: Parts,
    options: GcOptions,
    age: Age,
    selection: Selection,
    doubts: Doubts,
  ) {
    this.#source = source;
    this.#locations = locations;
    this.#effects = effects(this.#ledger.isGone);
    this.#options = options;
    this.#age = age;
    this.#selection = selection;
    this.#doubts = doubts;
    this.#limit = pLimit(options.concurrency);
  }

  async run(): Promise<Report> {
    const { runs, models, jobs, experiments } = this.#selection;
    const total = runs === null ? null : await this.#source.countDeleted('run', runs, this.#age);
    this.#options.onProgress({ event: 'begun', total });
    if (experiments !== null) await this.#experiments(experiments);
    if (runs !== null) await this.#runs(runs);
    if (models !== null) await this.#models(models);
    if (jobs !== null) await this.#each(this.#source.jobs(jobs.ids, this.#age.before));
    if (runs !== null && !this.#age.undated) this.#ledger.undated = await this.#source.countUndated(runs);
    await this.#selection.explain(this.#source, this.#ledger, this.#age);
    return this.#ledger.report();
  }

  async #experiments(scope: Pick<Scope, 'experiments'>): Promise<void> {
    for (const experiment of await this.#source.experiments(scope)) {
      if (this.#stopped()) return;
      if (await this.#staysWhole(experiment)) continue;
      const left = this.#ledger.countLeft;
      for (const kind of ['run', 'model', 'trace'] as const) await this.#each(this.#source.within(experiment.id, kind));
      if (this.#stopped()) return;
      if (this.#ledger.countLeft > left) {
        const because = 'something in it stays: see there';
        this.#ledger.keep({ kind: 'experiment', id: experiment.id, reason: 'incomplete', because });
      } else await this.#rows('experiment', [itemOf(experiment)]);
    }
  }

  /** Nothing of an experiment is touched while there is something in it that must stay. */
  async #staysWhole(experiment: Experiment): Promise<boolean> {
    const { id, deletedAt } = experiment;
    if (deletedAt === null ? !this.#age.undated : deletedAt > this.#age.before) {
      const because = 'it is deleted, and nobody knows since when';
      if (deletedAt === null) this.#ledger.keep({ kind: 'experiment', id, reason: 'undated', because });
      return true;
    }
    const reason = await this.#doubts.ofExperiment(this.#source, id, this.#age);
    if (reason) this.#ledger.keep({ kind: 'experiment', id, ...reason });
    return reason !== null;
  }

  async #runs(scope: Scope): Promise<void> {
    for await (const page of this.#source.deleted('run', scope, this.#age)) {
      if (this.#stopped()) return;
      const going = this.#withoutNeeded(page);
      await this.#clear(going);
      if (this.#options.children === 'keep') continue;
      const parents = going.map(({ id }) => id).filter((id) => this.#ledger.isGone('run', id));
      for await (const nested of this.#source.nested(parents)) await this.#clear(this.#withoutNeeded(nested));
    }
  }

  async #models(scope: Scope): Promise<void> {
    for await (const page of this.#source.deleted('model', scope, this.#age)) {
      if (this.#stopped()) return;
      await this.#clear(this.#withoutNeeded(page));
    }
  }

  async #each(pages: AsyncIterable<readonly Item[]>): Promise<void> {
    for await (const page of pages) {
      if (this.#stopped()) return;
      await this.#clear(page);
    }
  }

  #withoutNeeded(items: readonly Item[]): Item[] {
    return items.filter((item) => {
      if (this.#ledger.isDecided(item.kind, item.id)) return false;
      const because = this.#doubts.of(item);
      if (because !== null) this.#ledger.keep({ kind: item.kind, id: item.id, reason: 'needed', because });
      return because === null;
    });
  }

  // ---------------------------------------------------------------- one page

  async #clear(page: readonly Item[]): Promise<void> {
    const [first] = page;
    if (first === undefined) return;
    const undecided = page.filter(({ kind, id }) => !this.#ledger.isDecided(kind, id));
    const going = this.#cut(first.kind, undecided).filter((item) => this.#isItsOwn(item));
    const cleared = await Promise.all(going.map((item) => this.#limit(() => this.#artifacts(item))));
    await this.#rows(
      first.kind,
      going.filter((_, i) => cleared[i]),
    );
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
    try {
      const refusal = this.#locations.refusal(item);
      if (refusal) this.#ledger.keep({ kind: item.kind, id: item.id, ...refusal });
      return refusal === null;
    } catch (error) {
      this.#ledger.fail({ kind: item.kind, id: item.id, location: item.location, cause: messageOf(error) });
      return false;
    }
  }

  /** Whether they are gone now. */
  async #artifacts(item: Item): Promise<boolean> {
    const { kind, id, location } = item;
    if (location === null) return true;
    try {
      this.#ledger.artifacts(await this.#effects.artifacts({ ...item, location }));
      return true;
    } catch (error) {
      this.#ledger.fail({ kind, id, location, cause: messageOf(error) });
      return false;
    }
  }

  async #rows(kind: Kind, items: readonly Item[]): Promise<void> {
    const most = this.#source.most;
    for (let at = 0; at < items.length; at += most) {
      const { ids, rows, restored } = await this.#effects.rows(kind, items.slice(at, at + most));
      this.#ledger.remove(kind, ids, rows);
      for (const id of restored) {
        const because = 'it was restored while it was being removed; its artifacts are gone';
        this.#ledger.keep({ kind, id, reason: 'restored', because });
      }
      this.#handled += ids.length;
      const runs = this.#ledger.countRemoved('run');
      this.#options.onProgress({ event: 'removed', runs, all: this.#handled, bytes: this.#ledger.bytes });
      await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    const { throttle } = this.#options;
    if (throttle === null) return;
    const ahead = (this.#handled / throttle) * 1000 - (Date.now() - this.#began);
    if (ahead > 0) await sleep(ahead, undefined, { signal: this.#options.signal }).catch(() => undefined);
  }

  #stopped(): boolean {
    const { signal, maxDuration, maxRuns } = this.#options;
    if (this.#ledger.stopped === null) {
      if (signal.aborted) this.#ledger.stopped = 'signal';
      else if (maxDuration !== null && Date.now() - this.#began > maxDuration) this.#ledger.stopped = 'max-duration';
      else if (maxRuns !== null && this.#ledger.countRemoved('run') >= maxRuns) this.#ledger.stopped = 'max-runs';
    }
    return this.#ledger.stopped !== null;
  }
}

const itemOf = ({ id, deletedAt }: Experiment): Item => ({
  kind: 'experiment',
  id,
  experiment: id,
  location: null,
  deleted: true,
  deletedAt,
});
