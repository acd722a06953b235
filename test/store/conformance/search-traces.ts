/** Searches for traces: filters and orders that chance has made find the same traces in MLflow's store, page by page. */
import * as fc from 'fast-check';
import { test } from 'vitest';
import type { Call, Oracle } from '../../support/oracle.js';
import { twins } from '../../support/twin.js';
import type { Implementation } from '../implementations.js';
import {
  asked,
  clauses,
  join,
  key,
  listed,
  ordered,
  orders,
  pairs,
  quoted,
  quotedOf,
  sample,
  sizes,
  TEXTS,
  textual,
  under,
} from './chance.js';
import { START_MS, spans, traceId } from './spans-of.js';

const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
const record = fc.record({
  experiment_id: fc.constantFrom('0', '0', '1'),
  request_time: fc.integer({ min: 0, max: 5 }).map((second) => START_MS + second * 10_000),
  execution_duration: optional(fc.constantFrom(0, 5, 20_000)),
  state: fc.constantFrom('OK', 'ERROR', 'IN_PROGRESS'),
  client_request_id: optional(fc.constantFrom('c', 'C', 'd')),
  tags: pairs,
  metadata: pairs,
  name: optional(fc.constantFrom(...TEXTS)),
  session: optional(fc.constantFrom('s', 'S', 't')),
  run: optional(fc.constantFrom('r', 'q')),
  tokens: optional(fc.constantFrom('{"input_tokens": 1}', '{"input_tokens": 1, "output_tokens": 2}')),
  cost: optional(fc.constantFrom('{"input_cost": 1.0}', '{"total_cost": 0.5}')),
});
const TRACES = 30;

const assessment = fc.record({
  trace: fc.integer({ min: 0, max: TRACES - 1 }),
  name: fc.constantFrom('good', 'Good', 'score', 'long name'),
  expected: fc.boolean(),
  value: fc.constantFrom<unknown>(
    true,
    false,
    'yes',
    'Yes',
    'no',
    { json: '1' },
    { json: '1.5' },
    { json: '-2.0' },
    'a%',
    null,
    { json: '["yes"]' },
  ),
  aboutSession: fc.boolean(),
});

const span = fc.record({
  trace: fc.integer({ min: 0, max: TRACES - 1 }),
  name: fc.constantFrom('chat', 'Chat', 'tool call', 'ä'),
  type: fc.constantFrom('LLM', 'TOOL', 'CHAIN'),
  status: fc.constantFrom('OK', 'ERROR', 'UNSET'),
  start: fc.integer({ min: -4, max: 5 }).map((second) => second * 10_000),
  model: fc.constantFrom('model one', 'Model two', 'x'),
  answer: fc.constantFrom('Paris', 'paris', '模型'),
});

const texts = (list: readonly { readonly key: string; readonly value: string }[]) =>
  Object.fromEntries(list.map(({ key: name, value }) => [name, value]));

function database(): Call[] {
  const calls: Call[] = [['experiments.create', [{ name: 'other', tags: [] }]]];
  const traces = sample(record, TRACES);
  traces.forEach((made, at) => {
    const { tags, metadata, name, session, run, tokens, cost, ...rest } = made;
    calls.push([
      'traces.start',
      [
        {
          trace_id: traceId(at),
          ...rest,
          tags: { ...texts(tags), ...(name !== undefined && { 'mlflow.traceName': name }) },
          trace_metadata: {
            ...texts(metadata),
            ...(session !== undefined && { 'mlflow.trace.session': session }),
            ...(run !== undefined && { 'mlflow.sourceRun': run }),
            ...(tokens !== undefined && { 'mlflow.trace.tokenUsage': tokens }),
            ...(cost !== undefined && { 'mlflow.trace.cost': cost }),
          },
          assessments: [],
        },
      ],
    ]);
  });
  sample(span, 40).forEach(({ trace, start, name, type, status, model, answer }, at) => {
    const attributes = { 'mlflow.spanType': type, 'llm.model': model, 'mlflow.spanOutputs': { answer } };
    const sketch = { trace, id: at + 1, parent: 99, name, status, start, attributes } as const;
    calls.push(['traces.spans.log', [traces[trace]?.experiment_id, spans(sketch)]]);
  });
  sample(assessment, 40).forEach(({ trace, name, expected, value, aboutSession }, at) => {
    const session = traces[trace]?.session;
    const metadata = aboutSession && session !== undefined ? { metadata: { 'mlflow.trace.session': session } } : {};
    calls.push([
      'traces.createAssessment',
      [
        {
          assessment_name: name,
          trace_id: traceId(trace),
          source: { source_type: 'CODE', source_id: 'x' },
          ...(expected && value !== null ? { expectation: { value } } : { feedback: { value } }),
          ...metadata,
        },
      ],
    ]);
    if (at % 10 === 0) {
      const overrides = { of: calls.length - 1, path: ['assessment_id'] };
      calls.push([
        'traces.createAssessment',
        [
          {
            assessment_name: name,
            trace_id: traceId(trace),
            source: { source_type: 'HUMAN' },
            feedback: { value: 'yes' },
            overrides,
          },
        ],
      ]);
    }
  });
  calls.push(
    [
      'traces.createAssessment',
      [{ assessment_name: 'iss-1', trace_id: traceId(3), source: { source_type: 'CODE' }, issue: { issue_name: 'i' } }],
    ],
    ['traces.linkToRun', [[1, 2, 3, 4].map(traceId), 'r']],
    [
      'traces.linkPrompts',
      [
        traceId(5),
        [
          { name: 'p', version: '1' },
          { name: 'q', version: '2' },
        ],
      ],
    ],
    ['traces.linkPrompts', [traceId(6), [{ name: 'p', version: '2' }]]],
  );
  return calls;
}

const alike = fc.constantFrom('=', '!=', 'LIKE', 'ILIKE', 'RLIKE');
const nulls = fc.constantFrom('IS NULL', 'IS NOT NULL');
const assessed = fc.constantFrom(
  'feedback.good',
  'feedback.Good',
  'expectation.score',
  'feedback.score',
  'expectation.`long name`',
);

const question = fc.record(
  {
    experiment_ids: fc.constantFrom(['0'], ['0', '1'], ['1', '99']),
    filter: clauses(
      join(
        fc.constantFrom('timestamp_ms', 'attributes.timestamp', 'end_time'),
        ordered,
        fc.constantFrom(...[0, 20_000, 30_005].map((ms) => String(START_MS + ms))),
      ),
      join(fc.constantFrom('execution_time_ms', 'execution_time'), ordered, fc.constantFrom('0', '5', '100')),
      join('status', fc.constantFrom('=', '!=', 'LIKE'), quotedOf('OK', 'ERROR', 'ok', '%R%')),
      join('status', fc.constantFrom('IN', 'NOT IN'), fc.constantFrom("('OK', 'ERROR')", "('IN_PROGRESS')")),
      join(
        'request_id',
        fc.constantFrom('=', '!=', 'IN').filter((each) => each !== 'IN'),
        quotedOf(traceId(3), 'tr-none'),
      ),
      join('client_request_id', textual, quotedOf('c', 'C', '%', 'none')),
      join(fc.constantFrom('name', 'trace.name', 'tags.`mlflow.traceName`'), textual, quoted),
      join('name', fc.constantFrom('IN', 'NOT IN'), listed),
      join(fc.constantFrom('name', 'tags.`mlflow.traceName`', 'metadata.`mlflow.trace.session`'), nulls),
      join(
        under(['tags', 'tag', 'metadata', 'request_metadata'], key),
        alike,
        quotedOf(...TEXTS.filter((text) => text !== ''), 'a.*', '^A'),
      ),
      join(under(['tags', 'metadata'], key), nulls),
      join('metadata.`mlflow.trace.session`', textual, quotedOf('s', 'S', 't', '%')),
      join(
        fc.constantFrom('metadata.`mlflow.trace.tokenUsage`', 'metadata.`mlflow.trace.cost`'),
        fc.constantFrom('=', '!='),
        fc.constantFrom(
          `'{"input_tokens": 1}'`,
          `'{"input_tokens":1}'`,
          `'{"input_cost": 1.0}'`,
          `'{"input_cost": 1}'`,
          "'x'",
        ),
      ),
      join(fc.constantFrom('metadata.`mlflow.trace.tokenUsage`', 'metadata.`mlflow.trace.cost`'), nulls),
      join('run_id', fc.constantFrom('=', '!='), quotedOf('r', 'q', 'none')),
      join('prompt', '=', quotedOf('p/1', 'p/2', 'none/1', 'bad')),
      join('span.name', textual, quotedOf('chat', 'CHAT', 'tool%', 'ä')),
      join('span.name', fc.constantFrom('IN', 'NOT IN'), fc.constantFrom("('chat', 'ä')", "('Chat')")),
      join(fc.constantFrom('span.type', 'span.status'), textual, quotedOf('LLM', 'TOOL', 'OK', 'ERROR', '%')),
      join(
        'span.attributes.llm.model',
        fc.constantFrom('LIKE', 'ILIKE', 'RLIKE'),
        quotedOf('%one%', '%TWO%', '^model', 'x$'),
      ),
      join('trace.text', fc.constantFrom('LIKE', 'ILIKE'), quotedOf('%Paris%', '%PARIS%', '%模型%')),
      join(
        assessed,
        fc.constantFrom('=', '!=', 'LIKE', 'ILIKE'),
        quotedOf('true', 'yes', 'YES', '1', '1.5', 'false', 'a%', '%e%'),
      ),
      join(assessed, fc.constantFrom('<', '<=', '>', '>='), fc.constantFrom('0', '1', '1.5', '-2')),
      join(assessed, nulls),
      join('issue.id', '=', quotedOf('iss-1', 'iss-2')),
      fc.constantFrom(
        'nonsense',
        "tags.k > 'a'",
        'timestamp_ms LIKE 1',
        "span.nothing = 'x'",
        'feedback.good > 1',
        "issue.name = 'x'",
      ),
    ),
    order_by: orders(
      fc.constantFrom(
        'timestamp_ms',
        'timestamp',
        'execution_time_ms',
        'status',
        'request_id',
        'name',
        'experiment_id',
        'run_id',
      ),
      under(['tags', 'metadata'], key),
      fc.constantFrom('metadata.`mlflow.trace.session`', 'metadata.`mlflow.trace.cost`', 'nonsense'),
    ),
    max_results: fc.oneof(sizes, fc.constantFrom(0, 50_001)),
  },
  { requiredKeys: ['experiment_ids'] },
);

/** @param oracle asked for when it is needed: it is not there before */
export function traceSearches(implementation: Implementation, oracle: () => Oracle): void {
  test('searches find what MLflow finds', async () => {
    const before = database();
    await twins(implementation, oracle(), asked('traces.search', question, before.length), { before });
  });
}
