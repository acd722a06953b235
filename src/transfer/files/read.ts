/** A file store as rows of a database. */

import { columnOf, type Schema } from '../../schema/model.js';
import {
  disk,
  experimentsIn,
  modelsIn,
  type Report,
  registeredModelsIn,
  runsIn,
  type StoredExperiment,
  tracesIn,
} from '../../store/file/reader.js';
import type { Batch } from '../source.js';
import { Collector } from './collector.js';
import type { Context } from './context.js';
import { addExperiment, experimentValues } from './experiments.js';
import { addLoggedModel } from './logged-models.js';
import { addRegisteredModel } from './registry.js';
import { addRun } from './runs.js';
import { addTrace } from './traces.js';

export interface FileReading {
  readonly root: string;
  /** The schema that the rows are to be of. */
  readonly schema: Schema;
  readonly report: Report;
  /** How many values have no place in that schema, by `table.column` or table. */
  readonly lacking: Map<string, number>;
}

/** All rows of the store. What cannot be read is reported and left out. */
export function* rowsOfFiles({ root, schema, report, lacking }: FileReading): Generator<Batch> {
  const rows = new Collector(schema, lacking);
  const context: Context = { root, rows, report };
  const traceTable = schema.tables.get('trace_info');
  const hasColumns = traceTable !== undefined && columnOf(traceTable, 'session_id') !== undefined;

  const experiments: StoredExperiment[] = [];
  for (const experiment of experimentsIn(disk, root, report)) {
    experiments.push(experiment);
    addExperiment(experiment, context);
    for (const run of runsIn(disk, experiment.folder, report)) {
      addRun(run, context);
      if (rows.isFull) yield* rows.drain();
    }
  }
  // A logged model can be measured by a run of any experiment.
  for (const { folder } of experiments) {
    for (const model of modelsIn(disk, folder, report)) {
      addLoggedModel(model, context);
      if (rows.isFull) yield* rows.drain();
    }
    for (const trace of tracesIn(disk, folder, report)) {
      addTrace(trace, context, hasColumns);
      if (rows.isFull) yield* rows.drain();
    }
  }
  for (const model of registeredModelsIn(disk, root, report)) {
    addRegisteredModel(model, context);
    if (rows.isFull) yield* rows.drain();
  }
  yield* rows.drain();
}

/** The experiments alone, without tags and datasets. */
export function* experimentsOfFiles({ root, schema, report, lacking }: FileReading): Generator<Batch> {
  const rows = new Collector(schema, lacking);
  for (const experiment of experimentsIn(disk, root, report)) rows.add('experiments', experimentValues(experiment));
  yield* rows.drain();
}
