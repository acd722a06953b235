/**
 * A span as MLflow keeps it, written as the JSON of OpenTelemetry's Span: what MLflow's clients read a trace from. Times are
 * JSON numbers beyond what JavaScript's hold exactly: they are bigint in between.
 */
import { invalidParameter } from '../../store/errors.js';
import { type Json, readJson } from '../../store/search/index.js';
import { double } from '../wire/write.js';

type Content = { readonly [key: string]: Json };

const TRACE_PREFIX = /^(?:trace:\/[^/]*\/)?(?:tr-)?/;

/** @param text JSON of MLflow's `Span.to_dict()`. @returns `{"trace_id": …, "attributes": […]}` */
export function spanJson(text: string): string {
  const content = readJson(Buffer.from(text));
  if (!isObject(content)) throw invalidParameter('A span of the trace is damaged: it is no JSON.');
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

function statusJson(status: Json | undefined): string {
  const { code, message } = isObject(status) ? status : {};
  const set = typeof code === 'string' && code !== '' && !/UNSET$/.test(code);
  return objectOf([
    ['message', typeof message === 'string' && message !== '' ? quoted(message) : undefined],
    ['code', set ? quoted(code.startsWith('STATUS_CODE_') ? code : `STATUS_CODE_${code}`) : undefined],
  ]);
}

/** An attribute is kept as JSON text; what is none counts as a text itself, and an empty one as nothing. */
function attributeOf(text: Json): Json {
  if (typeof text !== 'string') return text;
  if (text === '') return null;
  const value = readJson(Buffer.from(text));
  return value === undefined ? text : value;
}

const keyValue = (key: string, value: Json): string =>
  objectOf([
    ['key', quoted(key)],
    ['value', value === null ? undefined : anyValue(value)],
  ]);

/** OpenTelemetry's AnyValue. */
function anyValue(value: Exclude<Json, null>): string {
  if (typeof value === 'string') return `{"string_value":${quoted(value)}}`;
  if (typeof value === 'boolean') return `{"bool_value":${value}}`;
  if (typeof value === 'bigint') return `{"int_value":${value}}`;
  if (typeof value === 'number') return `{"double_value":${double.write(value)}}`;
  if (isList(value)) {
    const items = value.map((item) => (item === null ? '{}' : anyValue(item)));
    return `{"array_value":${objectOf([['values', listOf(items)]])}}`;
  }
  const entries = entriesOf(value).map(([key, each]) => keyValue(key, each));
  return `{"kvlist_value":${objectOf([['values', listOf(entries)]])}}`;
}

function objectOf(fields: readonly (readonly [string, string | undefined])[]): string {
  const present = fields.filter(([, json]) => json !== undefined);
  return `{${present.map(([name, json]) => `"${name}":${json}`).join(',')}}`;
}

const listOf = (items: readonly string[]): string | undefined =>
  items.length === 0 ? undefined : `[${items.join(',')}]`;

const quoted = (text: string): string => JSON.stringify(text);

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

const isObject = (value: Json | undefined): value is Content =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const itemsOf = (list: Json | undefined): readonly Content[] => (Array.isArray(list) ? list.filter(isObject) : []);

const entriesOf = (object: Json | undefined): readonly (readonly [string, Json])[] =>
  isObject(object) ? Object.entries(object) : [];

function digitsOf(time: Json | undefined): string {
  if (typeof time === 'bigint') return String(time);
  return typeof time === 'string' && /^\d+$/.test(time) ? time : '0';
}

/** An id in base64; as of MLflow 3.5.0 it was kept in hex, that of a trace with its prefix. */
function idOf(id: Json | undefined, bytes: number): string {
  if (typeof id !== 'string' || id === '') return '';
  if (id.length !== 2 * bytes && !TRACE_PREFIX.test(id)) return id;
  const plain = id.replace(TRACE_PREFIX, '');
  const isHex = plain.length === 2 * bytes && /^[\da-f]+$/i.test(plain);
  return isHex ? Buffer.from(plain, 'hex').toString('base64') : id;
}

function hexId(id: Json | undefined, bytes: number): string | null {
  if (typeof id !== 'string') return null;
  const hex = id.replace(TRACE_PREFIX, '').replace(/^0x/, '');
  if (!/^[\da-f]+$/i.test(hex) || hex.replace(/^0+/, '').length > 2 * bytes) return null;
  return Buffer.from(hex.padStart(2 * bytes, '0').slice(-2 * bytes), 'hex').toString('base64');
}
