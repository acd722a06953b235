import { invalidParameter, StoreError } from '../../store/errors.js';
import type { Trace, TraceInfo } from '../../store/records.js';
import { trace, traceInfo } from '../answers/traces.js';
import type { Context } from '../context.js';
import { done, route } from '../route.js';
import {
  atMost,
  choice,
  converted,
  flag,
  int32,
  int64,
  many,
  manyTexts,
  message,
  needed,
  neededList,
  optional,
  text,
  texts,
} from '../wire/read.js';
import { duration, timestamp } from '../wire/times.js';
import { int64 as int64Of, list, optional as maybe, object, text as textOf } from '../wire/write.js';
import { assessmentGiven, newAssessment } from './assessments.js';

/** Tags that the server itself keeps; one of them may be removed, so that archiving is tried again. */
const KEPT = ['mlflow.trace.spansLocation', 'mlflow.trace.archiveLocation', 'mlflow.trace.archivalFailure'];
const REMOVABLE = 'mlflow.trace.archivalFailure';

export function checkTag(key: string, operation: 'set' | 'deleted'): void {
  if (!KEPT.includes(key) || (operation === 'deleted' && key === REMOVABLE)) return;
  throw invalidParameter(`Tag '${key}' is immutable and cannot be ${operation} on a trace.`);
}

const location = message('TraceLocationGiven', {
  type: optional(choice({ TRACE_LOCATION_TYPE_UNSPECIFIED: 0, MLFLOW_EXPERIMENT: 1, INFERENCE_TABLE: 2 })),
  mlflow_experiment: optional(message('MlflowExperimentLocation', { experiment_id: optional(text) })),
});

const infoMessage = message('TraceInfoGiven', {
  trace_id: optional(text),
  client_request_id: optional(text),
  trace_location: optional(location),
  request_preview: optional(text),
  response_preview: optional(text),
  request_time: optional(timestamp),
  execution_duration: optional(duration),
  state: optional(choice({ STATE_UNSPECIFIED: 0, OK: 1, ERROR: 2, IN_PROGRESS: 3 })),
  trace_metadata: optional(texts),
  assessments: many(assessmentGiven),
  tags: optional(texts),
});

const infoGiven = converted(infoMessage, ({ trace_id = '', trace_location, assessments, ...given }) => {
  const now = Date.now();
  const info: TraceInfo = {
    trace_id,
    experiment_id: trace_location?.mlflow_experiment?.experiment_id ?? '',
    client_request_id: given.client_request_id,
    request_preview: given.request_preview,
    response_preview: given.response_preview,
    request_time: given.request_time ?? 0,
    execution_duration: given.execution_duration,
    state: given.state ?? 'STATE_UNSPECIFIED',
    trace_metadata: given.trace_metadata ?? {},
    tags: given.tags ?? {},
    assessments: assessments.map((each) => {
      const made = newAssessment(each, trace_id);
      return {
        ...made,
        assessment_id: made.assessment_id ?? '',
        create_time: made.create_time ?? now,
        last_update_time: made.last_update_time ?? now,
        valid: made.valid ?? true,
      };
    }),
  };
  return info;
});

const oneInfo = object<{ trace: { trace_info: TraceInfo } }>({
  trace: object<{ trace_info: TraceInfo }>({ trace_info: traceInfo }),
});

const answered = ({ info, spans }: Trace) => ({ trace_info: info, spans });

/** Of these experiments only; of any where the request does not have the list, not even an empty one. */
const onlyIn = {
  ...manyTexts(),
  read: (value: unknown) => (value === undefined || value === null ? undefined : many(text).read(value)),
};

function spansOf({ store }: Context) {
  if (store.traces.spans) return store.traces.spans;
  throw new StoreError('NOT_IMPLEMENTED', 'The file store keeps spans in files, not in the store.');
}

const deletion = {
  experiment_id: needed(text),
  max_timestamp_millis: optional(int64),
  max_traces: optional(int32),
  request_ids: manyTexts(),
};

const promptVersion = converted(
  message('PromptVersionRef', { name: optional(text), version: optional(text) }),
  ({ name = '', version = '' }) => ({ name, version }),
);

const tag = { key: needed(text), value: optional(text) };

export const traceRoutes = [
  route({
    name: 'startTraceV3',
    method: 'POST',
    path: '/mlflow/traces',
    version: 3,
    request: { trace: needed(message('TraceGiven', { trace_info: optional(infoGiven) })) },
    answer: oneInfo,
    handle: async ({ store }, { trace }) => {
      if (!trace.trace_info) throw invalidParameter("Missing value for required parameter 'trace.trace_info'.");
      return { trace: { trace_info: await store.traces.start(trace.trace_info) } };
    },
  }),
  route({
    name: 'getTrace',
    method: 'GET',
    path: '/mlflow/traces/get',
    version: 3,
    request: { trace_id: needed(text), allow_partial: optional(flag) },
    answer: object<{ trace: ReturnType<typeof answered> }>({ trace }),
    handle: async (context, { trace_id, allow_partial = false }) => ({
      trace: answered(await spansOf(context).getTrace(trace_id, allow_partial)),
    }),
  }),
  route({
    name: 'batchGetTraces',
    method: 'GET',
    path: '/mlflow/traces/batchGet',
    version: 3,
    request: { trace_ids: neededList(manyTexts()), experiment_ids: onlyIn },
    answer: object<{ traces: readonly ReturnType<typeof answered>[] }>({ traces: list(trace) }),
    handle: async (context, { trace_ids, experiment_ids }) => {
      const found = await spansOf(context).getTraces(trace_ids, experiment_ids);
      return { traces: found.map(answered) };
    },
  }),
  route({
    name: 'batchGetTraceInfos',
    method: 'POST',
    path: '/mlflow/traces/batchGetInfos',
    version: 3,
    request: { trace_ids: neededList(manyTexts()), experiment_ids: onlyIn },
    answer: object<{ trace_infos: readonly TraceInfo[] }>({ trace_infos: list(traceInfo) }),
    handle: async ({ store }, { trace_ids, experiment_ids }) => ({
      trace_infos: await store.traces.getInfos(trace_ids, experiment_ids),
    }),
  }),
  route({
    name: 'searchTracesV3',
    method: 'POST',
    path: '/mlflow/traces/search',
    version: 3,
    request: {
      locations: neededList(many(location)),
      filter: optional(text),
      max_results: optional(int32, atMost(500)),
      order_by: manyTexts(),
      page_token: optional(text),
    },
    answer: object<{ traces: readonly TraceInfo[]; next_page_token: string | undefined }>({
      traces: list(traceInfo),
      next_page_token: maybe(textOf),
    }),
    handle: async ({ store }, { locations, page_token, max_results = 100, ...question }) => {
      const { items, next_page_token } = await store.traces.search({
        ...question,
        max_results,
        experiment_ids: locations.flatMap(({ mlflow_experiment: at }) => (at ? [at.experiment_id ?? ''] : [])),
        page_token: page_token || undefined,
      });
      return { traces: items, next_page_token };
    },
  }),
  ...([2, 3] as const).map((version) =>
    route({
      name: version === 2 ? 'deleteTraces' : 'deleteTracesV3',
      method: 'POST',
      path: '/mlflow/traces/delete-traces',
      version,
      request: deletion,
      answer: object<{ traces_deleted: number }>({ traces_deleted: int64Of }),
      handle: async ({ store }, { experiment_id, max_timestamp_millis, max_traces, request_ids }) => ({
        traces_deleted: await store.traces.delete(experiment_id, {
          max_timestamp_millis,
          max_traces,
          trace_ids: request_ids,
        }),
      }),
    }),
  ),
  route({
    name: 'linkTracesToRun',
    method: 'POST',
    path: '/mlflow/traces/link-to-run',
    request: { trace_ids: neededList(manyTexts()), run_id: needed(text) },
    answer: done,
    handle: ({ store }, { trace_ids, run_id }) => store.traces.linkToRun(trace_ids, run_id),
  }),
  route({
    name: 'linkPromptsToTrace',
    method: 'POST',
    path: '/mlflow/traces/link-prompts',
    request: { trace_id: needed(text), prompt_versions: neededList(many(promptVersion)) },
    answer: done,
    handle: ({ store }, { trace_id, prompt_versions }) => store.traces.linkPrompts(trace_id, prompt_versions),
  }),
  route({
    name: 'getTraceInfoV3',
    method: 'GET',
    path: '/mlflow/traces/{trace_id}',
    version: 3,
    request: {},
    answer: oneInfo,
    handle: async ({ store }, _, { trace_id }) => ({ trace: { trace_info: await store.traces.getInfo(trace_id) } }),
  }),
  ...([2, 3] as const).flatMap((version) => [
    route({
      name: version === 2 ? 'setTraceTag' : 'setTraceTagV3',
      method: 'PATCH',
      path: '/mlflow/traces/{trace_id}/tags',
      version,
      request: tag,
      answer: done,
      handle: async ({ store }, { key, value = '' }, { trace_id }) => {
        checkTag(key, 'set');
        await store.traces.setTag(trace_id, key, value);
      },
    }),
    route({
      name: version === 2 ? 'deleteTraceTag' : 'deleteTraceTagV3',
      method: 'DELETE',
      path: '/mlflow/traces/{trace_id}/tags',
      version,
      request: { key: needed(text) },
      answer: done,
      handle: async ({ store }, { key }, { trace_id }) => {
        checkTag(key, 'deleted');
        await store.traces.deleteTag(trace_id, key);
      },
    }),
  ]),
];
