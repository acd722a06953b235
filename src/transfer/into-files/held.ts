/** A source as a file store can hold it: what it has no place for is left out, and counted by its name. */
import type { Dialect } from '../../dialect/dialect.js';
import type { Row, Value } from '../../rows/values.js';
import type { Table } from '../../schema/model.js';
import { readAssessment, writtenAssessment } from '../../store/file/writer.js';
import { idOf } from '../files/context.js';
import { datasetId } from '../files/experiments.js';
import { aggregateOf, assessed, assessmentOf, assessmentValues } from '../files/traces.js';
import { differingColumns } from '../merge.js';
import { changer, type Named, namer } from '../named.js';
import { type Problem, Problems } from '../problems.js';
import type { Values } from '../record.js';
import { Sieve } from '../sieve.js';
import type { Batch, Source } from '../source.js';
import { experimentMap, type ImportOptions } from '../survey.js';
import { Clashes, type Place } from './clashes.js';
import { fileRefusals, isHeld } from './holds.js';
import { ARTIFACT_LOCATION, traceArtifacts } from './moved.js';

interface HoldingOptions {
  /** Of the database that the rows are kept in on their way. */
  readonly dialect: Dialect;
  readonly cutLong: boolean;
  /** Folder of the target. */
  readonly root: string;
  /** The id that an experiment has in the target. */
  readonly experiment: (id: string) => string;
  readonly clashes: Clashes;
  readonly withSpans: ReadonlySet<Value>;
}

/**
 * @param root folder of the target
 * @param place the rows that it has, as a database
 * @param withSpans traces of the source whose spans are rows
 */
export async function heldIn(
  root: string,
  source: Source,
  place: Place,
  withSpans: ReadonlySet<Value>,
  options: Pick<ImportOptions, 'cutLong' | 'onConflict' | 'signal'>,
): Promise<Source> {
  const { renumbered } = await experimentMap(source, place, options, new Problems());
  const numbers = new Map(renumbered.map(({ from, to }) => [from, to]));
  const experiment = (id: string) => numbers.get(id) ?? id;
  const clashes = await Clashes.of(source, place, experiment, options.signal);
  return heldByFiles(source, {
    dialect: place.dialect,
    root,
    cutLong: options.cutLong,
    experiment,
    clashes,
    withSpans,
  });
}

/** Without the spans of traces, which are among the artifacts: they are no rows that are read from files. */
export function withoutSpans(source: Source): Source {
  return {
    ...source,
    async *batches(signal, problems): AsyncGenerator<Batch> {
      let spans = 0;
      for await (const batch of source.batches(signal, problems)) {
        if (batch.table.name === SPANS) spans += batch.rows.length;
        else yield batch;
      }
      if (spans === 0) return;
      const reason = `: ${spans} of them are among the artifacts, which are not compared`;
      problems.add({ kind: 'not-held', where: SPANS, reason, rows: {} });
    },
  };
}

const SPANS = 'spans';

function heldByFiles(source: Source, options: HoldingOptions): Source {
  return {
    ...source,
    // There is always something to look for.
    dialect: undefined,
    async *batches(signal, problems): AsyncGenerator<Batch> {
      const holding = new Holding(options);
      for await (const batch of source.batches(signal, problems)) {
        const held = holding.pass(batch, problems);
        if (held.rows.length > 0) yield held;
      }
      for (const problem of holding.left()) problems.add(problem);
    },
  };
}

/** Where MLflow looks for the spans of a trace: among its artifacts, unless a tag says that they are in the store. */
const SPANS_LOCATION = 'mlflow.trace.spansLocation';
const IN_STORE = 'TRACKING_STORE';

/** The traces of a source whose spans are rows. */
export async function tracesWithSpans(source: Source, signal: AbortSignal): Promise<ReadonlySet<Value>> {
  const found = new Set<Value>();
  for await (const { table, rows } of source.only(['trace_tags'], signal)) {
    for (const { key, value, request_id = null } of rows.map(namer(table))) {
      if (key === SPANS_LOCATION && value === IN_STORE) found.add(request_id);
    }
  }
  return found;
}

/** What a file says where a database can say nothing. */
const UNSAID: Readonly<Record<string, Named>> = {
  experiments: { lifecycle_stage: 'active' },
  runs: {
    ...{ lifecycle_stage: 'active', status: 'RUNNING', source_type: 'UNKNOWN' },
    ...{ source_name: '', entry_point_name: '', source_version: '' },
  },
  logged_models: { lifecycle_stage: 'active' },
  model_versions: { status: 'READY', current_stage: 'None' },
};

/** A file with a value is there or is not. */
const VALUES: readonly string[] = [
  'experiment_tags',
  'tags',
  'registered_model_tags',
  'model_version_tags',
  'trace_tags',
  'trace_request_metadata',
];

/** The one row that every database has. */
const isGiven = (table: string, row: Named) => table === 'workspaces' && row.name === 'default';

interface Tools {
  readonly named: (row: Row) => Named;
  readonly change: (row: Row, changes: Named) => Row;
  readonly differing: (one: Row, other: Row) => string[];
}

class Holding {
  readonly #sieve: Sieve;
  readonly #experiment: HoldingOptions['experiment'];
  /** Rows that stay behind, by table. */
  readonly #left = new Map<string, number>();
  /** Rows that are not held as they are, by table and columns. */
  readonly #unlike = new Map<string, { rows: number; readonly reason: string }>();
  /** Files do not keep the ids of datasets and inputs: they are made of what these are. */
  readonly #datasets = new Map<Value, string>();
  readonly #inputs = new Map<Value, string>();
  /** Of logged models and of traces whose spans come with them. */
  readonly #experiments = new Map<Value, Value>();
  readonly #withSpans: ReadonlySet<Value>;
  readonly #root: string;
  readonly #tools = new Map<string, Tools>();

  constructor({ dialect, cutLong, experiment, root, clashes, withSpans }: HoldingOptions) {
    this.#withSpans = withSpans;
    this.#root = root;
    const refusal = fileRefusals();
    this.#sieve = new Sieve(dialect, cutLong, (table, row) => refusal(table, row) ?? clashes.refusal(table, row));
    this.#experiment = experiment;
  }

  pass({ table, rows }: Batch, problems: Problems): Batch {
    const { named } = this.#toolsOf(table);
    if (isHeld(table.name)) {
      const held = this.#sieve.pass({ table, rows }, problems);
      return { table, rows: held.map((row) => this.#asHeld(table, row)).filter((row) => row !== null) };
    }
    for (const row of rows) if (!isGiven(table.name, named(row))) this.#leave(table);
    return { table, rows: [] };
  }

  *left(): Generator<Problem> {
    for (const [table, n] of this.#left) {
      const rows = n === 1 ? '1 row, which stays' : `${n} rows, which stay`;
      yield {
        kind: 'not-held',
        where: table,
        reason: `: files have no place for ${rows} behind`,
        rows: { [table]: n },
      };
    }
    for (const [where, { rows: n, reason }] of this.#unlike) {
      yield { kind: 'not-held', where, reason: `: ${n} ${n === 1 ? 'row' : 'rows'} ${reason}`, rows: {} };
    }
  }

  #leave({ name }: Table): void {
    this.#left.set(name, (this.#left.get(name) ?? 0) + 1);
  }

  /** Null where there is nothing to hold. */
  #asHeld(table: Table, given: Row): Row | null {
    const { named, change } = this.#toolsOf(table);
    const values = named(given);
    const row = change(given, this.#said(table.name, values));
    switch (table.name) {
      case 'datasets':
        return change(row, { dataset_uuid: this.#dataset(values) });
      case 'inputs':
        return change(row, this.#input(values));
      case 'input_tags':
        return change(row, { input_uuid: this.#inputs.get(values.input_uuid ?? null) ?? values.input_uuid ?? null });
      case 'logged_models':
        this.#experiments.set(values.model_id ?? null, values.experiment_id ?? null);
        return row;
      case 'logged_model_params':
      case 'logged_model_tags':
        return change(row, this.#ofModel(table, values));
      case 'logged_model_metrics':
        return change(row, {
          ...this.#ofModel(table, values),
          dataset_uuid: null,
          metric_value: infinite(values.metric_value ?? null),
        });
      case 'trace_info':
        if (this.#withSpans.has(values.request_id ?? null)) {
          this.#experiments.set(values.request_id ?? null, values.experiment_id ?? null);
        }
        return change(row, { db_payload_generation: 0 });
      case 'trace_tags':
        return this.#traceTag(table, row, values);
      case 'spans':
        if (this.#withSpans.has(values.trace_id ?? null)) return row;
        this.#leave(table);
        return null;
      case 'assessments':
        return this.#assessment(table, row);
      default:
        return row;
    }
  }

  #said(table: string, values: Named): Named {
    const said: Record<string, Value> = {};
    for (const [column, value] of Object.entries(UNSAID[table] ?? {}))
      if (values[column] === null) said[column] = value;
    if (VALUES.includes(table) && values.value === null) {
      said.value = '';
      this.#note(`${table}.value`, 'without a value have an empty one in files');
    }
    return said;
  }

  /** Files know the experiment of a model, and its values with it. */
  #ofModel(table: Table, { model_id, experiment_id }: Named): Named {
    const own = this.#experiments.get(model_id ?? null);
    if (own === undefined || own === experiment_id) return {};
    this.#note(`${table.name}.experiment_id`, 'have that of their model in files');
    return { experiment_id: own };
  }

  /** Spans become artifacts of their trace, and its tags say so. */
  #traceTag(table: Table, row: Row, { request_id = null, key }: Named): Row | null {
    if (!this.#withSpans.has(request_id)) return row;
    if (key === SPANS_LOCATION) {
      this.#note('spans', 'of traces whose spans become artifacts, beside the trace: two of its tags say so');
      return null;
    }
    if (key !== ARTIFACT_LOCATION) return row;
    const experiment = this.#experiment(String(this.#experiments.get(request_id)));
    return this.#toolsOf(table).change(row, { value: traceArtifacts(this.#root, experiment, String(request_id)) });
  }

  #dataset({ dataset_uuid, experiment_id, name, digest }: Named): string {
    const id = datasetId(this.#experiment(String(experiment_id)), { name: String(name), digest: String(digest) });
    this.#datasets.set(dataset_uuid ?? null, id);
    return id;
  }

  #input({ input_uuid, source_type, source_id, destination_type, destination_id }: Named): Named {
    const source = this.#datasets.get(source_id ?? null) ?? String(source_id);
    const id = idOf('input', String(source_type), source, String(destination_type), String(destination_id));
    this.#inputs.set(input_uuid ?? null, id);
    return { source_id: source, input_uuid: id };
  }

  /** As it is read from the file that is written of it. */
  #assessment(table: Table, row: Row): Row {
    const { named, change, differing } = this.#toolsOf(table);
    const read = readAssessment(writtenAssessment(assessmentOf(named(row))));
    const values: Values = { ...assessmentValues(read), ...aggregateOf(assessed(read)) };
    const changes = Object.fromEntries(Object.entries(values).map(([column, value]) => [column, value ?? null]));
    const held = change(row, changes);
    const columns = differing(row, held).filter((column) => !isSameJson(named(row)[column], changes[column]));
    if (columns.length > 0) this.#note(`assessments.${columns.join(', ')}`, 'are held otherwise by files');
    return held;
  }

  #note(where: string, reason: string): void {
    const known = this.#unlike.get(where) ?? { rows: 0, reason };
    known.rows++;
    this.#unlike.set(where, known);
  }

  #toolsOf(table: Table): Tools {
    let tools = this.#tools.get(table.name);
    if (!tools) {
      tools = { named: namer(table), change: changer(table), differing: differingColumns(table) };
      this.#tools.set(table.name, tools);
    }
    return tools;
  }
}

/** How MLflow's databases hold the infinities. */
export function infinite(value: Value): Value {
  if (value === Number.MAX_VALUE) return Number.POSITIVE_INFINITY;
  return value === -Number.MAX_VALUE ? Number.NEGATIVE_INFINITY : value;
}

/** Numbers are floats in files: 1 is 1.0 there. */
function isSameJson(one: Value | undefined, other: Value | undefined): boolean {
  if (typeof one !== 'string' || typeof other !== 'string') return false;
  try {
    return JSON.stringify(JSON.parse(one)) === JSON.stringify(JSON.parse(other));
  } catch {
    return false;
  }
}
