/** Traces by their ids, and as records. */
import { join } from 'node:path';
import type { TraceInfo } from '../records.js';
import type { Context } from './context.js';
import type { Report } from './damage.js';
import { statOf } from './files.js';
import { findIn, notFound } from './find.js';
import { TRACE_INFO, TRACES } from './layout.js';
import { readTrace, type StoredTrace, traceInfo } from './read-trace.js';
import { Vanished } from './reading.js';

/** The folder of a trace; undefined where there is none. */
export const traceFolder = (context: Context, id: string): string | undefined =>
  findIn(context, TRACES, id, { deleted: true });

/** @throws StoreError */
export function neededTraceFolder(context: Context, id: string): string {
  const folder = traceFolder(context, id);
  if (folder === undefined) throw notFound(`Trace with ID '${id}' not found`);
  return folder;
}

/** To be called by what is read under readWhole. @throws StoreError, Damage */
export function storedTrace(context: Context, id: string): StoredTrace {
  const stored = readTrace(context.files, neededTraceFolder(context, id));
  if (stored === undefined) throw notFound(`Trace with ID '${id}' not found`);
  return stored;
}

/** To be called under readWhole or readEach. @throws {Vanished} where its folder was moved away meanwhile */
export function wholeTrace({ files }: Context, stored: StoredTrace, report: Report): TraceInfo {
  const info = traceInfo(files, stored, report);
  if (statOf(join(stored.folder, TRACE_INFO)) === undefined) {
    throw new Vanished(`${stored.folder} was moved away while it was read`);
  }
  return info;
}
