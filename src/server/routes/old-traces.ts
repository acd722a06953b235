/** Traces in MLflow 2's API, which clients before 3.0 use: a trace is begun, then ended. */
import type { TraceInfo, TraceState } from '../../store/records.js';
import { traceInfoV2 } from '../answers/traces.js';
import { route } from '../route.js';
import {
  atMost,
  choice,
  int32,
  int64,
  isObject,
  many,
  manyTexts,
  neededList,
  optional,
  type Rule,
  text,
} from '../wire/read.js';
import { list, optional as maybe, object, text as textOf } from '../wire/write.js';
import { keyValue } from './common.js';

const status = choice(
  { TRACE_STATUS_UNSPECIFIED: 0, OK: 1, ERROR: 2, IN_PROGRESS: 3 },
  (value) => typeof value === 'string',
);

const eachHasKey: Rule = (value) =>
  Array.isArray(value) && value.every((item) => isObject(item) && item.key != null && item.key !== '') ? undefined : '';

const oneInfo = object<{ trace_info: TraceInfo }>({ trace_info: traceInfoV2 });

const mapOf = (pairs: readonly { readonly key: string; readonly value: string }[]) =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, value]));

export const oldTraceRoutes = [
  route({
    name: 'startTrace',
    method: 'POST',
    path: '/mlflow/traces',
    request: {
      experiment_id: optional(text),
      timestamp_ms: optional(int64),
      request_metadata: many(keyValue, eachHasKey),
      tags: many(keyValue, eachHasKey),
    },
    answer: oneInfo,
    handle: async ({ store }, { experiment_id = '', timestamp_ms = 0, request_metadata, tags }) => ({
      trace_info: await store.traces.begin({
        experiment_id,
        timestamp_ms,
        request_metadata: mapOf(request_metadata),
        tags: mapOf(tags),
      }),
    }),
  }),
  route({
    name: 'searchTraces',
    method: 'GET',
    path: '/mlflow/traces',
    request: {
      experiment_ids: neededList(manyTexts()),
      filter: optional(text),
      max_results: optional(int32, atMost(500)),
      order_by: manyTexts(),
      page_token: optional(text),
    },
    answer: object<{ traces: readonly TraceInfo[]; next_page_token: string | undefined }>({
      traces: list(traceInfoV2),
      next_page_token: maybe(textOf),
    }),
    handle: async ({ store }, { page_token, max_results = 100, ...question }) => {
      const { items, next_page_token } = await store.traces.search({
        ...question,
        max_results,
        page_token: page_token || undefined,
      });
      return { traces: items, next_page_token };
    },
  }),
  route({
    name: 'endTrace',
    method: 'PATCH',
    path: '/mlflow/traces/{request_id}',
    request: {
      timestamp_ms: optional(int64),
      status: optional(status),
      request_metadata: many(keyValue, eachHasKey),
      tags: many(keyValue, eachHasKey),
    },
    answer: oneInfo,
    handle: async ({ store }, { timestamp_ms = 0, status, request_metadata, tags }, { request_id }) => ({
      trace_info: await store.traces.end(request_id, {
        timestamp_ms,
        state: stateOf(status),
        request_metadata: mapOf(request_metadata),
        tags: mapOf(tags),
      }),
    }),
  }),
  route({
    name: 'getTraceInfo',
    method: 'GET',
    path: '/mlflow/traces/{request_id}/info',
    request: {},
    answer: oneInfo,
    handle: async ({ store }, _, { request_id }) => ({ trace_info: await store.traces.getInfo(request_id) }),
  }),
];

function stateOf(status: string | undefined): TraceState {
  return status === 'OK' || status === 'ERROR' || status === 'IN_PROGRESS' ? status : 'STATE_UNSPECIFIED';
}
