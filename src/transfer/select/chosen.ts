/**
 * Which records a selection takes: those that are named, and whatever they refer to. A run brings its experiment, datasets,
 * logged models, parents and, where it is named, traces; a logged model the runs that made and measured it; a version of a
 * registered model its run and logged model; a trace its run and prompts.
 */
import { MtrackError } from '../../errors.js';
import type { Value } from '../../rows/values.js';
import { type Named, namer } from '../named.js';
import type { Source } from '../source.js';
import type { Selection } from './selection.js';

const PARENT = 'mlflow.parentRunId';
const SOURCE_RUN = 'mlflow.sourceRun';

/** Ids that are still to be followed, beside those that were. */
class Followed {
  readonly all = new Set<Value>();
  readonly #next = new Set<Value>();

  add(id: Value | undefined): void {
    if (id === null || id === undefined || id === '' || this.all.has(id)) return;
    this.all.add(id);
    this.#next.add(id);
  }

  take(): ReadonlySet<Value> {
    const taken = new Set(this.#next);
    this.#next.clear();
    return taken;
  }

  get isFollowed(): boolean {
    return this.#next.size === 0;
  }
}

export class Chosen {
  /** Experiments of which there is a record, and those that are wanted with all that is in them. */
  readonly experiments = new Set<string>();
  readonly whole = new Set<string>();
  readonly runs = new Followed();
  readonly loggedModels = new Followed();
  readonly traces = new Followed();
  readonly registered = new Followed();
  readonly datasets = new Set<Value>();
  readonly evaluationDatasets = new Set<Value>();
  /** Versions, where not all of their model are wanted. */
  readonly #versions = new Map<Value, Set<Value>>();
  readonly #source: Source;
  readonly #selection: Selection;
  readonly #signal: AbortSignal;

  private constructor(source: Source, selection: Selection, signal: AbortSignal) {
    this.#source = source;
    this.#selection = selection;
    this.#signal = signal;
  }

  /** @throws {MtrackError} USAGE for what is named and not there */
  static async of(source: Source, selection: Selection, signal: AbortSignal): Promise<Chosen> {
    const chosen = new Chosen(source, selection, signal);
    await chosen.#begin();
    await chosen.#follow();
    return chosen;
  }

  hasVersion({ name = null, version = null }: Named): boolean {
    return this.registered.all.has(name) && (this.#versions.get(name)?.has(version) ?? true);
  }

  async *#rows(table: string, column?: string, values?: ReadonlySet<Value>): AsyncGenerator<Named> {
    if (values?.size === 0) return;
    const among = column !== undefined && values ? { column, values } : undefined;
    for await (const batch of this.#source.only([table], this.#signal, among)) {
      const named = namer(batch.table);
      for (const row of batch.rows) {
        const values = named(row);
        if (!among || among.values.has(values[among.column] ?? null)) yield values;
      }
    }
  }

  // ---------------------------------------------------------------- what is named

  async #begin(): Promise<void> {
    const { experiments, runs, models, since } = this.#selection;
    const isAll = experiments.length + runs.length + models.length === 0;
    const lacking = new Map(experiments.map((text) => [text, `experiment ${text}`]));
    for await (const { experiment_id, name } of this.#rows('experiments')) {
      const id = String(experiment_id);
      const text = [id, String(name)].filter((each) => experiments.includes(each));
      for (const each of text) lacking.delete(each);
      if (isAll || text.length > 0) this.whole.add(id);
    }
    for (const id of this.whole) this.experiments.add(id);
    const isIn = ({ experiment_id }: Named) => this.whole.has(String(experiment_id));
    const isSince = (time: Value | undefined) => since === null || (time !== null && Number(time) >= since);

    const named = new Set<Value>(runs);
    for (const id of runs) lacking.set(id, `run ${id}`);
    for (const name of models) lacking.set(name, `model ${name}`);
    const wanted = this.whole.size > 0 ? undefined : named;
    for await (const run of this.#rows('runs', 'run_uuid', wanted)) {
      const id = run.run_uuid ?? null;
      if (named.has(id)) lacking.delete(String(id));
      if (named.has(id) || (isIn(run) && isSince(run.start_time))) this.runs.add(id);
    }
    for await (const model of this.#rows('logged_models')) {
      const id = String(model.model_id);
      if (models.includes(id)) lacking.delete(id);
      if (models.includes(id) || (isIn(model) && isSince(model.creation_timestamp_ms))) this.loggedModels.add(id);
    }
    for await (const { name = null } of this.#rows('registered_models')) {
      if (!models.includes(String(name))) continue;
      lacking.delete(String(name));
      this.registered.add(name);
    }
    if (lacking.size > 0) throw notThere([...lacking.values()], this.#source.shown);
    if (isAll) await this.#versionsSince(isSince);
    if (this.whole.size > 0) {
      for await (const trace of this.#rows('trace_info')) {
        if (isIn(trace) && isSince(trace.timestamp_ms)) this.traces.add(trace.request_id);
      }
    }
    await this.#tracesOf(named);
    await this.#evaluationDatasets();
  }

  async #versionsSince(isSince: (time: Value | undefined) => boolean): Promise<void> {
    for await (const { name = null, version = null, creation_time } of this.#rows('model_versions')) {
      if (!isSince(creation_time)) continue;
      this.registered.add(name);
      this.#versions.set(name, (this.#versions.get(name) ?? new Set()).add(version));
    }
    for await (const { name = null, creation_time } of this.#rows('registered_models')) {
      if (isSince(creation_time) && !this.registered.all.has(name)) {
        this.registered.add(name);
        this.#versions.set(name, new Set());
      }
    }
  }

  /** Traces of runs that are named. */
  async #tracesOf(runs: ReadonlySet<Value>): Promise<void> {
    if (runs.size === 0) return;
    for await (const { key, request_id } of this.#rows('trace_request_metadata', 'value', runs)) {
      if (key === SOURCE_RUN) this.traces.add(request_id);
    }
    for await (const { source_type, source_id, destination_type } of this.#rows(
      'entity_associations',
      'destination_id',
      runs,
    )) {
      if (source_type === 'trace' && destination_type === 'run') this.traces.add(source_id);
    }
  }

  async #evaluationDatasets(): Promise<void> {
    for await (const { source_type, source_id = null, destination_type, destination_id } of this.#rows(
      'entity_associations',
      'destination_id',
      this.whole,
    )) {
      const isOne = source_type === 'evaluation_dataset' && destination_type === 'experiment';
      if (isOne && this.whole.has(String(destination_id))) this.evaluationDatasets.add(source_id);
    }
  }

  // ---------------------------------------------------------------- what that refers to

  async #follow(): Promise<void> {
    const { runs, loggedModels, traces, registered } = this;
    while (![runs, loggedModels, traces, registered].every(({ isFollowed }) => isFollowed)) {
      await this.#followRuns(runs.take());
      await this.#followLoggedModels(loggedModels.take());
      await this.#followTraces(traces.take());
      await this.#followRegistered(registered.take());
    }
  }

  async #followRuns(runs: ReadonlySet<Value>): Promise<void> {
    for await (const { experiment_id } of this.#rows('runs', 'run_uuid', runs)) {
      this.experiments.add(String(experiment_id));
    }
    for await (const { key, value } of this.#rows('tags', 'run_uuid', runs)) {
      if (key === PARENT) this.runs.add(value);
    }
    for await (const input of this.#rows('inputs', 'destination_id', runs)) {
      if (input.source_type === 'DATASET') this.datasets.add(input.source_id ?? null);
    }
    for await (const { destination_type, destination_id } of this.#rows('inputs', 'source_id', runs)) {
      if (destination_type === 'MODEL_INPUT' || destination_type === 'MODEL_OUTPUT')
        this.loggedModels.add(destination_id);
    }
  }

  async #followLoggedModels(models: ReadonlySet<Value>): Promise<void> {
    for await (const { experiment_id, source_run_id } of this.#rows('logged_models', 'model_id', models)) {
      this.experiments.add(String(experiment_id));
      this.runs.add(source_run_id);
    }
    for await (const { run_id } of this.#rows('logged_model_metrics', 'model_id', models)) this.runs.add(run_id);
  }

  async #followTraces(traces: ReadonlySet<Value>): Promise<void> {
    for await (const { experiment_id } of this.#rows('trace_info', 'request_id', traces)) {
      this.experiments.add(String(experiment_id));
    }
    for await (const { key, value } of this.#rows('trace_request_metadata', 'request_id', traces)) {
      if (key === SOURCE_RUN) this.runs.add(value);
    }
    for await (const link of this.#rows('entity_associations', 'source_id', traces)) {
      if (link.source_type !== 'trace') continue;
      if (link.destination_type === 'run') this.runs.add(link.destination_id);
      if (link.destination_type === 'prompt_version') this.registered.add(promptOf(String(link.destination_id)));
    }
  }

  async #followRegistered(names: ReadonlySet<Value>): Promise<void> {
    for await (const version of this.#rows('model_versions', 'name', names)) {
      if (!this.hasVersion(version)) continue;
      this.runs.add(version.run_id);
      const [, name = '', number] = /^models:\/([^/]+)(?:\/(\d+))?$/.exec(String(version.source)) ?? [];
      if (number !== undefined) this.registered.add(name);
      else if (name.startsWith('m-')) this.loggedModels.add(name);
    }
  }
}

/** `name/version` */
const promptOf = (id: string) => id.slice(0, Math.max(0, id.lastIndexOf('/')));

function notThere(what: readonly string[], source: string): MtrackError {
  return new MtrackError('USAGE', {
    found: `${source} has no ${what.join(', no ')}`,
    expected: 'experiments by number or name, runs by id, registered models by name or logged models by id',
    fix: ['check what was named with --experiment, --run and --model'],
  });
}
