/** Traces: folders among the traces of their experiment. Their spans are artifacts. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { appendToUri } from '../artifact-uri.js';
import { invalidParameter, StoreError } from '../errors.js';
import type { TraceInfo } from '../records.js';
import type { Traces } from '../store.js';
import { validateName } from '../validate.js';
import { createAssessment, deleteAssessment, getAssessment, updateAssessment } from './assessments.js';
import { Changes, makeFolder } from './changes.js';
import type { Context } from './context.js';
import type { Report } from './damage.js';
import { statOf } from './files.js';
import { neededExperiment, notFound } from './find.js';
import { newId, validateExperimentId, validatePathName } from './ids.js';
import { ARTIFACTS, TAGS, TRACE_INFO, TRACE_METADATA, TRACES } from './layout.js';
import { readExperiment } from './read-experiment.js';
import { readTrace, type StoredTrace } from './read-trace.js';
import { readEach, readWhole } from './reading.js';
import { formatTimestamp } from './timestamp.js';
import { deleteTraces } from './traces-delete.js';
import { neededTraceFolder, storedTrace, traceFolder, wholeTrace } from './traces-read.js';
import { searchTraces } from './traces-search.js';
import { commit, removeFile } from './writing.js';
import { writeYaml } from './yaml/write.js';

export function traces(context: Context): Traces {
  const changing = <Result>(id: string, work: () => Promise<Result>) => context.locks.hold(`trace ${id}`, work);
  return {
    start: (trace) => changing(trace.trace_id, () => start(context, trace)),
    begin: ({ experiment_id, timestamp_ms, request_metadata, tags }) =>
      start(context, {
        trace_id: newId(),
        experiment_id,
        request_time: timestamp_ms,
        state: 'IN_PROGRESS',
        trace_metadata: request_metadata,
        tags,
        assessments: [],
      }),
    end: (id, ended) => changing(id, () => end(context, id, ended)),
    getInfo: (id) => readWhole(context, (report) => wholeTrace(context, storedTrace(context, id), report)),
    getInfos: (ids, experimentIds) => getInfos(context, ids, experimentIds),
    search: (question) => searchTraces(context, question),
    delete: (experimentId, which) => deleteTraces(context, experimentId, which),
    setTag: (id, key, value) => setTag(context, id, key, value),
    deleteTag: (id, key) => deleteTag(context, id, key),
    linkToRun: async () => {
      throw needsDatabase('Linking traces to runs');
    },
    linkPrompts: async () => {
      throw needsDatabase('Linking prompts to traces');
    },
    createAssessment: (given) => changing(given.trace_id, () => createAssessment(context, given)),
    getAssessment: (id, assessmentId) => getAssessment(context, id, assessmentId),
    updateAssessment: (id, assessmentId, change) =>
      changing(id, () => updateAssessment(context, id, assessmentId, change)),
    deleteAssessment: (id, assessmentId) => changing(id, () => deleteAssessment(context, id, assessmentId)),
    spans: null,
  };
}

const needsDatabase = (what: string): StoreError =>
  invalidParameter(
    `${what} is not supported in FileStore. Please use a database-backed store (e.g., SQLAlchemy store) for this feature.`,
  );

const LOCATION = 'mlflow.artifactLocation';

/** The folder is a trace from the moment on at which it has a trace_info.yaml. */
async function start(context: Context, trace: TraceInfo): Promise<TraceInfo> {
  const { trace_id, experiment_id, assessments } = trace;
  validateExperimentId(experiment_id);
  const parent = neededExperiment(context, experiment_id, 'ACTIVE_ONLY');
  validatePathName(trace_id, 'trace_id');
  for (const key of [...Object.keys(trace.trace_metadata), ...Object.keys(trace.tags)]) validateName(key, 'key');
  const { experiment } = await readWhole(context, () => readExperiment(context.files, parent));
  const place = appendToUri(experiment.artifact_location, TRACES, trace_id, ARTIFACTS);
  const made = { ...trace, tags: { ...trace.tags, [LOCATION]: place } };
  const folder = join(parent, TRACES, trace_id);
  const path = join(folder, TRACE_INFO);
  if (existsSync(path)) throw new StoreError('INTERNAL_ERROR', `Yaml file '${path}' exists as '${path}`);
  makeFolder(join(parent, TRACES));
  makeFolder(folder);
  makeFolder(join(folder, TRACE_METADATA));
  makeFolder(join(folder, TAGS));
  await putValues(context, folder, made.trace_metadata, made.tags);
  await putInfo(context, folder, made);
  const logged = [];
  for (const each of assessments) logged.push(await createAssessment(context, { ...each, trace_id }));
  return { ...made, assessments: logged };
}

function putValues(
  context: Context,
  folder: string,
  metadata: Readonly<Record<string, string>>,
  tags: Readonly<Record<string, string>>,
): Promise<void> {
  const changes = new Changes(folder, context.syncsAll);
  for (const [key, value] of Object.entries(metadata)) changes.put(join(folder, TRACE_METADATA, key), value);
  for (const [key, value] of Object.entries(tags)) changes.put(join(folder, TAGS, key), value);
  return commit(changes);
}

/** What is not there is left out, as by the protocol's JSON. */
function putInfo(context: Context, folder: string, trace: StoredTrace['info']): Promise<void> {
  const { client_request_id, request_preview, response_preview, execution_duration } = trace;
  const changes = new Changes(folder, context.syncsAll);
  changes.putMeta(
    join(folder, TRACE_INFO),
    writeYaml({
      trace_id: trace.trace_id,
      trace_location: { type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id: trace.experiment_id } },
      request_time: formatTimestamp(trace.request_time),
      state: trace.state,
      ...(client_request_id !== undefined && { client_request_id }),
      ...(request_preview !== undefined && { request_preview }),
      ...(response_preview !== undefined && { response_preview }),
      ...(execution_duration !== undefined && { execution_duration_ms: execution_duration }),
    }),
  );
  return commit(changes);
}

async function end(context: Context, id: string, ended: Parameters<Traces['end']>[1]): Promise<TraceInfo> {
  const { folder, info } = await readWhole(context, () => storedTrace(context, id));
  for (const key of [...Object.keys(ended.request_metadata), ...Object.keys(ended.tags)]) validateName(key, 'key');
  await putValues(context, folder, ended.request_metadata, ended.tags);
  await putInfo(context, folder, {
    ...info,
    state: ended.state,
    execution_duration: ended.timestamp_ms - info.request_time,
  });
  return readWhole(context, (report) => wholeTrace(context, storedTrace(context, id), report));
}

function getInfos(
  context: Context,
  ids: readonly string[],
  experimentIds: readonly string[] | undefined,
): Promise<TraceInfo[]> {
  return readEach(context, ids, (id, report: Report) => {
    const folder = traceFolder(context, id);
    const stored = folder === undefined ? undefined : readTrace(context.files, folder);
    const isAskedFor = stored && (experimentIds?.includes(stored.info.experiment_id) ?? true);
    return isAskedFor ? wholeTrace(context, stored, report) : undefined;
  });
}

async function setTag(context: Context, id: string, key: string, value: string): Promise<void> {
  const folder = neededTraceFolder(context, id);
  validateName(key, 'key');
  await putValues(context, folder, {}, { [key]: value });
}

async function deleteTag(context: Context, id: string, key: string): Promise<void> {
  validateName(key, 'key');
  const path = join(neededTraceFolder(context, id), TAGS, key);
  if (statOf(path) === undefined || !removeFile(path)) {
    throw notFound(`No tag with name: ${key} in trace with ID ${id}.`);
  }
}
