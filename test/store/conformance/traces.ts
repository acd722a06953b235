/** Traces: the same calls on MLflow's store give the same answers, refusals and rows. */
import { test } from 'vitest';
import type { Call, Oracle, Reference } from '../../support/oracle.js';
import { twins } from '../../support/twin.js';
import type { Implementation } from '../implementations.js';
import { type SpanSketch, START_MS, spanId, spans, traceId } from './spans-of.js';

const TABLES = [
  'trace_info',
  'trace_tags',
  'trace_request_metadata',
  'trace_metrics',
  'assessments',
  'spans',
  'span_metrics',
  'entity_associations',
];

const BEFORE: Call[] = [
  ['experiments.create', [{ name: 'elsewhere', tags: [], artifact_location: 's3://bucket/place?a=b' }]],
  ['experiments.create', [{ name: 'gone', tags: [] }]],
  ['experiments.delete', ['2']],
];

const trace = (number: number, more: object = {}) => ({
  trace_id: traceId(number),
  experiment_id: '0',
  request_time: START_MS + number,
  state: 'OK',
  trace_metadata: {},
  tags: {},
  assessments: [],
  ...more,
});
const start = (number: number, more: object = {}): Call => ['traces.start', [trace(number, more)]];
const log = (...sketches: readonly SpanSketch[]): Call => ['traces.spans.log', ['0', spans(...sketches)]];
const get = (number: number): Call => ['traces.getInfo', [traceId(number)]];
const USAGE = 'mlflow.chat.tokenUsage';
const COST = 'mlflow.llm.cost';
const usage = (input: number, output: number) => ({
  input_tokens: input,
  output_tokens: output,
  total_tokens: input + output,
});
const source = { source_type: 'HUMAN', source_id: 'somebody' };
const assessment = (number: number, name: string, more: object = {}) => ({
  assessment_name: name,
  trace_id: traceId(number),
  source,
  feedback: { value: true },
  ...more,
});
const assess = (number: number, name: string, more: object = {}): Call => [
  'traces.createAssessment',
  [assessment(number, name, more)],
];
const idOf = (of: number): Reference => ({ of, path: ['assessment_id'] });

/** MLflow has read the tags before it adds some. */
const isMerged = ([method, [given]]: Call) =>
  method === 'traces.start' && JSON.stringify(given).includes('something else');

/** @param oracle asked for when it is needed: it is not there before */
export function tracesSuite(implementation: Implementation, oracle: () => Oracle): void {
  // MLflow's file store takes one id in two experiments: see ../file/twins.test.ts.
  test.skipIf(implementation.kind === 'file')('started, tagged, deleted', async () => {
    await twins(
      implementation,
      oracle(),
      [
        start(1, {
          client_request_id: 'mine',
          request_preview: 'what? ü',
          response_preview: 'that',
          execution_duration: 12,
          trace_metadata: {
            'mlflow.trace.session': 'a session',
            'mlflow.trace.tokenUsage': '{"input_tokens": 3, "output_tokens": "4", "total_tokens": 7.0, "x": 1}',
            'mlflow.trace.cost': '{"input_cost": 0.1, "output_cost": 2, "total_cost": "2.1"}',
            'mlflow.sourceRun': 'a run',
            other: 'x',
          },
          tags: { 'mlflow.traceName': 'named', a: '1', ü: '' },
        }),
        start(2, {
          state: 'IN_PROGRESS',
          experiment_id: '1',
          trace_metadata: { 'mlflow.trace.tokenUsage': 'no json' },
        }),
        start(3, { experiment_id: '2' }),
        start(3, { experiment_id: '99' }),
        start(3, { trace_metadata: { 'mlflow.trace.session': 's'.repeat(251) } }),
        start(3, { tags: { 'mlflow.traceName': 'n'.repeat(4097) } }),
        start(3, {
          trace_metadata: { 'mlflow.trace.cost': '{"input_cost": NaN, "output_cost": null, "total_cost": true}' },
        }),
        // Again: it is merged.
        start(1, {
          state: 'ERROR',
          experiment_id: '1',
          response_preview: 'something else',
          trace_metadata: { 'mlflow.trace.cost': '{"total_cost": 5}', more: 'y' },
          tags: { a: '2', b: '3' },
        }),
        get(1),
        get(2),
        get(9),
        ['traces.getInfos', [[traceId(3), traceId(9), traceId(1), traceId(3)]]],
        ['traces.getInfos', [[traceId(3), traceId(1)], ['1']]],
        ['traces.getInfos', [[]]],
        ['traces.setTag', [traceId(1), 'c', 'new']],
        ['traces.setTag', [traceId(1), 'a', 'v'.repeat(8001)]],
        ['traces.setTag', [traceId(1), '//', 'x']],
        ['traces.setTag', [traceId(1), 'k'.repeat(251), 'x']],
        ['traces.setTag', [traceId(1), 'mlflow.traceName', 'renamed']],
        ['traces.setTag', [traceId(9), 'mlflow.traceName', 'renamed']],
        ['traces.deleteTag', [traceId(1), 'c']],
        ['traces.deleteTag', [traceId(1), 'c']],
        ['traces.deleteTag', [traceId(1), 'mlflow.traceName']],
        ['traces.deleteTag', [traceId(1), 'mlflow.traceName']],
        ['traces.deleteTag', [traceId(9), 'mlflow.traceName']],
        get(1),
        ['traces.linkToRun', [[traceId(1), traceId(3), traceId(9)], 'run one']],
        ['traces.linkToRun', [[traceId(1)], 'run one']],
        ['traces.linkToRun', [Array.from({ length: 101 }, (_, at) => traceId(at)), 'run one']],
        ['traces.linkToRun', [[], 'run one']],
        [
          'traces.linkPrompts',
          [
            traceId(1),
            [
              { name: 'p', version: '1' },
              { name: 'q', version: '2' },
            ],
          ],
        ],
        ['traces.linkPrompts', [traceId(1), [{ name: 'p', version: '1' }]]],
        ['traces.linkPrompts', [traceId(9), [{ name: 'p', version: '1' }]]],
        start(4),
        start(5),
        start(6),
        ['traces.delete', ['0', {}]],
        ['traces.delete', ['0', { trace_ids: [traceId(4)], max_timestamp_millis: 1 }]],
        ['traces.delete', ['0', { trace_ids: [traceId(4)], max_traces: 1 }]],
        ['traces.delete', ['0', { max_timestamp_millis: START_MS + 9, max_traces: 0 }]],
        ['traces.delete', ['x', { max_timestamp_millis: START_MS + 9 }]],
        ['traces.delete', ['0', { trace_ids: [traceId(4), traceId(1), traceId(9)] }]],
        ['traces.delete', ['0', { max_timestamp_millis: START_MS + 9, max_traces: 1 }]],
        ['traces.delete', ['0', { max_timestamp_millis: START_MS + 5 }]],
        ['traces.delete', ['0', { max_timestamp_millis: START_MS + 5 }]],
        ['traces.search', [{ experiment_ids: ['0', '1'] }]],
      ],
      { before: BEFORE, tables: TABLES, unsaid: isMerged },
    );
  });

  test('begun and ended, as clients before MLflow 3 do it', async () => {
    const id: Reference = { of: 3, path: ['trace_id'] };
    const begin = (more: object): Call => [
      'traces.begin',
      [{ experiment_id: '0', timestamp_ms: START_MS, request_metadata: {}, tags: {}, ...more }],
    ];
    const end = (more: object): Call => [
      'traces.end',
      [id, { timestamp_ms: START_MS + 250, state: 'OK', request_metadata: {}, tags: {}, ...more }],
    ];
    await twins(
      implementation,
      oracle(),
      [
        begin({
          request_metadata: { 'mlflow.traceInputs': '"x"', 'mlflow.trace.session': 's' },
          tags: { 'mlflow.traceName': 'n', a: '1' },
        }),
        begin({ experiment_id: '2' }),
        ['traces.getInfo', [id]],
        end({
          state: 'ERROR',
          request_metadata: { 'mlflow.traceOutputs': '"y"', 'mlflow.trace.tokenUsage': '{"input_tokens": 1}' },
          tags: { 'mlflow.traceName': 'm', b: '2' },
        }),
        ['traces.getInfo', [id]],
        ['traces.end', ['nowhere', { timestamp_ms: 1, state: 'OK', request_metadata: {}, tags: {} }]],
      ],
      { before: BEFORE, tables: TABLES },
    );
  });

  // MLflow's file store gives ids and times of its own to assessments that have some: see ../file/twins.test.ts.
  test.skipIf(implementation.kind === 'file')('what is thought of them', async () => {
    await twins(
      implementation,
      oracle(),
      [
        start(1),
        start(2, {
          assessments: [
            assessment(2, 'with the trace', { create_time: 5, last_update_time: 6, assessment_id: 'a-given' }),
          ],
        }),
        assess(1, 'good', {
          feedback: { value: { json: '{"b": [1, 2.0, "x"], "n": null}' } },
          rationale: 'because',
          metadata: { k: 'v', 'mlflow.assessment.sourceRunId': 'a run' },
        }),
        assess(1, 'number', { feedback: { value: { json: '5.0' } }, span_id: spanId(7) }),
        assess(1, 'whole', { feedback: { value: { json: '5' } } }),
        assess(1, 'yes', { feedback: { value: ' YES ' } }),
        assess(1, 'failed', {
          feedback: { value: null, error: { error_code: 'E', error_message: 'm', stack_trace: 's' } },
        }),
        assess(1, 'expected', { feedback: undefined, expectation: { value: { json: '{"a": 1}' } }, rationale: 'x' }),
        assess(1, 'iss-1', { feedback: undefined, issue: { issue_name: 'an issue' } }),
        assess(9, 'nowhere'),
        assess(1, 'again', { assessment_id: 'a-given' }),
        assess(1, 'better', { overrides: idOf(5) }),
        assess(1, 'worse', { overrides: 'a-none' }),
        ['traces.getAssessment', [traceId(1), idOf(5)]],
        ['traces.getAssessment', [traceId(2), idOf(5)]],
        ['traces.getAssessment', [traceId(9), idOf(5)]],
        [
          'traces.updateAssessment',
          [traceId(1), idOf(5), { assessment_name: 'renamed', rationale: 'other', metadata: { k: 'w', l: 'm' } }],
        ],
        ['traces.updateAssessment', [traceId(1), idOf(5), { feedback: { value: 'no' } }]],
        ['traces.updateAssessment', [traceId(1), idOf(5), { expectation: { value: 'no' } }]],
        ['traces.updateAssessment', [traceId(1), idOf(9), { feedback: { value: 1 } }]],
        ['traces.updateAssessment', [traceId(1), idOf(9), { feedback: { value: { json: '1' } } }]],
        [
          'traces.updateAssessment',
          [traceId(1), idOf(10), { expectation: { value: { json: '[1]' } }, rationale: 'not kept' }],
        ],
        ['traces.updateAssessment', [traceId(1), idOf(10), { feedback: { value: 1 } }]],
        ['traces.updateAssessment', [traceId(1), idOf(10), { feedback: { value: 1 }, expectation: { value: 1 } }]],
        ['traces.updateAssessment', [traceId(1), 'a-none', { rationale: 'x' }]],
        get(1),
        ['traces.deleteAssessment', [traceId(1), idOf(14)]],
        ['traces.deleteAssessment', [traceId(1), idOf(14)]],
        ['traces.getAssessment', [traceId(1), idOf(5)]],
        get(2),
        // Merged with those that come with the trace again.
        start(2, {
          request_time: START_MS + 77,
          experiment_id: '1',
          assessments: [assessment(2, 'changed', { create_time: 5, last_update_time: 8, assessment_id: 'a-given' })],
        }),
      ],
      { before: BEFORE, tables: TABLES },
    );
  });

  // Spans are artifacts in a file store.
  test.skipIf(implementation.kind === 'file')('spans make them, and add to them', async () => {
    await twins(
      implementation,
      oracle(),
      [
        log(
          {
            trace: 1,
            id: 1,
            end: null,
            attributes: {
              'mlflow.spanType': 'CHAIN',
              'mlflow.spanInputs': { messages: [{ role: 'user', content: 'hellö' }] },
            },
          },
          {
            trace: 1,
            id: 2,
            parent: 1,
            attributes: {
              [USAGE]: usage(1, 2),
              [COST]: { input_cost: 0.25, output_cost: 1, total_cost: 1.25 },
              'mlflow.llm.model': 'no such model',
              'mlflow.llm.provider': 'nobody',
            },
          },
          { trace: 2, id: 3, parent: 9, start: 5, end: 25 },
        ),
        get(1),
        get(2),
        // The root again, ended; its usage stands for that of the span below.
        log({
          trace: 1,
          id: 1,
          start: -5,
          end: 40,
          status: 'ERROR',
          attributes: {
            'mlflow.spanInputs': 'x'.repeat(1200),
            'mlflow.spanOutputs': {
              choices: [{ message: { role: 'assistant', content: [{ type: 'text', text: 'answer' }] } }],
            },
            [USAGE]: { ...usage(10, 20), cache_read_input_tokens: 5 },
            'session.id': 'of the span',
            'user.id': 'somebody',
            'mlflow.traceTag.mine': 'tagged',
            'mlflow.traceTag.mlflow.traceName': 'named by a tag',
            'mlflow.traceTag.//': 'no tag',
          },
          resource: {
            'service.name': 'svc',
            'telemetry.sdk.name': 'x',
            'mlflow.trace.spansLocation': 'x',
            number: 3,
            mine: 'less',
          },
        }),
        get(1),
        log({
          trace: 1,
          id: 4,
          parent: 1,
          attributes: { [USAGE]: usage(100, 1), 'user.id': 'another', 'session.id': 'later' },
        }),
        log({ trace: 1, id: 5, attributes: { [USAGE]: usage(7, 7) } }),
        get(1),
        // Finished by its client: what it said counts, where it said something.
        start(1, {
          request_time: START_MS,
          execution_duration: 99,
          trace_metadata: { 'mlflow.trace.tokenUsage': JSON.stringify(usage(1, 1)) },
        }),
        log({
          trace: 1,
          id: 6,
          parent: 1,
          start: -50,
          end: 500,
          attributes: { [USAGE]: usage(1000, 1), [COST]: { input_cost: 3 } },
        }),
        get(1),
        log({ trace: 1, id: 7, parent: 1, start: -50, end: 200 }),
        get(1),
        assess(2, 'before'),
        log({ trace: 2, id: 9, start: 1, end: 70, attributes: { 'mlflow.spanOutputs': [1, 2] } }),
        get(2),
        ['traces.spans.log', ['1', spans({ trace: 3, id: 1, attributes: { [USAGE]: [1] } })]],
        ['traces.spans.log', ['99', spans({ trace: 4, id: 1 })]],
        ['traces.spans.log', ['99', spans({ trace: 3, id: 2, parent: 1 })]],
        ['traces.spans.log', ['0', { json: '[]' }]],
        ['traces.spans.log', ['0', spans({ trace: 5, id: 1, attributes: { 'session.id': 's'.repeat(251) } })]],
        ['traces.setTag', [traceId(3), 'mlflow.trace.spansLocation', 'ARCHIVE_REPO']],
        log({ trace: 3, id: 3 }),
        log({ trace: 3, id: 3 }, { trace: 2, id: 8, parent: 9 }),
        start(3),
        ['traces.setTag', [traceId(3), 'mlflow.trace.spansLocation', 'ARTIFACT_REPO']],
        log({ trace: 3, id: 3 }),
        ['traces.spans.getTrace', [traceId(3), false]],
        ['traces.spans.getTrace', [traceId(1), false]],
        ['traces.spans.getTrace', [traceId(2), true]],
        ['traces.spans.getTrace', [traceId(9), true]],
        ['traces.spans.getTraces', [[traceId(2), traceId(1), traceId(9)]]],
        ['traces.spans.getTraces', [[traceId(2), traceId(1), traceId(9)], ['1']]],
        ['traces.delete', ['0', { trace_ids: [traceId(1)] }]],
        ['traces.spans.getTraces', [[traceId(2), traceId(1)]]],
        // A client has counted more spans than there are.
        start(2, { trace_metadata: { 'mlflow.trace.sizeStats': '{"num_spans": 4}' } }),
        ['traces.spans.getTraces', [[traceId(2)]]],
        ['traces.spans.getTrace', [traceId(2), true]],
      ],
      { before: BEFORE, tables: TABLES },
    );
  });
}
