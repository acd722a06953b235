/**
 * Suites name experiments by the ids that a database gives: 1 is the first that was made, 2 the second. In a file store ids
 * are random, and these names become references to what making the experiment answered.
 */
import type { Answer, Call, Reference } from './oracle.js';

export class NumberedExperiments {
  /** Places of the calls that made experiments. */
  readonly #made: number[] = [];

  /** The call with references in it. */
  in([method, args]: Call): Call {
    const [first, ...rest] = args;
    if (method === 'traces.getInfos') return [method, [first, ...rest.map((ids) => this.#named(ids))]];
    const isId = ['traces.delete', 'runs.searchDatasets'].includes(method) || isOfOneExperiment(method);
    return [method, [isId ? this.#named(first) : this.#within(first), ...rest.map((each) => this.#within(each))]];
  }

  /** To be told of each call that was made, after its answer. @param at its place among all */
  note([method]: Call, at: number, answer: Answer | undefined): void {
    if (method === 'experiments.create' && answer !== undefined && 'result' in answer) this.#made.push(at);
  }

  #within(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((each) => this.#within(each));
    if (value === null || typeof value !== 'object') return value;
    const entries = Object.entries(value).map(([name, each]) => [
      name,
      ['experiment_id', 'experiment_ids'].includes(name) ? this.#named(each) : this.#within(each),
    ]);
    return Object.fromEntries(entries) as unknown;
  }

  #named(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((each) => this.#named(each));
    const of = typeof value === 'string' && /^[1-9]\d*$/.test(value) ? this.#made[Number(value) - 1] : undefined;
    return of === undefined ? value : ({ of, path: [] } satisfies Reference);
  }
}

const isOfOneExperiment = (method: string): boolean =>
  method.startsWith('experiments.') && !['create', 'getByName', 'search'].includes(method.slice('experiments.'.length));
