/** A span that comes in, as the row that it becomes, and what it says of its trace. */
import { StoreError } from '../../../errors.js';
import type { Json, NewSpan } from '../../../records.js';
import { writeJson, writeUnicodeJson } from '../../../search/index.js';
import { checkSession, finite, isDictionary } from '../analytics.js';
import { type Node, node } from './aggregate.js';
import { decoded, textIn } from './json.js';
import { COST, MODEL, PROVIDER, SPAN_TYPE, TOKENS } from './keys.js';
import { translated } from './translate.js';

type Dictionary = { readonly [key: string]: Json };

const LONGEST_MODEL = 500;

export interface Incoming {
  readonly traceId: string;
  readonly id: string;
  readonly parent: string | null;
  /** Integer nanoseconds since the epoch. */
  readonly start: bigint;
  readonly end: bigint | null;
  readonly failed: boolean;
  readonly attributes: Dictionary;
  readonly resource: Dictionary;
  readonly tokens: Node;
  readonly cost: Node;
  readonly session: string | undefined;
  readonly user: string | undefined;
  /** Columns of its row, but for the experiment. */
  readonly row: Readonly<Record<string, unknown>>;
}

/**
 * @param unicode whether the database keeps every character
 * @throws StoreError where a session has too long an id, or the content is no span's
 */
export function incoming({ trace_id, content, resource }: NewSpan, unicode: boolean): Incoming {
  const original = dictionary(content.attributes);
  const attributes = translated(original, eventsOf(content.events));
  const id = hexadecimal(content.span_id);
  if (id === null) throw new StoreError('INVALID_PARAMETER_VALUE', 'A span must have a span_id.');
  const parent = hexadecimal(content.parent_span_id);
  const start = integer(content.start_time_unix_nano) ?? 0n;
  const end = integer(content.end_time_unix_nano);
  const status = statusOf(content.status);
  const cost = dictionary(decoded(attributes[COST]));
  const text = (value: Json | undefined) => (typeof value === 'string' ? value : undefined);
  const model = (key: string) => {
    const name = textIn(attributes[key]);
    return typeof name === 'string' ? [...name].slice(0, LONGEST_MODEL).join('') : null;
  };
  const session = text(textIn(attributes['session.id'] || attributes['gen_ai.conversation.id'])) || undefined;
  return {
    traceId: trace_id,
    id,
    parent,
    start,
    end,
    failed: status === 'ERROR',
    attributes,
    resource: resource ?? {},
    tokens: node(id, parent, attributes, TOKENS),
    cost: node(id, parent, attributes, COST),
    session: session && checkSession(session),
    user: text(textIn(attributes['user.id'])) || undefined,
    row: {
      trace_id,
      span_id: id,
      parent_span_id: parent,
      name: text(content.name) ?? null,
      type: text(decoded(original[SPAN_TYPE])) ?? null,
      status,
      start_time_unix_nano: String(start),
      end_time_unix_nano: end === null ? null : String(end),
      content: (unicode ? writeUnicodeJson : writeJson)({ ...content, attributes }),
      input_cost: finite(cost.input_cost),
      output_cost: finite(cost.output_cost),
      total_cost: finite(cost.total_cost),
      model_name: model(MODEL),
      model_provider: model(PROVIDER),
    },
  };
}

const eventsOf = (events: Json | undefined) =>
  Array.isArray(events) ? (events as readonly Json[]).filter(isDictionary) : [];

const dictionary = (value: Json | undefined): Dictionary => (isDictionary(value) ? value : {});

/** An id is base64 of its bytes; clients of MLflow 3.5 wrote it in hexadecimal digits. */
function hexadecimal(id: Json | undefined): string | null {
  if (typeof id !== 'string' || id === '') return null;
  return /^[0-9a-f]{16}$/.test(id) ? id : Buffer.from(id, 'base64').toString('hex');
}

function integer(value: Json | undefined): bigint | null {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return BigInt(Math.trunc(value));
  return typeof value === 'string' && /^-?\d+$/.test(value) ? BigInt(value) : null;
}

function statusOf(status: Json | undefined): 'OK' | 'ERROR' | 'UNSET' {
  const code = isDictionary(status) ? status.code : undefined;
  if (code === 'STATUS_CODE_OK' || code === 'OK') return 'OK';
  return code === 'STATUS_CODE_ERROR' || code === 'ERROR' ? 'ERROR' : 'UNSET';
}
