/** A file store as rows of a database. */
import { basename, join } from 'node:path';

import { columnsOf } from '../../rows/values.js';
import { columnOf, type Schema } from '../../schema/model.js';
import {
  Damage,
  experimentsIn,
  META,
  METRICS,
  MODELS,
  orReport,
  PARAMS,
  type Report,
  readModel,
  readRun,
  readTrace,
  registeredModelsIn,
  runFolders,
  TAGS,
  TRACE_INFO,
  TRACES,
} from '../../store/file/reader.js';
import type { Batch } from '../source.js';
import { Collector } from './collector.js';
import type { Context } from './context.js';
import { addExperiment, experimentValues } from './experiments.js';
import { addLoggedModel } from './logged-models.js';
import { addRegisteredModel } from './registry.js';
import { addRun } from './runs.js';
import { steady } from './steady.js';
import { rowsOfParts } from './threads.js';
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
export async function* rowsOfFiles(reading: FileReading): AsyncGenerator<Batch> {
  const { root, schema, report, lacking, lost, repeated } = reading;
  const rows = new Collector(schema, lacking);
  const runs = new Set<unknown>();
  const context: Context = { root, rows, report, lost, repeated, hasRun: (id) => runs.has(id) };

  const experiments: string[] = [];
  for (const experiment of experimentsIn(steady, root, report)) {
    experiments.push(experiment.folder);
    addExperiment(experiment, context);
    if (rows.isFull) yield* rows.drain();
  }
  yield* rows.drain();
  for await (const batch of rowsOfParts(partsOf(experiments, report), reading)) {
    if (batch.table.name === RUNS) {
      const at = columnsOf(batch.table).findIndex(({ name }) => name === 'run_uuid');
      for (const row of batch.rows) runs.add(row[at]);
    }
    yield batch;
  }
  const traceTable = schema.tables.get('trace_info');
  const hasColumns = traceTable !== undefined && columnOf(traceTable, 'session_id') !== undefined;
  // A logged model can be measured by a run of any experiment.
  for (const experiment of experiments) {
    for (const folder of foldersIn(join(experiment, MODELS), report)) {
      const model = recordAt(folder, { meta: META, names: /^m-/, read: readModel }, report);
      if (model) addLoggedModel(model, context);
      if (rows.isFull) yield* rows.drain();
    }
    for (const folder of foldersIn(join(experiment, TRACES), report)) {
      const trace = recordAt(folder, { meta: TRACE_INFO, names: /^tr-|^[\da-f]{32}$/, read: readTrace }, report);
      if (trace) addTrace(trace, context, hasColumns);
      if (rows.isFull) yield* rows.drain();
    }
  }
  for (const model of registeredModelsIn(steady, root, report)) {
    addRegisteredModel(model, context);
    if (rows.isFull) yield* rows.drain();
  }
  yield* rows.drain();
}

const RUNS = 'runs';

/** Folders of runs that are read together. */
const TOGETHER = 20;

function* partsOf(experiments: readonly string[], report: Report): Generator<readonly string[]> {
  let part: string[] = [];
  for (const experiment of experiments) {
    for (const folder of orReport(report, () => runFolders(steady, experiment)) ?? []) {
      part.push(folder);
      if (part.length < TOGETHER) continue;
      yield part;
      part = [];
    }
  }
  if (part.length > 0) yield part;
}

/** The rows of some runs. @param folders in which they may be */
export function* rowsOfRuns(
  folders: readonly string[],
  { root, schema, report, lacking, lost, repeated }: FileReading,
): Generator<Batch> {
  const rows = new Collector(schema, lacking);
  const context: Context = { root, rows, report, lost, repeated, hasRun: () => true };
  for (const folder of folders) {
    const run = recordAt(folder, { meta: META, names: /^[\da-f]{32}$/, read: readRun }, report);
    if (run) addRun(run, context);
    if (rows.isFull) yield* rows.drain();
  }
  yield* rows.drain();
}

const foldersIn = (parent: string, report: Report): string[] =>
  (orReport(report, () => steady.folders(parent)) ?? []).map((name) => join(parent, name));

interface Kind<Stored> {
  readonly meta: string;
  /** Names of such records. */
  readonly names: RegExp;
  readonly read: (files: typeof steady, folder: string) => Stored | undefined;
}

/** The record of a folder. One that should be one, and is not, was one once: that is reported. */
function recordAt<Stored>(folder: string, { meta, names, read }: Kind<Stored>, report: Report): Stored | undefined {
  return orReport(report, () => {
    const stored = read(steady, folder);
    if (stored === undefined && names.test(basename(folder)) && isOfRecord(folder)) {
      throw new Damage({ path: join(folder, meta), reason: 'is missing' });
    }
    return stored;
  });
}

const isOfRecord = (folder: string) => (steady.folders(folder) ?? []).some((part) => PARTS.includes(part));

/** Folders that only records have. */
const PARTS: readonly string[] = [METRICS, PARAMS, TAGS];

/** The experiments alone, without tags and datasets. */
export function* experimentsOfFiles(root: string, schema: Schema): Generator<Batch> {
  const rows = new Collector(schema, new Map());
  for (const experiment of experimentsIn(steady, root, () => undefined))
    rows.add('experiments', experimentValues(experiment));
  yield* rows.drain();
}
