import { gzipSync } from 'node:zlib';
import { API3, get, patch, post, remove, type Step } from './steps.js';

const T = `${API3}/traces`;
const at = (experiment: string) => ({ type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id: experiment } });
const info = (id: string, more: object = {}) => ({
  trace: {
    trace_info: {
      trace_id: id,
      trace_location: at('0'),
      request_time: '2026-01-02T03:04:05.678Z',
      execution_duration: '1.5s',
      state: 'OK',
      request_preview: 'ask',
      response_preview: 'answer',
      trace_metadata: { 'mlflow.user': 'me', k: 'v' },
      tags: { topic: id, 'mlflow.traceName': 'named' },
      ...more,
    },
  },
});

const HEX = '0af7651916cd43dd8448eb211c80319c';
const span = (more: object = {}) => ({
  traceId: HEX,
  spanId: 'b7ad6b7169203331',
  name: 'root',
  kind: 1,
  startTimeUnixNano: '1700000000123456789',
  endTimeUnixNano: '1700000001123456790',
  attributes: [
    { key: 'text', value: { stringValue: 'ü😀"' } },
    { key: 'int', value: { intValue: '9007199254740993' } },
    { key: 'double', value: { doubleValue: 1 } },
    { key: 'tiny', value: { doubleValue: 1e-7 } },
    { key: 'flag', value: { boolValue: true } },
    { key: 'list', value: { arrayValue: { values: [{ intValue: '1' }, { stringValue: 'x' }, {}] } } },
    {
      key: 'map',
      value: {
        kvlistValue: {
          values: [
            { key: 'a', value: { intValue: '1' } },
            { key: 'b', value: {} },
          ],
        },
      },
    },
    { key: 'empty list', value: { arrayValue: {} } },
    { key: 'empty map', value: { kvlistValue: {} } },
    { key: 'nothing', value: {} },
    { key: 'mlflow.spanType', value: { stringValue: 'CHAIN' } },
    { key: 'mlflow.traceRequestId', value: { stringValue: 'tr-not-to-be-trusted' } },
  ],
  events: [
    { timeUnixNano: '1700000000500000001', name: 'event', attributes: [{ key: 'n', value: { intValue: '3' } }] },
  ],
  status: { code: 2, message: 'failed' },
  ...more,
});
const child = span({
  spanId: '00f067aa0ba902b7',
  parentSpanId: 'b7ad6b7169203331',
  name: 'child',
  status: {},
  events: [],
});
const exported = (...spans: object[]) => ({
  resourceSpans: [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'claude-code' } }] },
      scopeSpans: [{ scope: { name: 's' }, spans }],
    },
  ],
});
const otlp = (json: object | string, headers: Record<string, string> = {}): Step => ({
  method: 'POST',
  path: '/v1/traces',
  body: typeof json === 'string' ? json : JSON.stringify(json),
  headers: { 'content-type': 'application/json', 'x-mlflow-experiment-id': '0', ...headers },
});

const feedback = (more: object = {}) => ({
  assessment: {
    assessment_name: 'good',
    trace_id: 'tr-1',
    source: { source_type: 'HUMAN', source_id: 'ada' },
    create_time: '2026-01-02T03:04:05.678Z',
    last_update_time: '2026-01-02T03:04:05.678Z',
    feedback: { value: true },
    valid: true,
    ...more,
  },
});

const HALF = {
  differs: { because: 'MLflow goes on with what stands before the wrong value', status: 400, says: 'Invalid value' },
};

/** What both kinds of store have. */
export const traces: readonly Step[] = [
  post('runs/create', { experiment_id: '0', run_name: 'r' }, { save: { run: 'run.info.run_id' } }),
  post(T, info('tr-1')),
  post(
    T,
    info('tr-2', {
      state: 'ERROR',
      execution_duration: undefined,
      request_time: '2026-01-02T03:04:06Z',
      client_request_id: 'c2',
    }),
  ),
  post(T, info('tr-3', { state: 'IN_PROGRESS', request_preview: undefined, response_preview: undefined, tags: {} })),
  post(T, info('tr-4', { trace_location: at('98765') })),
  post(T, info('tr-5', { request_time: 'yesterday', trace_location: at('98765') }), HALF),
  post(T, info('tr-5', { state: 7, trace_location: at('98765') }), HALF),
  post(T, {}),
  get(`${T}/tr-1`),
  get(`${T}/tr-2`),
  get(`${T}/tr-3`),
  get(`${T}/tr-none`),
  patch(`${T}/tr-1/tags`, { key: 'new', value: 'tag' }),
  patch(`${T}/tr-1/tags`, { value: 'tag' }),
  patch(`${T}/tr-1/tags`, { key: 'mlflow.trace.spansLocation', value: 'elsewhere' }),
  patch(`${T}/tr-none/tags`, { key: 'new', value: 'tag' }),
  patch('traces/tr-1/tags', { key: 'old', value: 'way' }),
  remove(`${T}/tr-1/tags`, { key: 'new' }),
  remove(`${T}/tr-1/tags`, { key: 'new' }),
  remove(`${T}/tr-1/tags`, {}),
  remove('traces/tr-1/tags', { key: 'old' }),
  get(`${T}/tr-1`),
  post(`${T}/search`, { locations: [at('0')], order_by: ['timestamp_ms ASC'] }),
  post(`${T}/search`, { locations: [at('0')], filter: "tags.topic = 'tr-1'" }),
  post(`${T}/search`, { locations: [at('0')], filter: "status = 'ERROR'" }),
  post(`${T}/search`, { locations: [at('0')], filter: 'nonsense' }),
  post(
    `${T}/search`,
    { locations: [at('0')], max_results: 1, order_by: ['timestamp_ms DESC'] },
    { save: { token: 'next_page_token' } },
  ),
  post(`${T}/search`, { locations: [at('0')], max_results: 1, order_by: ['timestamp_ms DESC'], page_token: '$token' }),
  post(`${T}/search`, { locations: [at('0')], max_results: 501 }),
  post(`${T}/search`, { locations: 'none' }),
  post(`${T}/search`, {}),
  post(`${T}/tr-1/assessments`, feedback(), { save: { a1: 'assessment.assessment_id' } }),
  post(
    `${T}/tr-1/assessments`,
    feedback({ assessment_name: 'score', feedback: { value: 4.5 }, metadata: { a: 'b' }, rationale: 'so' }),
  ),
  post(`${T}/tr-1/assessments`, feedback({ assessment_name: 'int', feedback: { value: 3 } })),
  post(
    `${T}/tr-1/assessments`,
    feedback({ assessment_name: 'map', feedback: { value: { a: 1, b: [1.5, null, 'x'] } } }),
  ),
  post(
    `${T}/tr-1/assessments`,
    feedback({
      assessment_name: 'none',
      feedback: { value: null, error: { error_code: 'E', error_message: 'm', stack_trace: 's' } },
    }),
  ),
  post(
    `${T}/tr-1/assessments`,
    feedback({ assessment_name: 'wanted', feedback: undefined, expectation: { value: 'x' } }),
    { save: { a2: 'assessment.assessment_id' } },
  ),
  post(
    `${T}/tr-1/assessments`,
    feedback({
      assessment_name: 'json',
      feedback: undefined,
      expectation: { serialized_value: { serialization_format: 'JSON_FORMAT', value: '{"a": [1, 1.0, "ü"]}' } },
    }),
  ),
  post(`${T}/tr-1/assessments`, feedback({ feedback: undefined })),
  post(`${T}/tr-none/assessments`, feedback()),
  post(`${T}/tr-1/assessments`, {}),
  get(`${T}/tr-1/assessments/$a1`),
  get(`${T}/tr-1/assessments/a-none`),
  patch(`${T}/tr-1/assessments/$a1`, {
    ...feedback({ feedback: { value: false }, rationale: 'changed' }),
    update_mask: 'feedback,rationale',
  }),
  patch(`${T}/tr-1/assessments/$a1`, {
    ...feedback({ assessment_name: 'renamed', metadata: { c: 'd' } }),
    update_mask: 'assessmentName,metadata',
  }),
  patch(
    `${T}/tr-1/assessments/$a2`,
    { ...feedback({ feedback: undefined, expectation: { value: 'y' } }), update_mask: 'expectation' },
    { differs: { because: "MLflow's files forget that it is valid", status: 200, says: 'valid', on: 'files' } },
  ),
  patch(`${T}/tr-1/assessments/a-none`, { ...feedback(), update_mask: 'feedback' }),
  patch(`${T}/tr-1/assessments/$a1`, { update_mask: 'feedback' }),
  remove(`${T}/tr-1/assessments/$a2`),
  remove(`${T}/tr-1/assessments/a-none`),
  get(`${T}/tr-1`, {}, { statusOnly: 'assessments come in no order' }),

  post(
    'traces',
    {
      experiment_id: '0',
      timestamp_ms: 1_700_000_000_000,
      request_metadata: [{ key: 'm', value: 'v' }],
      tags: [{ key: 't', value: 'v' }],
    },
    {
      save: { old: 'trace_info.request_id' },
    },
  ),
  get('traces/$old/info'),
  patch('traces/$old', {
    timestamp_ms: 1_700_000_002_500,
    status: 'OK',
    request_metadata: [{ key: 'n', value: 'w' }],
    tags: [{ key: 'u', value: 'w' }],
  }),
  patch('traces/none', { timestamp_ms: 1, status: 'OK' }),
  get('traces/$old/info'),
  get('traces', { experiment_ids: ['0'], order_by: ['timestamp_ms ASC'] }),
  get('traces', { experiment_ids: '0', max_results: 501 }),
  get('traces'),

  post(`${T}/delete-traces`, { experiment_id: '0', request_ids: ['tr-2', 'tr-none'] }),
  post('traces/delete-traces', { experiment_id: '0', max_timestamp_millis: 1_700_000_000_001, max_traces: 5 }),
  post(`${T}/delete-traces`, { experiment_id: '0' }),
  post(`${T}/delete-traces`, { experiment_id: '0', max_traces: 5, request_ids: ['tr-1'] }),
  post(`${T}/delete-traces`, {}),
  get(`${T}/tr-2`),
  get('/ajax-api/2.0/mlflow/get-trace-artifact'),
  get('/ajax-api/2.0/mlflow/get-trace-artifact', { request_id: 'none' }),
  get(
    '/ajax-api/2.0/mlflow/get-trace-artifact',
    { request_id: 'tr-1', path: 'no uuid' },
    { statusOnly: 'it has an error class of its own' },
  ),
  get('/ajax-api/2.0/mlflow/get-trace-artifact', { request_id: 'tr-1' }),
  otlp('{', {}),
  otlp({ resourceSpans: [] }),
  otlp(exported(span()), { 'content-type': 'text/plain' }),
  { method: 'POST', path: '/v1/traces', body: '{}', headers: { 'content-type': 'application/json' } },
];

/** Spans in the store itself, which a database has. */
export const spans: readonly Step[] = [
  post('runs/create', { experiment_id: '0', run_name: 'r' }, { save: { run: 'run.info.run_id' } }),
  otlp(exported(span(), child)),
  get(`${T}/tr-${HEX}`),
  get(`${T}/get`, { trace_id: `tr-${HEX}` }),
  get(`${T}/get`, { trace_id: `tr-${HEX}`, allow_partial: 'true' }),
  get(`${T}/get`, { trace_id: `tr-${HEX}`, allow_partial: 'perhaps' }),
  get(`${T}/get`, { trace_id: 'none' }),
  get(`${T}/get`),
  get(`${T}/batchGet`, { trace_ids: [`tr-${HEX}`, 'none'] }),
  get(`${T}/batchGet`, { trace_ids: `tr-${HEX}`, experiment_ids: '98765' }),
  get(`${T}/batchGet`),
  post(`${T}/batchGetInfos`, { trace_ids: [`tr-${HEX}`, 'none'] }),
  post(`${T}/batchGetInfos`, { trace_ids: [`tr-${HEX}`], experiment_ids: [] }),
  post(`${T}/batchGetInfos`, { trace_ids: [`tr-${HEX}`], experiment_ids: ['0'] }),
  get(
    '/ajax-api/3.0/mlflow/get-trace-artifact',
    { request_id: `tr-${HEX}` },
    { compareHeaders: ['content-type', 'content-disposition'] },
  ),
  otlp(exported(span({ traceId: '22222222222222222222222222222222' })), { 'x-mlflow-run-id': '$run' }),
  post('traces/link-to-run', { trace_ids: [`tr-${HEX}`], run_id: '$run' }),
  post('traces/link-to-run', { run_id: '$run' }),
  get(`${T}/tr-22222222222222222222222222222222`),
  otlp(exported(span({ traceId: '33333333333333333333333333333333' })), { 'x-mlflow-experiment-id': '98765' }),
  otlp(exported(span({ traceId: '' }))),
  otlp(exported(span({ spanId: 'zz' }))),
  {
    ...otlp(''),
    body: gzipSync(JSON.stringify(exported(span({ traceId: '44444444444444444444444444444444' })))),
    headers: { 'content-type': 'application/json', 'x-mlflow-experiment-id': '0', 'content-encoding': 'gzip' },
  },
  otlp('not gzip', { 'content-encoding': 'gzip' }),
  otlp('x', { 'content-encoding': 'br' }),
  otlp('no protobuf', { 'content-type': 'application/x-protobuf' }),
  post(`${T}/search`, { locations: [at('0')], filter: "span.name = 'child'", order_by: ['timestamp_ms ASC'] }),
  post('registered-models/create', { name: 'p', tags: [{ key: 'mlflow.prompt.is_prompt', value: 'true' }] }),
  post('traces/link-prompts', { trace_id: `tr-${HEX}`, prompt_versions: [{ name: 'p', version: '1' }] }),
  post('traces/link-prompts', { trace_id: 'none', prompt_versions: [{ name: 'p', version: '1' }] }),
  post('traces/link-prompts', { prompt_versions: [] }),
  post(
    T,
    {
      trace: {
        trace_info: {
          trace_id: `tr-${HEX}`,
          trace_location: at('0'),
          request_time: '2026-01-02T03:04:05.678Z',
          state: 'OK',
          tags: { late: 'x' },
        },
      },
    },
    { statusOnly: 'MLflow answers without the tag that it has written: see the next one' },
  ),
  get(`${T}/tr-${HEX}`),
];
