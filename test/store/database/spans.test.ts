/** What spans of other clients say is kept in MLflow's words: thousands of spans by chance, side by side with MLflow. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { preview } from '../../../src/store/database/traces/spans/preview.js';
import { translated, typedContent } from '../../../src/store/database/traces/spans/translate.js';
import type { Json } from '../../../src/store/records.js';
import { readJsonText } from '../../../src/store/search/index.js';
import { Oracle } from '../../support/oracle.js';

const SEED = Number(process.env.MTRACK_SEED ?? 7);
const SPANS = 4000;

let oracle: Oracle;
beforeAll(() => {
  oracle = new Oracle();
});
afterAll(() => oracle[Symbol.asyncDispose]());

/** Attributes by what their values are like. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  'mlflow.spanType': ['UNKNOWN', 'LLM', ''],
  'openinference.span.kind': ['LLM', 'TOOL', 'nothing', 'UNKNOWN'],
  'gen_ai.operation.name': ['chat', 'llm_call', 'system_prompt', 'embeddings', 'EXECUTE_TOOL'],
  'gen_ai.agent.name': ['gemini-cli', 'other'],
  'span.type': ['claude_code.interaction', 'llm_request', 'tool', 'claude_code.tool', 'llm', 'memory', 'x'],
  'entity.type': ['agent', 'x'],
  'traceloop.span.kind': ['workflow', 'tool', 'unknown'],
  'ai.operationId': ['ai.generateText.doGenerate', 'ai.streamText.doStream', 'ai.toolCall', 'ai.embed', 'x'],
  'lmnr.span.type': ['LLM', 'DEFAULT', 'x'],
  'langfuse.observation.type': ['generation', 'span', 'x'],
};
const COUNTS = [
  ...['llm.token_count.prompt', 'llm.token_count.completion', 'llm.token_count.total'],
  ...['llm.token_count.prompt_details.cache_read', 'llm.token_count.prompt_details.cache_write'],
  ...['gen_ai.usage.input_tokens', 'gen_ai.usage.output_tokens', 'gen_ai.usage.cache_read.input_tokens'],
  ...['gen_ai.usage.cache_write.input_tokens', 'gen_ai.usage.cache_creation.input_tokens'],
  ...['gen_ai.usage.prompt_tokens', 'gen_ai.usage.completion_tokens', 'llm.usage.total_tokens'],
  ...['usage.prompt_tokens', 'llm.usage.prompt_tokens', 'usage.completion_tokens', 'usage.total_tokens'],
  ...['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_creation_tokens', 'mlflow.chat.tokenUsage'],
];
const CONTENTS = [
  ...['mlflow.spanInputs', 'mlflow.spanOutputs', 'input.value', 'output.value', 'gen_ai.input.messages'],
  ...['gen_ai.output.messages', 'gen_ai.tool.call.arguments', 'gen_ai.tool.call.result', 'traceloop.entity.input'],
  ...['gen_ai.prompt.0.content', 'gen_ai.completion.0.content', 'gen_ai.completion.1.tool_calls.0.arguments'],
  ...['gcp.vertex.agent.llm_request', 'gcp.vertex.agent.llm_response', 'ai.prompt', 'ai.prompt.messages'],
  ...['ai.response.text', 'ai.toolCall.args', 'agent.messages', 'llm.messages', 'input', 'output'],
  ...['lk.user_input', 'lk.response.text', 'lk.function_tool.x', 'lk.agent_name', 'lk.tts', 'lk.retry_count'],
  ...['lmnr.span.input', 'lmnr.span.output', 'langfuse.observation.input', 'langfuse.observation.output'],
  ...['user_prompt', 'new_context', 'tool_input', 'full_command', 'file_path', 'response.model_output'],
  ...['gen_ai.tool.definitions', 'voltagent.operation_id', 'mlflow.message.format'],
];
const NAMES = [
  ...['llm.response.model_name', 'llm.model_name', 'embedding.model_name', 'gen_ai.response.model'],
  ...['gen_ai.request.model', 'mlflow.llm.model', 'llm.provider', 'gen_ai.provider.name', 'gen_ai.system'],
  ...['mlflow.llm.provider'],
];

/** A value as clients of MLflow write it, as others do, and as some do twice. */
const coded = (value: fc.Arbitrary<unknown>) =>
  fc.tuple(value, fc.constantFrom(1, 1, 1, 2, 0)).map(([each, times]) => {
    if (times === 0) return typeof each === 'string' ? each : JSON.stringify(each);
    return times === 1 ? JSON.stringify(each) : JSON.stringify(JSON.stringify(each));
  });

const content = fc.oneof(
  fc.constantFrom<unknown>('text', '', '<REDACTED>', '{}', '[]', null, 0, 1, true, 'ü "quoted"', [], {}, [1, 2]),
  fc.constantFrom<unknown>(
    { model: 'of the content', messages: [{ role: 'user', content: 'x' }] },
    { model: 3 },
    [
      { role: 'user', parts: [{ text: 'hello' }] },
      { role: 'model', parts: [{ text: 'ü' }] },
    ],
    { contents: 'there already' },
    { candidates: [] },
    ['{"name": "tool"}', 'x'],
  ),
);
const count = fc.constantFrom<unknown>(0, 1, 12, '7', 'x', 1.5, null, ' 8 ');

const attribute = fc.oneof(
  fc
    .constantFrom(...Object.keys(KINDS))
    .chain((key) => fc.tuple(fc.constant(key), coded(fc.constantFrom<unknown>(...(KINDS[key] ?? []))))),
  fc.tuple(fc.constantFrom(...COUNTS), coded(count)),
  fc.tuple(fc.constantFrom(...CONTENTS), coded(content)),
  fc.tuple(fc.constant('ai.prompt.tools'), coded(fc.constantFrom<unknown>(['{"name": "tool"}', 'x'], []))),
  fc.tuple(fc.constantFrom(...NAMES), coded(fc.constantFrom<unknown>('a model', 'ü', '', null, {}))),
);

const message = fc.constantFrom('gen_ai.system.message', 'gen_ai.user.message', 'gen_ai.assistant.message');
const event: fc.Arbitrary<readonly [name: string, attributes: Record<string, string>]> = fc.oneof(
  fc.tuple(message, fc.record({ content: fc.constantFrom('hi', '"hi"', '{"a": 1}', '') })),
  fc.tuple(
    fc.constant('gen_ai.choice'),
    fc.record(
      { content: fc.constantFrom('yes', '[1]'), role: fc.constantFrom('r', '"s"') },
      { requiredKeys: ['content'] },
    ),
  ),
  fc.tuple(fc.constant('gen_ai.content.prompt'), fc.record({ 'gen_ai.prompt': fc.constantFrom('p', '') })),
  fc.tuple(fc.constant('gen_ai.content.completion'), fc.record({ 'gen_ai.completion': fc.constantFrom('c', '') })),
  fc.tuple(
    fc.constant('tool.output'),
    fc.record(
      { output: fc.constantFrom('o', '<REDACTED>', ''), diff: fc.constantFrom('d', '{"x": "ü"}') },
      { requiredKeys: [] },
    ),
  ),
);

const span = fc.record({
  attributes: fc.uniqueArray(attribute, { selector: ([key]) => key, minLength: 1, maxLength: 7 }),
  events: fc.array(event, { maxLength: 3 }),
});

const contents = () =>
  fc.sample(span, { numRuns: SPANS, seed: SEED }).map(({ attributes, events }) => ({
    trace_id: 'AAAAAAAAAAAAAAAAAAAAAQ==',
    span_id: 'AAAAAAAAAAE=',
    parent_span_id: null,
    name: 'span',
    start_time_unix_nano: 1,
    end_time_unix_nano: 2,
    events: events.map(([name, more]) => ({ name, time_unix_nano: 1, attributes: more })),
    status: { code: 'STATUS_CODE_OK', message: '' },
    attributes: { 'mlflow.traceRequestId': '"tr-1"', ...Object.fromEntries(attributes) },
    links: [],
  }));

test(`attributes of spans (seed ${SEED})`, async () => {
  const cases = contents();
  const kept = await oracle.call<{ readonly attributes?: object; readonly failed?: string }>('span_attributes', cases);
  let changed = 0;
  for (const [at, each] of cases.entries()) {
    const expected = kept[at];
    // Where MLflow fails, the span is lost to it.
    if (expected?.failed !== undefined) continue;
    expect({ of: each, attributes: translated(each.attributes, each.events) }).toEqual({
      of: each,
      attributes: expected?.attributes,
    });
    if (Object.keys(expected?.attributes ?? {}).length > Object.keys(each.attributes).length) changed += 1;
  }
  expect(changed).toBeGreaterThan(SPANS / 4);
  expect(kept.filter(({ failed }) => failed !== undefined).length).toBeLessThan(SPANS / 10);
});

test('spans that were kept without a type get it when they are read', async () => {
  const texts = contents().map((each) => JSON.stringify(each));
  const read = await oracle.call<string>('span_contents', texts);
  for (const [at, text] of texts.entries()) {
    expect({ of: text, content: JSON.parse(typedContent(text)) }).toEqual({
      of: text,
      content: JSON.parse(read[at] ?? ''),
    });
  }
  expect(read.filter((text, at) => text !== texts[at]).length).toBeGreaterThan(SPANS / 20);
});

test('a preview is cut by characters, and is of the last message of its role', () => {
  const chat = (role: string, said: Json) =>
    readJsonText(
      JSON.stringify({
        messages: [
          { role: 'user', content: 'first' },
          { role, content: said },
          { role: 'tool', content: 'x' },
        ],
      }),
    ) as Json;
  expect(preview(chat('user', 'hello'), 'user')).toBe('hello');
  expect(preview(chat('system', 'hello'), 'user')).toBe('first');
  expect(preview(chat('system', 'hello'), 'assistant')).toBe('x');
  expect(preview(JSON.stringify('𝒳'.repeat(1001)), 'user')).toBe(`"${'𝒳'.repeat(996)}...`);
  expect(preview('𝒳'.repeat(1000), 'user')).toBe('𝒳'.repeat(1000));
});
