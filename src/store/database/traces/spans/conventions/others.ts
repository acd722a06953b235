/** Conventions of libraries and products that have names of their own. */
import type { Json } from '../../../../records.js';
import { parseInteger, readJsonText, writeJson, writeUnicodeJson } from '../../../../search/index.js';
import { isDictionary } from '../../analytics.js';
import { decoded } from '../json.js';
import { type Attributes, type Convention, first, isTrue, meaning, named, raw, typed } from './convention.js';

/** https://github.com/Arize-ai/openinference/tree/main/python/openinference-semantic-conventions */
export const OPEN_INFERENCE: Convention = {
  type: typed(
    'openinference.span.kind',
    Object.fromEntries(
      ['TOOL', 'CHAIN', 'LLM', 'RETRIEVER', 'EMBEDDING', 'AGENT', 'RERANKER', 'UNKNOWN', 'GUARDRAIL', 'EVALUATOR'].map(
        (kind) => [kind, kind],
      ),
    ),
  ),
  input: first('input.value'),
  output: first('output.value'),
  inputTokens: raw('llm.token_count.prompt'),
  outputTokens: raw('llm.token_count.completion'),
  totalTokens: raw('llm.token_count.total'),
  cacheRead: raw('llm.token_count.prompt_details.cache_read'),
  cacheCreation: raw('llm.token_count.prompt_details.cache_write'),
  model: named('llm.response.model_name', 'llm.model_name', 'llm.request.model_name', 'embedding.model_name'),
  provider: named('llm.provider'),
};

/** https://github.com/traceloop/openllmetry */
export const TRACELOOP: Convention = {
  type: typed('traceloop.span.kind', {
    workflow: 'WORKFLOW',
    task: 'TASK',
    agent: 'AGENT',
    tool: 'TOOL',
    unknown: 'UNKNOWN',
  }),
  input: first(
    'traceloop.entity.input',
    /^gen_ai\.prompt\.\d+\.content/,
    /^gen_ai\.completion\.\d+\.tool_calls\.\d+\.arguments/,
  ),
  output: first('traceloop.entity.output', /^gen_ai\.completion\.\d+\.content/),
  inputTokens: raw('gen_ai.usage.prompt_tokens'),
  outputTokens: raw('gen_ai.usage.completion_tokens'),
  totalTokens: raw('llm.usage.total_tokens'),
  provider: named('gen_ai.system'),
};

/** https://github.com/google/adk-python/blob/main/src/google/adk/telemetry/tracing.py */
export const GOOGLE_ADK: Convention = {
  input: first('gcp.vertex.agent.llm_request', 'gcp.vertex.agent.tool_call_args'),
  output: first('gcp.vertex.agent.llm_response', 'gcp.vertex.agent.tool_response'),
};

/** https://langfuse.com/docs/opentelemetry */
export const LANGFUSE: Convention = {
  type: typed('langfuse.observation.type', {
    generation: 'LLM',
    embedding: 'EMBEDDING',
    tool: 'TOOL',
    retriever: 'RETRIEVER',
    agent: 'AGENT',
    chain: 'CHAIN',
    evaluator: 'EVALUATOR',
    guardrail: 'GUARDRAIL',
    span: 'UNKNOWN',
  }),
  input: first('langfuse.observation.input'),
  output: first('langfuse.observation.output'),
};

const VOLTAGENT_TYPES = { agent: 'AGENT', llm: 'LLM', tool: 'TOOL', memory: 'MEMORY' };
const either = (one: string, other: string) => (attributes: Attributes) =>
  isTrue(attributes[one]) ? attributes[one] : attributes[other];

/** https://voltagent.dev/docs/observability: a span's own type comes before that of the agent that it belongs to. */
export const VOLTAGENT: Convention = {
  type: (attributes) =>
    typed('span.type', VOLTAGENT_TYPES)(attributes) ?? typed('entity.type', VOLTAGENT_TYPES)(attributes),
  input: first('agent.messages', 'llm.messages', 'input'),
  output: first('output'),
  inputTokens: either('usage.prompt_tokens', 'llm.usage.prompt_tokens'),
  outputTokens: either('usage.completion_tokens', 'llm.usage.completion_tokens'),
  totalTokens: either('usage.total_tokens', 'llm.usage.total_tokens'),
  format: (attributes) =>
    ['voltagent.operation_id', 'voltagent.conversation_id'].some((key) => key in attributes) ? 'voltagent' : undefined,
};

const VERCEL_KIND = 'ai.operationId';
const VERCEL_CHATS: readonly Json[] = ['ai.generateText.doGenerate', 'ai.streamText.doStream'];
const VERCEL_INPUT = first('ai.prompt', 'ai.toolCall.args', 'ai.value', 'ai.values');
const VERCEL_OUTPUT = first(
  ...['ai.response.text', 'ai.toolCall.result', 'ai.response.object', 'ai.embedding', 'ai.embeddings'],
);

/** Texts in texts, as deep as three. */
function unwrapped(value: Json, depth = 2): Json {
  if (typeof value !== 'string') return value;
  const inner = readJsonText(value);
  if (inner === undefined) return value;
  return depth > 0 ? unwrapped(inner, depth - 1) : inner;
}

const isVercelChat = (attributes: Attributes) => VERCEL_CHATS.includes(unwrapped(attributes[VERCEL_KIND] ?? null));

function below(attributes: Attributes, prefix: string): Record<string, Json> {
  const own = Object.entries(attributes).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), unwrapped(value)]));
}

const written = (members: Record<string, Json>) => (Object.keys(members).length === 0 ? undefined : writeJson(members));

function vercelChatInput(attributes: Attributes): string | undefined {
  const prompt = below(attributes, 'ai.prompt.');
  const { tools } = prompt;
  if (Array.isArray(tools)) prompt.tools = tools.map((tool: Json) => unwrapped(tool));
  return written(prompt);
}

/** https://ai-sdk.dev/docs/ai-sdk-core/telemetry */
export const VERCEL_AI: Convention = {
  type: typed(VERCEL_KIND, {
    ...Object.fromEntries(
      ['generateText', 'streamText', 'generateObject', 'streamObject'].flatMap((call) => [
        [`ai.${call}`, 'LLM'],
        [`ai.${call}.${call.startsWith('generate') ? 'doGenerate' : 'doStream'}`, 'LLM'],
      ]),
    ),
    'ai.toolCall': 'TOOL',
    'ai.embed': 'EMBEDDING',
    'ai.embed.doEmbed': 'EMBEDDING',
    'ai.embedMany': 'EMBEDDING',
  }),
  inputFormat: (attributes) => (isVercelChat(attributes) ? 'vercel_ai' : undefined),
  input: (attributes) => (isVercelChat(attributes) ? vercelChatInput(attributes) : VERCEL_INPUT(attributes)),
  output: (attributes) =>
    isVercelChat(attributes) ? written(below(attributes, 'ai.response.')) : VERCEL_OUTPUT(attributes),
};

const CLAUDE_TYPES: Readonly<Record<string, string>> = { interaction: 'AGENT', llm_request: 'LLM', tool: 'TOOL' };
const REDACTED = '<REDACTED>';

/** Which of the three kinds a span is; some versions write it with a prefix. */
function claudeKind(attributes: Attributes): string | undefined {
  const kind = decoded(attributes['span.type']);
  const name = typeof kind === 'string' ? kind.replace(/^claude_code\./, '') : '';
  return Object.hasOwn(CLAUDE_TYPES, name) ? name : undefined;
}

function shown(attributes: Attributes, key: string): Json | undefined {
  const value = meaning(attributes[key]);
  return decoded(value) === REDACTED || !isTrue(value) ? undefined : value;
}

const tokens =
  (key: string) =>
  (attributes: Attributes): bigint | undefined => {
    if (claudeKind(attributes) !== 'llm_request') return undefined;
    const value = decoded(attributes[key]);
    if (typeof value === 'bigint') return value;
    if (typeof value === 'number' && Number.isFinite(value)) return BigInt(Math.trunc(value));
    return typeof value === 'string' ? parseInteger(value) : undefined;
  };
const cacheRead = tokens('cache_read_tokens');
const cacheCreation = tokens('cache_creation_tokens');

/** https://code.claude.com/docs/en/monitoring-usage: tokens from its cache are none of its input tokens, but are MLflow's. */
export const CLAUDE_CODE: Convention = {
  type: (attributes) => CLAUDE_TYPES[claudeKind(attributes) ?? ''],
  input: claudeInput,
  output: (attributes) => {
    const key = { llm_request: 'response.model_output', tool: 'new_context' }[claudeKind(attributes) ?? ''];
    return key === undefined ? undefined : shown(attributes, key);
  },
  outputFromEvents: (events, attributes) => {
    if (claudeKind(attributes) !== 'tool') return undefined;
    const outputs = events
      .filter(({ name }) => name === 'tool.output')
      .flatMap((event) =>
        ['output', 'content', 'diff'].map((key) =>
          isDictionary(event.attributes) ? decoded(event.attributes[key]) : undefined,
        ),
      );
    const output = outputs.find((each) => isTrue(each) && each !== REDACTED);
    return output === undefined ? undefined : writeUnicodeJson(output);
  },
  inputTokens: (attributes) => {
    const input = tokens('input_tokens')(attributes);
    return input === undefined ? undefined : input + (cacheRead(attributes) ?? 0n) + (cacheCreation(attributes) ?? 0n);
  },
  outputTokens: tokens('output_tokens'),
  cacheRead,
  cacheCreation,
};

function claudeInput(attributes: Attributes): Json | undefined {
  switch (claudeKind(attributes)) {
    case 'interaction':
      return shown(attributes, 'user_prompt') ?? shown(attributes, 'new_context');
    case 'llm_request':
      return shown(attributes, 'new_context');
    case 'tool': {
      const input = shown(attributes, 'tool_input');
      if (input !== undefined) return input;
      const details = ['full_command', 'file_path', 'skill_name', 'subagent_type'].flatMap((key) => {
        const value = shown(attributes, key);
        return value === undefined ? [] : [[key, decoded(value) ?? null] as const];
      });
      return details.length === 0 ? undefined : writeJson(Object.fromEntries(details));
    }
    default:
      return undefined;
  }
}
