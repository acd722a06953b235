/**
 * A span as MLflow keeps it, written as the JSON of OpenTelemetry's Span: what MLflow's clients read a trace from. Times are
 * JSON numbers beyond what JavaScript's hold exactly, so they are written digit by digit.
 */
import type { Span } from '../../store/records.js';
import { readJson } from '../../store/search/index.js';
import { isObject } from '../wire/read.js';

type Content = Readonly<Record<string, unknown>>;

const TRACE_PREFIX = /^(?:trace:\/[^/]*\/)?(?:tr-)?/;

/** `{"trace_id": …, "attributes": […]}` */
export function spanJson({ content }: Span): string {
  const parent = idOf(content.parent_span_id, 8);
  const attributes = entriesOf(content.attributes).map(([key, text]) => keyValue(key, attributeOf(text)));
  const end = digitsOf(content.end_time_unix_nano);
  return objectOf([
    ['trace_id', quoted(idOf(content.trace_id, 16))],
    ['span_id', quoted(idOf(content.span_id, 8))],
    ['parent_span_id', parent === '' ? undefined : quoted(parent)],
    ['name', typeof content.name === 'string' ? quoted(content.name) : undefined],
    ['start_time_unix_nano', digitsOf(content.start_time_unix_nano)],
    ['end_time_unix_nano', end === '0' ? undefined : end],
    ['attributes', listOf(attributes)],
    ['events', listOf(itemsOf(content.events).map(eventJson))],
    ['links', listOf(itemsOf(content.links).flatMap(linkJson))],
    ['status', statusJson(content.status)],
  ]);
}

function eventJson(event: Content): string {
  return objectOf([
    ['time_unix_nano', digitsOf(event.time_unix_nano)],
    ['name', typeof event.name === 'string' && event.name !== '' ? quoted(event.name) : undefined],
    ['attributes', listOf(entriesOf(event.attributes).map(([key, value]) => keyValue(key, value)))],
  ]);
}

/** MLflow leaves out a link whose ids are too long for OpenTelemetry. */
function linkJson(link: Content): readonly string[] {
  const [trace, span] = [hexId(link.trace_id, 16), hexId(link.span_id, 8)];
  if (trace === null || span === null) return [];
  return [
    objectOf([
      ['trace_id', quoted(trace)],
      ['span_id', quoted(span)],
      ['attributes', listOf(entriesOf(link.attributes).map(([key, value]) => keyValue(key, value)))],
    ]),
  ];
}

function statusJson(status: unknown): string {
  const { code, message } = isObject(status) ? status : {};
  const set = typeof code === 'string' && code !== '' && !/UNSET$/.test(code);
  return objectOf([
    ['message', typeof message === 'string' && message !== '' ? quoted(message) : undefined],
    ['code', set ? quoted(code.startsWith('STATUS_CODE_') ? code : `STATUS_CODE_${code}`) : undefined],
  ]);
}

/** An attribute is kept as JSON text; what is none counts as a text itself, and an empty one as nothing. */
function attributeOf(text: unknown): unknown {
  if (typeof text !== 'string') return text;
  if (text === '') return null;
  const value = readJson(Buffer.from(text));
  return value === undefined ? text : value;
}

const keyValue = (key: string, value: unknown): string =>
  objectOf([
    ['key', quoted(key)],
    ['value', value === null || value === undefined ? undefined : anyValue(value)],
  ]);

/** OpenTelemetry's AnyValue: whole numbers are bigint where they were read from JSON text. */
function anyValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `{"string_value":${quoted(value)}}`;
    case 'boolean':
      return `{"bool_value":${value}}`;
    case 'bigint':
      return `{"int_value":${value}}`;
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0)
        ? `{"double_value":${value}.0}`
        : `{"double_value":${Number.isFinite(value) ? value : `"${value}"`}}`;
    default:
      if (Array.isArray(value)) return `{"array_value":${objectOf([['values', listOf(value.map(itemValue))]])}}`;
      return `{"kvlist_value":${objectOf([['values', listOf(entriesOf(value).map(([key, each]) => keyValue(key, each)))]])}}`;
  }
}

const itemValue = (value: unknown): string => (value === null || value === undefined ? '{}' : anyValue(value));

function objectOf(fields: readonly (readonly [string, string | undefined])[]): string {
  const present = fields.filter(([, json]) => json !== undefined);
  return `{${present.map(([name, json]) => `"${name}":${json}`).join(',')}}`;
}

const listOf = (items: readonly string[]): string | undefined =>
  items.length === 0 ? undefined : `[${items.join(',')}]`;

const quoted = (text: string): string => JSON.stringify(text);

const itemsOf = (list: unknown): readonly Content[] => (Array.isArray(list) ? list.filter(isObject) : []);

const entriesOf = (object: unknown): readonly (readonly [string, unknown])[] =>
  isObject(object) ? Object.entries(object) : [];

function digitsOf(time: unknown): string {
  if (typeof time === 'bigint' || typeof time === 'number') return String(time);
  return typeof time === 'string' && /^\d+$/.test(time) ? time : '0';
}

/** An id in base64; as of MLflow 3.5.0 it was kept in hex, that of a trace with its prefix. */
function idOf(id: unknown, bytes: number): string {
  if (typeof id !== 'string' || id === '') return '';
  if (id.length !== 2 * bytes && !TRACE_PREFIX.test(id)) return id;
  const plain = id.replace(TRACE_PREFIX, '');
  const isHex = plain.length === 2 * bytes && /^[\da-f]+$/i.test(plain);
  return isHex ? Buffer.from(plain, 'hex').toString('base64') : id;
}

function hexId(id: unknown, bytes: number): string | null {
  if (typeof id !== 'string') return null;
  const hex = id.replace(TRACE_PREFIX, '').replace(/^0x/, '');
  if (!/^[\da-f]+$/i.test(hex) || hex.replace(/^0+/, '').length > 2 * bytes) return null;
  return Buffer.from(hex.padStart(2 * bytes, '0').slice(-2 * bytes), 'hex').toString('base64');
}

/** The spans of a trace as its file has them: the JSON of each as it is kept. */
export function traceFile(spans: readonly Span[]): string {
  return `{"spans":[${spans.map(({ content }) => keptJson(content)).join(',')}]}`;
}

/** JSON in which bigint are whole numbers, and so are times that are kept as text. */
function keptJson(value: unknown, name = ''): string {
  if (typeof value === 'bigint') return String(value);
  if (name.endsWith('_unix_nano') && typeof value === 'string' && /^\d+$/.test(value)) return value;
  if (Array.isArray(value)) return `[${value.map((item) => keptJson(item)).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value ?? null);
  return `{${Object.entries(value)
    .map(([key, each]) => `${quoted(key)}:${keptJson(each, key)}`)
    .join(',')}}`;
}
