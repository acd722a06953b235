/** A trace as its folder has it: of MLflow 3, and of the releases from 2.14 on that named its fields otherwise. */
import { basename, join } from 'node:path';
import type { Assessment, KeyValue, TraceInfo, TraceState } from '../records.js';
import { Damage, type Report, Unreadable } from './damage.js';
import { Fields } from './fields.js';
import type { Files } from './files.js';
import { ASSESSMENTS, TAGS, TRACE_INFO, TRACE_METADATA } from './layout.js';
import { readAssessment } from './read-assessment.js';
import { readValues } from './read-values.js';
import { timestampMs } from './timestamp.js';
import { readYaml } from './yaml/read.js';
import type { YamlMap } from './yaml/resolve.js';

type Info = Omit<TraceInfo, 'tags' | 'trace_metadata' | 'assessments'>;

export interface StoredTrace {
  readonly folder: string;
  readonly info: Info;
  readonly meta: YamlMap;
}

/** Undefined for a folder that is no trace. @throws {Damage} where trace_info.yaml is not that of one in this folder */
export function readTrace(files: Files, folder: string): StoredTrace | undefined {
  const path = join(folder, TRACE_INFO);
  const found = files.read(path, traceIn);
  if (found === undefined) return undefined;
  const { trace_id } = found.info;
  if (trace_id !== basename(folder)) throw new Damage({ path, reason: `belongs to trace ${trace_id}` });
  return { folder, ...found };
}

const STATES: readonly TraceState[] = ['STATE_UNSPECIFIED', 'OK', 'ERROR', 'IN_PROGRESS'];

function traceIn(text: string): Omit<StoredTrace, 'folder'> {
  const meta = readYaml(text);
  const fields = new Fields(meta);
  return { info: Object.hasOwn(meta, 'request_id') ? earlierInfo(fields) : info(fields), meta };
}

function info(fields: Fields): Info {
  const time = fields.text('request_time');
  return {
    trace_id: fields.neededText('trace_id'),
    experiment_id: fields.map('trace_location').map('mlflow_experiment').neededText('experiment_id'),
    client_request_id: fields.text('client_request_id'),
    request_preview: fields.text('request_preview'),
    response_preview: fields.text('response_preview'),
    request_time: time === undefined ? 0 : timestampMs(time, 'request_time'),
    execution_duration: fields.integer('execution_duration_ms'),
    state: fields.choice('state', STATES, 'STATE_UNSPECIFIED'),
  };
}

function earlierInfo(fields: Fields): Info {
  const status = fields.neededText('status');
  const state = STATES.find((each) => each === (status === 'TRACE_STATUS_UNSPECIFIED' ? STATES[0] : status));
  if (state === undefined) throw new Unreadable(`holds the status "${status}", which no trace has`);
  return {
    trace_id: fields.neededText('request_id'),
    experiment_id: fields.neededText('experiment_id'),
    client_request_id: undefined,
    request_preview: undefined,
    response_preview: undefined,
    request_time: fields.integer('timestamp_ms') ?? 0,
    execution_duration: fields.integer('execution_time_ms'),
    state,
  };
}

export const readTraceTags = (files: Files, folder: string, report: Report): Record<string, string> =>
  asRecord(readValues(files, join(folder, TAGS), report));

export const readTraceMetadata = (files: Files, folder: string, report: Report): Record<string, string> =>
  asRecord(readValues(files, join(folder, TRACE_METADATA), report));

const asRecord = (values: readonly KeyValue[]) => Object.fromEntries(values.map(({ key, value }) => [key, value]));

const ENDS = '.yaml';

/** Sorted by creation, and by id. */
export function readAssessments(files: Files, folder: string, report: Report): Assessment[] {
  const found: Assessment[] = [];
  for (const [name, assessment] of files.tree(join(folder, ASSESSMENTS), readAssessment)) {
    const path = join(folder, ASSESSMENTS, name);
    if (assessment instanceof Damage) report(assessment);
    else if (name === assessment.assessment_id + ENDS) found.push(assessment);
    else report(new Damage({ path, reason: `belongs to assessment ${assessment.assessment_id}` }));
  }
  return found.sort(
    (one, other) => one.create_time - other.create_time || (one.assessment_id < other.assessment_id ? -1 : 1),
  );
}

/** The whole record of a trace. */
export const traceInfo = (files: Files, { folder, info }: StoredTrace, report: Report): TraceInfo => ({
  ...info,
  trace_metadata: readTraceMetadata(files, folder, report),
  tags: readTraceTags(files, folder, report),
  assessments: readAssessments(files, folder, report),
});
