/** Deleting traces, for good. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { invalidParameter } from '../errors.js';
import type { Traces } from '../store.js';
import type { Context } from './context.js';
import { statOf } from './files.js';
import { neededExperiment } from './find.js';
import { isName } from './ids.js';
import { TRACE_INFO, TRACES } from './layout.js';
import { readTrace } from './read-trace.js';
import { readEach } from './reading.js';
import { tracesFolders } from './traces-search.js';
import { removeFile } from './writing.js';

type Which = Parameters<Traces['delete']>[1];

/** @returns how many */
export async function deleteTraces(context: Context, experimentId: string, which: Which): Promise<number> {
  validateWhich(which);
  const experiment = neededExperiment(context, experimentId);
  const folders = await chosen(context, experiment, which);
  for (const folder of folders) {
    // What has no trace_info.yaml is no trace: nobody meets half of one.
    removeFile(join(folder, TRACE_INFO));
    await rm(folder, { recursive: true, force: true });
  }
  return folders.length;
}

function validateWhich({ max_timestamp_millis: until, max_traces, trace_ids = [] }: Which): void {
  if (until === undefined && trace_ids.length === 0) {
    throw invalidParameter('Either `max_timestamp_millis` or `trace_ids` must be specified.');
  }
  if (until !== undefined && trace_ids.length > 0) {
    throw invalidParameter('Only one of `max_timestamp_millis` and `trace_ids` can be specified.');
  }
  if (trace_ids.length > 0 && max_traces !== undefined) {
    throw invalidParameter("`max_traces` can't be specified if `trace_ids` is specified.");
  }
  if (max_traces !== undefined && max_traces <= 0) {
    throw invalidParameter(`\`max_traces\` must be a positive integer, received ${max_traces}.`);
  }
}

async function chosen(context: Context, experiment: string, which: Which): Promise<string[]> {
  const { max_timestamp_millis: until, max_traces, trace_ids = [] } = which;
  if (until === undefined) {
    const folders = [...new Set(trace_ids)].filter(isName).map((id) => join(experiment, TRACES, id));
    return folders.filter((folder) => statOf(folder) !== undefined);
  }
  const stored = await readEach(context, tracesFolders(context, experiment), (folder) =>
    readTrace(context.files, folder),
  );
  return stored
    .filter(({ info }) => info.request_time <= until)
    .sort((one, other) => one.info.request_time - other.info.request_time)
    .slice(0, max_traces)
    .map(({ folder }) => folder);
}
