/** A source of which only what is wanted comes, with whatever that refers to. */
import { relative, sep } from 'node:path';
import { keyOf, keyText } from '../../rows/lookup.js';
import { inForeignKeyOrder } from '../../rows/order.js';
import type { Row, Value } from '../../rows/values.js';
import { columnOf, type Schema, type Table } from '../../schema/model.js';
import type { Traits } from '../../schema/traits.js';
import { MODELS, TRASH } from '../../store/file/reader.js';
import { Spool } from '../archive/spool.js';
import { type Named, namer } from '../named.js';
import { type Problem, Problems } from '../problems.js';
import { keyNames } from '../sieve.js';
import type { Batch, Source } from '../source.js';
import { Chosen } from './chosen.js';
import type { Selection } from './selection.js';

/**
 * @param source is closed with the one that is made of it
 * @param schema of the source's revision
 * @throws {MtrackError} USAGE for what is named and not there
 */
export async function selected(
  source: Source,
  selection: Selection,
  { schema, traits, signal }: { readonly schema: Schema; readonly traits: Traits; readonly signal: AbortSignal },
): Promise<Source> {
  const steady = source.isSteady ? source : await kept(source, schema, traits, signal);
  try {
    const chosen = await Chosen.of(steady, selection, signal);
    return new Selected(steady, chosen, selection, schema).source;
  } catch (error) {
    // The source itself is closed by who opened it.
    if (steady !== source) await steady.close();
    throw error;
  }
}

/** Files may say something else when they are asked again: they are read once. */
async function kept(source: Source, schema: Schema, traits: Traits, signal: AbortSignal): Promise<Source> {
  const spool = new Spool();
  try {
    const problems = new Problems();
    for await (const batch of source.batches(signal, problems)) await spool.add(batch);
    return await spool.finish(source, schema, traits, problems);
  } catch (error) {
    spool.remove();
    throw error;
  }
}

/** Rows of a table that belong to a record: those whose column has one of its ids. */
interface Belonging {
  readonly column: string;
  readonly of: (chosen: Chosen) => ReadonlySet<Value>;
}

const ofRun = (column = 'run_uuid'): Belonging => ({ column, of: ({ runs }) => runs.all });
const ofModel: Belonging = { column: 'model_id', of: ({ loggedModels }) => loggedModels.all };
const ofTrace = (column: string): Belonging => ({ column, of: ({ traces }) => traces.all });
const ofRegistered: Belonging = { column: 'name', of: ({ registered }) => registered.all };
const ofEvaluation: Belonging = { column: 'dataset_id', of: ({ evaluationDatasets }) => evaluationDatasets };

const BELONGING: Readonly<Record<string, Belonging>> = {
  ...{ runs: ofRun(), params: ofRun(), tags: ofRun(), metrics: ofRun(), latest_metrics: ofRun() },
  ...{
    logged_models: ofModel,
    logged_model_params: ofModel,
    logged_model_tags: ofModel,
    logged_model_metrics: ofModel,
  },
  ...{ trace_info: ofTrace('request_id'), trace_tags: ofTrace('request_id'), trace_metrics: ofTrace('request_id') },
  trace_request_metadata: ofTrace('request_id'),
  ...{ assessments: ofTrace('trace_id'), spans: ofTrace('trace_id'), span_metrics: ofTrace('trace_id') },
  ...{ registered_models: ofRegistered, registered_model_tags: ofRegistered, registered_model_aliases: ofRegistered },
  ...{ model_versions: ofRegistered, model_version_tags: ofRegistered },
  evaluation_datasets: ofEvaluation,
  evaluation_dataset_tags: ofEvaluation,
  evaluation_dataset_records: ofEvaluation,
};

/** Sums over everything, which MLflow works out anew where they are missing. */
const SUMS = /^sql_\w+_(?:rollups|queue)$/;
/** Parts of the gateway, which is one thing whatever experiment it tells of. */
const GATEWAY = 'endpoints';

class Selected {
  readonly #from: Source;
  readonly #chosen: Chosen;
  readonly #selection: Selection;
  readonly #schema: Schema;

  constructor(from: Source, chosen: Chosen, selection: Selection, schema: Schema) {
    this.#from = from;
    this.#chosen = chosen;
    this.#selection = selection;
    this.#schema = schema;
  }

  get source(): Source {
    const from = this.#from;
    return {
      ...from,
      // There is always something to look for.
      dialect: undefined,
      counts: new Map(),
      batches: (signal, problems) => this.#batches(signal, problems),
      only: (tables, signal, among) => this.#only(tables, signal, among),
    };
  }

  async *#batches(signal: AbortSignal, problems: Problems): AsyncGenerator<Batch> {
    const filter = new Filter(this.#chosen, this.#selection);
    if ('session' in this.#from) {
      for (const table of inForeignKeyOrder(this.#schema)) {
        const belonging = BELONGING[table.name];
        const among = belonging && { column: belonging.column, values: belonging.of(this.#chosen) };
        for await (const batch of this.#from.only([table.name], signal, among)) yield* filter.pass(batch);
      }
      return;
    }
    const own = new Problems();
    for await (const batch of this.#from.batches(signal, own)) yield* filter.pass(batch);
    for (const problem of own.list) if (this.#concerns(problem)) problems.add(problem);
    for (const [table, lines] of own.repeated) problems.repeat(table, lines);
  }

  async *#only(...[tables, signal, among]: Parameters<Source['only']>): AsyncGenerator<Batch> {
    const filter = new Filter(this.#chosen, this.#selection);
    for await (const batch of this.#from.only(tables, signal, among)) yield* filter.pass(batch);
  }

  /** Whether what is wrong is in the folder of something that is wanted. */
  #concerns({ kind, where }: Problem): boolean {
    if (kind !== 'damaged') return true;
    const names = relative(this.#from.shown, where).split(sep);
    if (names[0] === TRASH) names.shift();
    const [first = '', second = ''] = names;
    if (first === '..') return true;
    return first === MODELS ? this.#chosen.registered.all.has(second) : this.#chosen.experiments.has(first);
  }
}

/** Passes rows on, table by table, each after those that it refers to. */
class Filter {
  readonly #chosen: Chosen;
  readonly #selection: Selection;
  readonly #inputs = new Set<Value>();
  readonly #workspaces = new Set<Value>(['default']);
  /** Keys of rows that came of tables that are part of an experiment only. */
  readonly #keys = new Map<string, Set<string>>();

  constructor(chosen: Chosen, selection: Selection) {
    this.#chosen = chosen;
    this.#selection = selection;
  }

  *pass({ table, rows }: Batch): Generator<Batch> {
    const named = namer(table);
    const wanted = rows.filter((row) => this.#isWanted(table, row, named(row)));
    if (wanted.length > 0) yield { table, rows: wanted };
  }

  #isWanted(table: Table, row: Row, values: Named): boolean {
    const { experiments, whole, runs, datasets, registered } = this.#chosen;
    const belonging = BELONGING[table.name];
    if (belonging && !belonging.of(this.#chosen).has(values[belonging.column] ?? null)) return false;
    switch (table.name) {
      case 'experiments':
        if (!experiments.has(String(values.experiment_id))) return false;
        this.#workspaces.add(values.workspace ?? null);
        return true;
      case 'experiment_tags':
        return experiments.has(String(values.experiment_id));
      case 'datasets':
        return (
          datasets.has(values.dataset_uuid ?? null) ||
          (this.#selection.since === null && whole.has(String(values.experiment_id)))
        );
      case 'inputs':
        return this.#isInput(values);
      case 'input_tags':
        return this.#inputs.has(values.input_uuid ?? null);
      case 'logged_model_metrics':
        return runs.all.has(values.run_id ?? null);
      case 'registered_models':
        this.#workspaces.add(values.workspace ?? null);
        return registered.all.has(values.name ?? null);
      case 'registered_model_aliases':
      case 'model_versions':
      case 'model_version_tags':
        return this.#chosen.hasVersion(values);
      case 'entity_associations':
        return this.#isLink(values);
      case 'workspaces':
        return this.#workspaces.has(values.name ?? null);
      default:
        return belonging !== undefined || this.#isOfExperiment(table, row, values);
    }
  }

  #isInput({
    input_uuid = null,
    source_type,
    source_id = null,
    destination_type,
    destination_id = null,
  }: Named): boolean {
    const { runs } = this.#chosen;
    const isOfRun =
      (destination_type === 'RUN' && runs.all.has(destination_id)) ||
      (String(source_type).startsWith('RUN_') && runs.all.has(source_id));
    if (isOfRun) this.#inputs.add(input_uuid);
    return isOfRun;
  }

  /** Both ends have to be there, as far as they are known. */
  #isLink({ source_type, source_id = null, destination_type, destination_id = null }: Named): boolean {
    const ends = [this.#end(source_type, source_id), this.#end(destination_type, destination_id)];
    return ends.includes(true) && !ends.includes(false);
  }

  #end(type: Value | undefined, id: Value): boolean | null {
    const { runs, traces, experiments, evaluationDatasets } = this.#chosen;
    switch (type) {
      case 'run':
        return runs.all.has(id);
      case 'trace':
        return traces.all.has(id);
      case 'experiment':
        return experiments.has(String(id));
      case 'evaluation_dataset':
        return evaluationDatasets.has(id);
      default:
        return null;
    }
  }

  /** What is part of an experiment that is wanted whole, and of nothing else: scorers, issues, review queues and the like. */
  #isOfExperiment(table: Table, row: Row, values: Named): boolean {
    if (SUMS.test(table.name) || table.name === GATEWAY) return false;
    const parents = table.foreignKeys.filter(({ columns }) => columns.every((name) => values[name] !== null));
    const isThere = parents.every((key) => {
      if (key.table === 'experiments') return this.#chosen.whole.has(String(values[key.columns[0] ?? '']));
      if (BELONGING[key.table]) return BELONGING[key.table]?.of(this.#chosen).has(values[key.columns[0] ?? ''] ?? null);
      return this.#keys.get(key.table)?.has(keyText(keyOf(table, key.columns)(row)));
    });
    const ofOne =
      columnOf(table, 'experiment_id') !== undefined && this.#chosen.whole.has(String(values.experiment_id));
    if (!isThere || !(ofOne || parents.length > 0) || (values.experiment_id !== undefined && !ofOne)) return false;
    const keys = this.#keys.get(table.name) ?? new Set();
    this.#keys.set(table.name, keys.add(keyText(keyOf(table, keyNames(table))(row))));
    return true;
  }
}
