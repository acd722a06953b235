/** What a folder of a file store holds already, as rows. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Dialect } from '../../dialect/dialect.js';
import { canonicalWriter } from '../../rows/json.js';
import { columnsOf, type Row } from '../../rows/values.js';
import { columnOf, type Schema, type Table } from '../../schema/model.js';
import { ARTIFACTS, type Report, readModel, readRun, strictly, type YamlMap } from '../../store/file/reader.js';
import { codeOf, readExperiment, readRegisteredModel, readTrace } from '../../store/file/writer.js';
import { readJsonText, writeJson } from '../../store/search/index.js';
import { Collector } from '../files/collector.js';
import type { Context } from '../files/context.js';
import { addExperiment } from '../files/experiments.js';
import { addLoggedModel } from '../files/logged-models.js';
import { addRegisteredModel } from '../files/registry.js';
import { addRun } from '../files/runs.js';
import { steady } from '../files/steady.js';
import { addTrace } from '../files/traces.js';
import { namer } from '../named.js';
import { Problems } from '../problems.js';
import { Sieve } from '../sieve.js';
import { TRACE_DATA } from './records.js';

export type RecordKind = 'experiment' | 'run' | 'logged model' | 'trace' | 'registered model';

/** A record as it is on the disk. */
export interface OnDisk {
  /** All of its meta.yaml. */
  readonly meta: YamlMap;
  /** Of a trace: the JSON of the spans among its artifacts. */
  readonly spans: readonly string[];
  has(table: Table, row: Row): boolean;
}

/** @throws {Damage} where its meta.yaml cannot be read; what else cannot be read is not there */
export type Look = (kind: RecordKind, folder: string) => OnDisk | undefined;

/** @param dialect of the database that the rows to be written are kept in */
export function looker(root: string, schema: Schema, dialect: Dialect): Look {
  const traces = schema.tables.get('trace_info');
  const hasColumns = traces !== undefined && columnOf(traces, 'session_id') !== undefined;
  return (kind, folder) => {
    const rows = new Collector(schema, new Map());
    const context: Context = {
      ...{ root, rows, report: () => undefined, lost: () => undefined, repeated: () => undefined },
      hasRun: () => true,
    };
    const meta = add(kind, folder, context, hasColumns);
    if (meta === undefined) return undefined;
    const sieve = new Sieve(dialect, false);
    const marks = new Set<string>();
    for (const batch of rows.drain()) {
      const mark = marker(batch.table);
      for (const row of sieve.pass(batch, new Problems())) marks.add(mark(row));
    }
    const spans = kind === 'trace' ? spansIn(folder) : [];
    const known = new Set(spans);
    return {
      ...{ meta, spans },
      has: (table, row) => (table.name === 'spans' ? known.has(spanText(table, row)) : marks.has(marker(table)(row))),
    };
  };
}

function add(kind: RecordKind, folder: string, context: Context, hasColumns: boolean): YamlMap | undefined {
  switch (kind) {
    case 'experiment': {
      const stored = readExperiment(steady, folder);
      addExperiment(stored, context);
      return stored.meta;
    }
    case 'run': {
      const stored = readRun(steady, folder);
      if (stored) addRun(stored, context);
      return stored?.meta;
    }
    case 'logged model': {
      const stored = readModel(steady, folder);
      if (stored) addLoggedModel(stored, context);
      return stored?.meta;
    }
    case 'trace': {
      const stored = readTrace(steady, folder);
      if (stored) addTrace(stored, context, hasColumns);
      return stored?.meta;
    }
    case 'registered model': {
      const stored = readRegisteredModel(steady, folder, strictly as Report);
      addRegisteredModel(stored, context);
      return stored.model.name === basename(folder) ? stored.meta : undefined;
    }
  }
}

/** None where there is no such file, or one that is not of this form. */
function spansIn(folder: string): string[] {
  const text = readIfThere(join(folder, ARTIFACTS, TRACE_DATA));
  const data = text === null ? undefined : readJsonText(text);
  if (typeof data !== 'object' || data === null || !('spans' in data) || !Array.isArray(data.spans)) return [];
  return data.spans.map((span) => writeJson(span));
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return null;
    throw error;
  }
}

const spanText = (table: Table, row: Row) => writeJson(readJsonText(String(namer(table)(row).content)) ?? null);

const markers = new WeakMap<Table, (row: Row) => string>();

function marker(table: Table): (row: Row) => string {
  let mark = markers.get(table);
  if (!mark) {
    const line = canonicalWriter(columnsOf(table));
    mark = (row) => `${table.name} ${line(row)}`;
    markers.set(table, mark);
  }
  return mark;
}
