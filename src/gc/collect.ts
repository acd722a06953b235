/**
 * Garbage collection over any store: experiments whole or not at all, then deleted runs and logged models, then jobs. Of each
 * thing the artifacts go first and the rows after: one whose artifacts cannot be deleted stays, for the next time.
 */
import { Clearing } from './clearing.js';
import { type Doubts, doubtsOf } from './doubts.js';
import type { Effects } from './effects.js';
import type { Locations } from './locations.js';
import type { GcOptions } from './options.js';
import { Ledger, type Report } from './report.js';
import { type Selection, select } from './selection.js';
import type { Age, Item, Scope, TrashSource } from './source.js';

export interface Parts {
  readonly source: TrashSource;
  readonly locations: Locations;
  /** @param isGone of what this collection has removed already */
  readonly effects: (isGone: Ledger['isGone']) => Effects;
}

/** @throws {MtrackError} where the store itself fails; what fails for one thing alone is in the report */
export async function collect(parts: Parts, options: GcOptions): Promise<Report> {
  const now = await parts.source.now();
  const age = { before: now - (options.olderThan ?? 0), undated: options.undated === 'treat-as-old' };
  return new Collection(parts, options, age, await select(parts.source, options)).run();
}

class Collection {
  readonly #parts: Parts;
  readonly #source: TrashSource;
  readonly #options: GcOptions;
  readonly #age: Age;
  readonly #selection: Selection;
  readonly #ledger = new Ledger();
  readonly #clearing: Clearing;
  #doubts: Promise<Doubts> | undefined;

  constructor(parts: Parts, options: GcOptions, age: Age, selection: Selection) {
    const { source, locations, effects } = parts;
    this.#parts = parts;
    this.#source = source;
    this.#options = options;
    this.#age = age;
    this.#selection = selection;
    this.#clearing = new Clearing(source, locations, effects(this.#ledger.isGone), options, this.#ledger);
  }

  async run(): Promise<Report> {
    const { runs, models, jobs, experiments } = this.#selection;
    const total = runs === null ? null : await this.#source.countDeleted('run', runs, this.#age);
    this.#options.onProgress({ event: 'begun', total });
    if (experiments !== null) await this.#experiments(experiments);
    if (runs !== null && total !== 0) await this.#runs(runs);
    if (models !== null) await this.#models(models);
    if (jobs !== null) await this.#each(this.#source.jobs(jobs.ids, this.#age.before), null);
    if (runs !== null && !this.#age.undated) this.#ledger.undated = await this.#source.countUndated(runs);
    await this.#selection.explain(this.#source, this.#ledger, this.#age);
    return this.#ledger.report();
  }

  /** What must be known of the whole store before the first thing goes: not asked where there is none. */
  #prepared(): Promise<Doubts> {
    this.#doubts ??= (async () => {
      for await (const uri of this.#source.living(this.#age)) this.#parts.locations.addLiving(uri);
      return doubtsOf(this.#source, this.#options.force);
    })();
    return this.#doubts;
  }

  async #experiments(scope: Pick<Scope, 'experiments'>): Promise<void> {
    for (const experiment of await this.#source.experiments(scope)) {
      if (this.#clearing.isStopped) return;
      if (await this.#staysWhole(experiment)) continue;
      const { id } = experiment;
      const left = this.#ledger.countLeft;
      for (const kind of ['run', 'model', 'trace'] as const) await this.#each(this.#source.within(id, kind), id);
      if (this.#clearing.isStopped) return;
      if (this.#ledger.countLeft > left) {
        const because = 'something in it stays: see there';
        this.#ledger.keep({ kind: 'experiment', id, reason: 'incomplete', because });
      } else await this.#clearing.rows('experiment', [experiment], null);
    }
  }

  /** Nothing of an experiment is touched while there is something in it that must stay. */
  async #staysWhole({ id, deletedAt }: Item): Promise<boolean> {
    if (deletedAt === null ? !this.#age.undated : deletedAt > this.#age.before) {
      const because = 'it is deleted, and nobody knows since when';
      if (deletedAt === null) this.#ledger.keep({ kind: 'experiment', id, reason: 'undated', because });
      return true;
    }
    const doubts = await this.#prepared();
    const reason = await doubts.ofExperiment(this.#source, id, this.#age);
    if (reason) this.#ledger.keep({ kind: 'experiment', id, ...reason });
    return reason !== null;
  }

  async #runs(scope: Scope): Promise<void> {
    for await (const page of this.#source.deleted('run', scope, this.#age)) {
      if (this.#clearing.isStopped) return;
      const going = await this.#withoutNeeded(page);
      await this.#clearing.clear(going, null);
      if (this.#options.children === 'keep') continue;
      const parents = going.map(({ id }) => id).filter((id) => this.#ledger.isGone('run', id));
      for await (const nested of this.#source.nested(parents)) {
        await this.#clearing.clear(await this.#withoutNeeded(nested), null);
      }
    }
  }

  async #models(scope: Scope): Promise<void> {
    for await (const page of this.#source.deleted('model', scope, this.#age)) {
      if (this.#clearing.isStopped) return;
      await this.#clearing.clear(await this.#withoutNeeded(page), null);
    }
  }

  async #each(pages: AsyncIterable<readonly Item[]>, within: string | null): Promise<void> {
    for await (const page of pages) {
      if (this.#clearing.isStopped) return;
      await this.#clearing.clear(page, within);
    }
  }

  async #withoutNeeded(items: readonly Item[]): Promise<Item[]> {
    const doubts = await this.#prepared();
    return items.filter((item) => {
      if (this.#ledger.isDecided(item.kind, item.id)) return false;
      const because = doubts.of(item);
      if (because !== null) this.#ledger.keep({ kind: item.kind, id: item.id, reason: 'needed', because });
      return because === null;
    });
  }
}
