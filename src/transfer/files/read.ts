/** A file store as rows of a database. */
import { basename, join, relative, sep } from 'node:path';

import { columnOf, type Schema } from '../../schema/model.js';
import {
  Damage,
  experimentsIn,
  META,
  METRICS,
  MODELS,
  modelsIn,
  PARAMS,
  type Report,
  registeredModelsIn,
  runsIn,
  type StoredExperiment,
  TAGS,
  TRACE_INFO,
  TRACES,
  tracesIn,
} from '../../store/file/reader.js';
import type { Batch } from '../source.js';
import { Collector } from './collector.js';
import type { Context } from './context.js';
import { addExperiment, experimentValues } from './experiments.js';
import { addLoggedModel } from './logged-models.js';
import { addRegisteredModel } from './registry.js';
import { addRun } from './runs.js';
import { steady } from './steady.js';
import { addTrace } from './traces.js';

export interface FileReading {
  readonly root: string;
  /** The schema that the rows are to be of. */
  readonly schema: Schema;
  readonly report: Report;
  /** How many values have no place in that schema, by `table.column` or table. */
  readonly lacking: Map<string, number>;
  lost: Context['lost'];
  repeated: Context['repeated'];
}

/** All rows of the store. What cannot be read is reported and left out. */
export function* rowsOfFiles({ root, schema, report, lacking, lost, repeated }: FileReading): Generator<Batch> {
  const rows = new Collector(schema, lacking);
  const traceTable = schema.tables.get('trace_info');
  const hasColumns = traceTable !== undefined && columnOf(traceTable, 'session_id') !== undefined;
  const runs = new Set<string>();
  const context: Context = { root, rows, report, lost, repeated, hasRun: (id) => runs.has(id) };

  const experiments: StoredExperiment[] = [];
  for (const experiment of experimentsIn(steady, root, report)) {
    const { folder } = experiment;
    experiments.push(experiment);
    addExperiment(experiment, context);
    const records = new Records(folder, report);
    for (const run of runsIn(steady, folder, records.report)) {
      addRun(run, context);
      runs.add(records.found(run.folder));
      if (rows.isFull) yield* rows.drain();
    }
    records.reportOthers(META, /^[\da-f]{32}$/);
  }
  // A logged model can be measured by a run of any experiment.
  for (const { folder } of experiments) {
    const models = new Records(join(folder, MODELS), report);
    for (const model of modelsIn(steady, folder, models.report)) {
      addLoggedModel(model, context);
      models.found(model.folder);
      if (rows.isFull) yield* rows.drain();
    }
    models.reportOthers(META, /^m-/);
    const traces = new Records(join(folder, TRACES), report);
    for (const trace of tracesIn(steady, folder, traces.report)) {
      addTrace(trace, context, hasColumns);
      traces.found(trace.folder);
      if (rows.isFull) yield* rows.drain();
    }
    traces.reportOthers(TRACE_INFO, /^tr-|^[\da-f]{32}$/);
  }
  for (const model of registeredModelsIn(steady, root, report)) {
    addRegisteredModel(model, context);
    if (rows.isFull) yield* rows.drain();
  }
  yield* rows.drain();
}

/** Records of one kind in a folder: a folder that should be one, and is not, was one once. */
class Records {
  readonly #parent: string;
  readonly #report: Report;
  readonly #known = new Set<string>();

  constructor(parent: string, report: Report) {
    this.#parent = parent;
    this.#report = report;
  }

  readonly report: Report = (damage) => {
    const [name = ''] = relative(this.#parent, damage.fault.path).split(sep);
    this.#known.add(name);
    this.#report(damage);
  };

  /** @returns its name */
  found(folder: string): string {
    const name = basename(folder);
    this.#known.add(name);
    return name;
  }

  /** @param names of such records */
  reportOthers(meta: string, names: RegExp): void {
    for (const name of steady.folders(this.#parent) ?? []) {
      if (this.#known.has(name) || !names.test(name)) continue;
      const folder = join(this.#parent, name);
      const isRecord = (steady.folders(folder) ?? []).some((part) => PARTS.includes(part));
      if (isRecord) this.#report(new Damage({ path: join(folder, meta), reason: 'is missing' }));
    }
  }
}

/** Folders that only records have. */
const PARTS: readonly string[] = [METRICS, PARAMS, TAGS];

/** The experiments alone, without tags and datasets. */
export function* experimentsOfFiles(root: string, schema: Schema): Generator<Batch> {
  const rows = new Collector(schema, new Map());
  for (const experiment of experimentsIn(steady, root, () => undefined))
    rows.add('experiments', experimentValues(experiment));
  yield* rows.drain();
}
