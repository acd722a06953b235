/** The semantic conventions of OpenTelemetry for generative AI, and clients that keep to them for the most part. */
import type { Json } from '../../../../records.js';
import { writeJson } from '../../../../search/index.js';
import { isDictionary } from '../../analytics.js';
import { decoded } from '../json.js';
import { type Attributes, type Convention, first, isTrue, named, raw, type SpanEvent, typed } from './convention.js';

const OPERATION = 'gen_ai.operation.name';
const CACHE_WRITTEN = 'gen_ai.usage.cache_write.input_tokens';
/** Its name before. */
const CACHE_CREATED = 'gen_ai.usage.cache_creation.input_tokens';

const TYPES: Readonly<Record<string, string>> = {
  chat: 'CHAT_MODEL',
  create_agent: 'AGENT',
  embeddings: 'EMBEDDING',
  execute_tool: 'TOOL',
  generate_content: 'LLM',
  invoke_agent: 'AGENT',
  text_completion: 'LLM',
  response: 'LLM',
};

/** https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/ */
export const GEN_AI: Convention = {
  type: typed(OPERATION, TYPES),
  input: first('gen_ai.input.messages', 'gen_ai.tool.call.arguments'),
  output: first('gen_ai.output.messages', 'gen_ai.tool.call.result'),
  inputTokens: raw('gen_ai.usage.input_tokens'),
  outputTokens: raw('gen_ai.usage.output_tokens'),
  cacheRead: raw('gen_ai.usage.cache_read.input_tokens'),
  cacheCreation: (attributes) => attributes[CACHE_WRITTEN] ?? attributes[CACHE_CREATED],
  model: named('gen_ai.response.model', 'gen_ai.request.model'),
  provider: named('gen_ai.provider.name'),
  tools: first('gen_ai.tool.definitions'),
};

const ROLES: Readonly<Record<string, string>> = {
  'gen_ai.system.message': 'system',
  'gen_ai.user.message': 'user',
  'gen_ai.assistant.message': 'assistant',
};

const attributesOf = ({ attributes }: SpanEvent): Attributes => (isDictionary(attributes) ? attributes : {});

/** Messages as events of the span. */
function messages(events: readonly SpanEvent[], roleOf: (event: SpanEvent) => Json | undefined): string | undefined {
  const found = events.flatMap((event) => {
    const role = roleOf(event);
    const { content } = attributesOf(event);
    return role === undefined || !isTrue(content) ? [] : [{ role, content: decoded(content) ?? null }];
  });
  return found.length === 0 ? undefined : writeJson(found);
}

const roleIn = ({ name }: SpanEvent) =>
  typeof name === 'string' && Object.hasOwn(ROLES, name) ? ROLES[name] : undefined;
const roleOfChoice = (event: SpanEvent) =>
  event.name === 'gen_ai.choice' ? (decoded(attributesOf(event).role) ?? 'assistant') : undefined;

/** https://docs.livekit.io/agents/observability/ */
export const LIVEKIT: Convention = {
  ...GEN_AI,
  type: livekitType,
  input: first('lk.user_input', 'lk.user_transcript', 'lk.chat_ctx', 'lk.input_text'),
  output: first('lk.response.text', 'lk.response.function_calls'),
  inputFromEvents: (events) => messages(events, roleIn),
  outputFromEvents: (events) => messages(events, roleOfChoice),
  format: (attributes) => (Object.keys(attributes).some((key) => key.startsWith('lk.')) ? 'livekit' : undefined),
};

function livekitType(attributes: Attributes): string | undefined {
  if ('gen_ai.request.model' in attributes) return 'LLM';
  const operation = String(decoded(attributes[OPERATION]) ?? '').toLowerCase();
  if (Object.hasOwn(TYPES, operation)) return TYPES[operation];
  for (const key of Object.keys(attributes)) {
    if (key === 'lk.retry_count') return 'LLM';
    if (key.startsWith('lk.function_tool')) return 'TOOL';
    if (['lk.agent_name', 'lk.instructions', 'lk.generation_id'].includes(key)) return 'AGENT';
    if (key.startsWith('lk.tts') || key === 'lk.input_text') return 'UNKNOWN';
    if (['lk.user_transcript', 'lk.transcript_confidence', 'lk.transcription_delay'].includes(key)) return 'UNKNOWN';
  }
  return undefined;
}

const fromEvent =
  (name: string, key: string) =>
  (events: readonly SpanEvent[]): string | undefined => {
    const values = events.filter((event) => event.name === name).map((event) => attributesOf(event)[key]);
    const value = values.find(isTrue);
    return typeof value === 'string' ? value : undefined;
  };

/** https://docs.spring.io/spring-ai/reference/observability/index.html: what is said is in events. */
export const SPRING_AI: Convention = {
  type: typed(OPERATION, { chat: 'CHAT_MODEL', embeddings: 'EMBEDDING' }),
  inputTokens: raw('gen_ai.usage.input_tokens'),
  outputTokens: raw('gen_ai.usage.output_tokens'),
  inputFromEvents: fromEvent('gen_ai.content.prompt', 'gen_ai.prompt'),
  outputFromEvents: fromEvent('gen_ai.content.completion', 'gen_ai.completion'),
};

/** https://docs.laminar.sh */
export const LAMINAR: Convention = {
  type: typed('lmnr.span.type', {
    LLM: 'LLM',
    TOOL: 'TOOL',
    DEFAULT: 'CHAIN',
    PIPELINE: 'CHAIN',
    EXECUTOR: 'AGENT',
    EVALUATOR: 'EVALUATOR',
    HUMAN_EVALUATOR: 'EVALUATOR',
    EVALUATION: 'EVALUATOR',
    CACHED: 'LLM',
  }),
  input: first('lmnr.span.input'),
  output: first('lmnr.span.output'),
  inputTokens: raw('gen_ai.usage.input_tokens'),
  outputTokens: raw('gen_ai.usage.output_tokens'),
  model: named('gen_ai.response.model', 'gen_ai.request.model'),
  provider: named('gen_ai.system'),
  format: (attributes) => ('lmnr.span.type' in attributes ? 'openai' : undefined),
};

const GEMINI_TYPE = typed(OPERATION, { llm_call: 'LLM', tool_call: 'TOOL', agent_call: 'AGENT' });
const isGemini = (attributes: Attributes) => decoded(attributes['gen_ai.agent.name']) === 'gemini-cli';

/** https://github.com/google-gemini/gemini-cli/blob/main/docs/cli/telemetry.md: messages in the form of Gemini's own API. */
export const GEMINI_CLI: Convention = {
  ...GEN_AI,
  type: (attributes) => (isGemini(attributes) ? GEMINI_TYPE(attributes) : undefined),
  input: (attributes) => (isGemini(attributes) ? geminiInput(attributes) : undefined),
  output: (attributes) => (isGemini(attributes) ? geminiOutput(attributes) : undefined),
  format: (attributes) => (isGemini(attributes) ? 'gemini' : undefined),
};

function geminiInput(attributes: Attributes): Json | undefined {
  const value = GEN_AI.input?.(attributes);
  const contents = decoded(value);
  if (typeof contents === 'string') return writeJson({ contents });
  if (!Array.isArray(contents)) return value;
  if (attributes[OPERATION] !== 'system_prompt') return writeJson({ contents });
  return writeJson({
    contents: contents.map((item: Json) =>
      isDictionary(item) && item.role === 'user' ? { ...item, role: 'system' } : item,
    ),
  });
}

function geminiOutput(attributes: Attributes): Json | undefined {
  const value = GEN_AI.output?.(attributes);
  const contents = decoded(value);
  if (!Array.isArray(contents)) return value;
  const parts = contents.flatMap((item: Json) =>
    isDictionary(item) && Array.isArray(item.parts) ? (item.parts as readonly Json[]) : [],
  );
  return parts.length === 0 ? value : writeJson({ candidates: [{ content: { role: 'model', parts } }] });
}
