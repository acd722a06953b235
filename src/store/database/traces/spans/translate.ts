/** Attributes as MLflow keeps them: texts that were made JSON twice are so once, and what others call differently has its names. */
import type { Json } from '../../../records.js';
import { parseInteger, readJsonText, writeUnicodeJson } from '../../../search/index.js';
import { isDictionary } from '../analytics.js';
import { type Attributes, isTrue, type SpanEvent } from './conventions/convention.js';
import { CONVENTIONS, OF_EVENTS } from './conventions/index.js';
import { decoded } from './json.js';
import { FORMAT, INPUTS, MODEL, OUTPUTS, PROVIDER, SPAN_TYPE, TOKENS, TOOLS } from './keys.js';

/** What the span says, and what it says in other words, in MLflow's; what it has under MLflow's names stays. */
export function translated(original: Attributes, events: readonly SpanEvent[]): Attributes {
  const attributes: Record<string, Json> = Object.fromEntries(
    Object.entries(original).map(([key, value]) => [key, once(value)]),
  );
  const type = typeFor(attributes);
  if (type !== undefined) attributes[SPAN_TYPE] = writeUnicodeJson(type);
  /** In the order in which MLflow does it: one can need another. */
  const add = (key: string, find: () => Json | undefined) => {
    if (key in attributes) return;
    const value = find();
    if (value !== undefined && isTrue(value)) attributes[key] = value;
  };
  add(INPUTS, () => inputIn(attributes) ?? fromEvents('inputFromEvents', events, attributes));
  add(OUTPUTS, () => said('output', attributes) ?? fromEvents('outputFromEvents', events, attributes));
  add(TOKENS, () => written(usageIn(attributes)));
  add(FORMAT, () => written(said('format', attributes)));
  add(TOOLS, () => said('tools', attributes));
  add(MODEL, () => written(said('model', attributes) ?? modelIn(attributes)));
  add(PROVIDER, () => written(said('provider', attributes)));
  return attributes;
}

/** The content of a span as it is read: one that was kept without a type, in a release that did not know its words, gets it. */
export function typedContent(content: string): string {
  // Most spans have a type; to look for it is much less than to read them.
  if (/"mlflow\.spanType": ?"\\"(?!UNKNOWN\\")/.test(content)) return content;
  const span = readJsonText(content);
  if (!isDictionary(span)) return content;
  const attributes = isDictionary(span.attributes) ? span.attributes : {};
  const type = typeFor(attributes);
  if (type === undefined) return content;
  return writeUnicodeJson({ ...span, attributes: { ...attributes, [SPAN_TYPE]: writeUnicodeJson(type) } });
}

/** Numbers and words are left as they are: `"1"` is a text. */
function once(value: Json): Json {
  if (typeof value !== 'string' || !value.startsWith('"')) return value;
  const inner = readJsonText(value);
  if (typeof inner !== 'string') return value;
  const innermost = readJsonText(inner);
  return typeof innermost === 'string' || (typeof innermost === 'object' && innermost !== null) ? inner : value;
}

const written = (value: Json | undefined) => (value === undefined ? undefined : writeUnicodeJson(value));

/** The type for a span that has none. */
export function typeFor(attributes: Attributes): string | undefined {
  const own = decoded(attributes[SPAN_TYPE] || undefined);
  return own === undefined || own === null || own === 'UNKNOWN' ? typeIn(attributes) : undefined;
}

function typeIn(attributes: Attributes): string | undefined {
  for (const { type } of CONVENTIONS) {
    const found = type?.(attributes);
    if (found !== undefined) return found;
  }
  return undefined;
}

type Sayings = 'output' | 'format' | 'tools' | 'model' | 'provider';

function said(what: Sayings, attributes: Attributes): Json | undefined {
  for (const convention of CONVENTIONS) {
    const value = convention[what]?.(attributes);
    if (isTrue(value)) return value;
  }
  return undefined;
}

/** Whoever is asked first, and speaks, also says in which form it does, whatever comes of it. */
function inputIn(attributes: Record<string, Json>): Json | undefined {
  for (const { input, inputFormat } of CONVENTIONS) {
    const format = inputFormat?.(attributes);
    if (format !== undefined) attributes[FORMAT] = format;
    const value = input?.(attributes);
    if (isTrue(value)) return value;
  }
  return undefined;
}

function fromEvents(
  what: 'inputFromEvents' | 'outputFromEvents',
  events: readonly SpanEvent[],
  attributes: Attributes,
): string | undefined {
  if (events.length === 0) return undefined;
  for (const convention of OF_EVENTS) {
    const value = convention[what]?.(events, attributes);
    if (value) return value;
  }
  return undefined;
}

/** Of the first convention that counts any tokens. */
function usageIn(attributes: Attributes): Json | undefined {
  for (const convention of CONVENTIONS) {
    const count = (what: 'inputTokens' | 'outputTokens' | 'totalTokens' | 'cacheRead' | 'cacheCreation') =>
      counted(convention[what]?.(attributes));
    const [input, output] = [count('inputTokens'), count('outputTokens')];
    const total = count('totalTokens') ?? (input !== undefined && output !== undefined ? input + output : undefined);
    if (input === undefined && output === undefined && total === undefined) continue;
    const usage = {
      input_tokens: input,
      output_tokens: output,
      total_tokens: total,
      cache_read_input_tokens: count('cacheRead'),
      cache_creation_input_tokens: count('cacheCreation'),
    };
    return Object.fromEntries(
      Object.entries(usage).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
    );
  }
  return undefined;
}

/** A whole number, which may be in a text, and that in a text. */
function counted(value: Json | undefined): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value !== 'string') return undefined;
  const inner = readJsonText(value);
  if (typeof inner === 'bigint') return inner;
  return (typeof inner === 'string' ? parseInteger(inner) : undefined) ?? parseInteger(value);
}

/** Of what went into the span, or else came out of it; a model that is no name is one that is not known. */
function modelIn(attributes: Attributes): Json | undefined {
  for (const key of [INPUTS, OUTPUTS]) {
    const value = attributes[key];
    const parsed = typeof value === 'string' ? readJsonText(value) : value;
    const model = isDictionary(parsed) ? parsed.model : undefined;
    if (isTrue(model)) return typeof model === 'string' ? model : undefined;
  }
  return undefined;
}
