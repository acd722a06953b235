/** Spans as OpenTelemetry's exporters send them, made into spans as MLflow keeps them. */
import type { Json, NewSpan } from '../../store/records.js';
import { pythonDumpsPlain } from '../wire/python.js';

/** An ExportTraceServiceRequest: 64-bit integers are texts, bytes are base64. */
export interface Exported {
  readonly resourceSpans: readonly {
    readonly resource?: { readonly attributes: readonly KeyValue[] } | null;
    readonly scopeSpans: readonly { readonly spans: readonly ExportedSpan[] }[];
  }[];
}

interface ExportedSpan {
  readonly traceId?: string;
  readonly spanId?: string;
  readonly parentSpanId?: string;
  readonly name?: string;
  readonly startTimeUnixNano?: string;
  readonly endTimeUnixNano?: string;
  readonly attributes: readonly KeyValue[];
  readonly events: readonly {
    readonly timeUnixNano?: string;
    readonly name?: string;
    readonly attributes: readonly KeyValue[];
  }[];
  readonly links: readonly {
    readonly traceId?: string;
    readonly spanId?: string;
    readonly attributes: readonly KeyValue[];
  }[];
  readonly status?: { readonly code?: number; readonly message?: string } | null;
}

interface KeyValue {
  readonly key?: string;
  readonly value?: AnyValue | null;
}

interface AnyValue {
  readonly value?: Exclude<keyof AnyValue, 'value'>;
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string;
  readonly doubleValue?: number;
  readonly bytesValue?: string;
  readonly arrayValue?: { readonly values: readonly AnyValue[] };
  readonly kvlistValue?: { readonly values: readonly KeyValue[] };
}

export interface Ingested {
  readonly spans: readonly NewSpan[];
  /** Ids of the traces whose root is among them. */
  readonly completed: readonly string[];
}

const REQUEST_ID = 'mlflow.traceRequestId';
const SERVICE_NAME = 'service.name';
/** MLflow keeps the name of these services, which it knows, at the root of their traces; no other text of the sender's. */
const SERVICES = new Set(['claude-code', 'codex_cli_rs', 'codex_vscode', 'gemini-cli', 'qwen-code']);
const CODES = ['STATUS_CODE_UNSET', 'STATUS_CODE_OK', 'STATUS_CODE_ERROR'];

/** @throws {Error} when an id is missing, or too long */
export function ingest({ resourceSpans }: Exported): Ingested {
  const spans: NewSpan[] = [];
  const completed = new Set<string>();
  for (const { resource, scopeSpans } of resourceSpans) {
    const service = resource?.attributes.find(({ key }) => key === SERVICE_NAME)?.value?.stringValue;
    for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
      const made = spanOf(span, service !== undefined && SERVICES.has(service) ? service : null);
      spans.push({ ...made, resource: plainAttributes(resource?.attributes ?? []) });
      if (made.content.parent_span_id === null) completed.add(made.trace_id);
    }
  }
  return { spans, completed: [...completed] };
}

function spanOf(span: ExportedSpan, service: string | null): NewSpan {
  const [traceId, spanId] = [idOf(span.traceId, 16), idOf(span.spanId, 8)];
  if (traceId === null || spanId === null) throw new RangeError('trace_id and span_id are required');
  const parentId = idOf(span.parentSpanId, 8);
  const trace_id = `tr-${traceId.toString('hex')}`;
  const attributes: Record<string, string> = Object.fromEntries(
    span.attributes.map(({ key = '', value }) => [key, pythonDumpsPlain(anyOf(value))]),
  );
  // Not the sender's own: it follows from the id of the trace.
  attributes[REQUEST_ID] = pythonDumpsPlain(trace_id);
  if (parentId === null && service !== null) attributes[SERVICE_NAME] = pythonDumpsPlain(service);
  const code = CODES[span.status?.code ?? 0] ?? 'STATUS_CODE_UNSET';
  return {
    trace_id,
    content: {
      trace_id: traceId.toString('base64'),
      span_id: spanId.toString('base64'),
      parent_span_id: parentId?.toString('base64') ?? null,
      name: span.name ?? '',
      start_time_unix_nano: BigInt(span.startTimeUnixNano ?? 0),
      end_time_unix_nano: BigInt(span.endTimeUnixNano ?? 0),
      events: span.events.map(({ name = '', timeUnixNano = '0', attributes }) => ({
        name,
        time_unix_nano: BigInt(timeUnixNano),
        attributes: plainAttributes(attributes),
      })),
      status: { code, message: code === 'STATUS_CODE_ERROR' ? (span.status?.message ?? '') : '' },
      attributes,
      links: span.links.map((link) => ({
        trace_id: `tr-${(idOf(link.traceId, 16) ?? Buffer.alloc(16)).toString('hex')}`,
        span_id: (idOf(link.spanId, 8) ?? Buffer.alloc(8)).toString('hex'),
        attributes: link.attributes.length > 0 ? plainAttributes(link.attributes) : null,
      })),
    },
  };
}

const plainAttributes = (attributes: readonly KeyValue[]): { readonly [key: string]: Json } =>
  Object.fromEntries(attributes.map(({ key = '', value }) => [key, anyOf(value)]));

/** An id of this many bytes, zeroes in front; null where there is none. */
function idOf(base64: string | undefined, bytes: number): Buffer | null {
  const given = Buffer.from(base64 ?? '', 'base64');
  if (given.length === 0) return null;
  const digits = given.toString('hex').replace(/^0+/, '');
  if (digits.length > 2 * bytes) throw new RangeError(`an id has more than ${bytes} bytes`);
  return Buffer.from(digits.padStart(2 * bytes, '0'), 'hex');
}

function anyOf(any: AnyValue | null | undefined): Json {
  switch (any?.value) {
    case 'stringValue':
      return any.stringValue ?? '';
    case 'boolValue':
      return any.boolValue ?? false;
    case 'intValue':
      return BigInt(any.intValue ?? 0);
    case 'doubleValue':
      return any.doubleValue ?? 0;
    case 'bytesValue':
      return any.bytesValue ?? '';
    case 'arrayValue':
      return (any.arrayValue?.values ?? []).map(anyOf);
    case 'kvlistValue':
      return plainAttributes(any.kvlistValue?.values ?? []);
    default:
      return null;
  }
}
