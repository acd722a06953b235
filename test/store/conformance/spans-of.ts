/** Spans for tests, in the form in which a client's span is told to a store. */

export interface SpanSketch {
  readonly trace: number;
  readonly id: number;
  readonly parent?: number;
  readonly name?: string;
  /** Milliseconds after START_MS. */
  readonly start?: number;
  readonly end?: number | null;
  readonly status?: 'OK' | 'ERROR' | 'UNSET';
  /** Values that become JSON, as a client makes them. */
  readonly attributes?: Readonly<Record<string, unknown>>;
  /** Attributes as they are. */
  readonly raw?: Readonly<Record<string, string>>;
  readonly events?: readonly object[];
  readonly resource?: Readonly<Record<string, unknown>>;
}

export const START_MS = 1_700_000_000_000;

export const traceId = (number: number) => `tr-${number.toString(16).padStart(32, '0')}`;
export const spanId = (number: number) => number.toString(16).padStart(16, '0');

const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');
const nanoseconds = (ms: number) => `${START_MS + ms}000123`;

/** An argument of a call: JSON, as its times are more than a number holds. */
export function spans(...sketches: readonly SpanSketch[]): { json: string } {
  const list = sketches.map((sketch) => {
    const { trace, id, parent, name = `span ${id}`, start = id, end = start + 10, status = 'OK' } = sketch;
    const attributes = {
      'mlflow.traceRequestId': JSON.stringify(traceId(trace)),
      ...Object.fromEntries(
        Object.entries(sketch.attributes ?? {}).map(([key, value]) => [key, JSON.stringify(value)]),
      ),
      ...sketch.raw,
    };
    const content = {
      trace_id: base64(traceId(trace).slice(3)),
      span_id: base64(spanId(id)),
      parent_span_id: parent === undefined ? null : base64(spanId(parent)),
      name,
      start_time_unix_nano: '<start>',
      end_time_unix_nano: end === null ? null : '<end>',
      events: sketch.events ?? [],
      status: { code: `STATUS_CODE_${status}`, message: '' },
      attributes,
      links: [],
    };
    const record = { trace_id: traceId(trace), content, ...(sketch.resource && { resource: sketch.resource }) };
    return JSON.stringify(record)
      .replace('"<start>"', nanoseconds(start))
      .replace('"<end>"', end === null ? '' : nanoseconds(end));
  });
  return { json: `[${list.join(',')}]` };
}
