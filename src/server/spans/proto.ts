/**
 * What OpenTelemetry's exporters send, as far as spans are made of it:
 * https://github.com/open-telemetry/opentelemetry-proto (trace/v1/trace.proto, collector/trace/v1/trace_service.proto).
 */
import protobuf from 'protobufjs';
import type { Exported } from './ingest.js';

const repeated = (type: string, id: number) => ({ rule: 'repeated', type, id });
const one = (type: string, id: number) => ({ type, id });

const root = protobuf.Root.fromJSON({
  nested: {
    AnyValue: {
      oneofs: {
        value: {
          oneof: ['stringValue', 'boolValue', 'intValue', 'doubleValue', 'arrayValue', 'kvlistValue', 'bytesValue'],
        },
      },
      fields: {
        stringValue: one('string', 1),
        boolValue: one('bool', 2),
        intValue: one('int64', 3),
        doubleValue: one('double', 4),
        arrayValue: one('ArrayValue', 5),
        kvlistValue: one('KeyValueList', 6),
        bytesValue: one('bytes', 7),
      },
    },
    ArrayValue: { fields: { values: repeated('AnyValue', 1) } },
    KeyValueList: { fields: { values: repeated('KeyValue', 1) } },
    KeyValue: { fields: { key: one('string', 1), value: one('AnyValue', 2) } },
    Resource: { fields: { attributes: repeated('KeyValue', 1) } },
    Status: { fields: { message: one('string', 2), code: one('int32', 3) } },
    Event: {
      fields: { timeUnixNano: one('fixed64', 1), name: one('string', 2), attributes: repeated('KeyValue', 3) },
    },
    Link: { fields: { traceId: one('bytes', 1), spanId: one('bytes', 2), attributes: repeated('KeyValue', 4) } },
    Span: {
      fields: {
        traceId: one('bytes', 1),
        spanId: one('bytes', 2),
        parentSpanId: one('bytes', 4),
        name: one('string', 5),
        startTimeUnixNano: one('fixed64', 7),
        endTimeUnixNano: one('fixed64', 8),
        attributes: repeated('KeyValue', 9),
        events: repeated('Event', 11),
        links: repeated('Link', 13),
        status: one('Status', 15),
      },
    },
    ScopeSpans: { fields: { spans: repeated('Span', 2) } },
    ResourceSpans: { fields: { resource: one('Resource', 1), scopeSpans: repeated('ScopeSpans', 2) } },
    ExportTraceServiceRequest: { fields: { resourceSpans: repeated('ResourceSpans', 1) } },
  },
});

const request = root.lookupType('ExportTraceServiceRequest');
/** 64-bit integers as text, bytes in base64, and which one of an AnyValue is set. */
const PLAIN = { longs: String, bytes: String, oneofs: true, arrays: true } as const;

const NAMES_OF_STATUS: Readonly<Record<string, number>> = {
  STATUS_CODE_UNSET: 0,
  STATUS_CODE_OK: 1,
  STATUS_CODE_ERROR: 2,
};

/** @throws {Error} when it is no such message */
export function decodeExport(body: Uint8Array): Exported {
  return request.toObject(request.decode(body), PLAIN) as Exported;
}

/**
 * OTLP's JSON: the names of protobuf's, but ids in hex (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding).
 * @throws {Error} when it is no such message
 */
export function readExport(text: string): Exported {
  const json: unknown = JSON.parse(text, (name, value: unknown) => {
    if (/^(?:traceId|spanId|parentSpanId)$/.test(name) && typeof value === 'string') return base64Of(value);
    return name === 'code' && typeof value === 'string' ? NAMES_OF_STATUS[value] : value;
  });
  if (typeof json !== 'object' || json === null) throw new SyntaxError('no object');
  return request.toObject(request.fromObject(json), PLAIN) as Exported;
}

function base64Of(hex: string): string {
  if (hex.length % 2 === 0 && /^[\da-f]*$/i.test(hex)) return Buffer.from(hex, 'hex').toString('base64');
  throw new SyntaxError('an id is not in hex');
}
