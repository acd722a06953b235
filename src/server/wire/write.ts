/**
 * Answers, as MLflow's protobuf messages become JSON: what is undefined is left out, and so is an empty list or map. A
 * record is declared once, as its fields in MLflow's order: from that come the description and a function that writes it,
 * compiled when the server starts. Integers are JSON numbers, as MLflow has them; doubles keep their point, as Python's do.
 */
import type { Json } from '../../store/records.js';
import { protobufJson } from './python.js';
import type { Described, Schema } from './schema.js';
import { reference } from './schema.js';

/** How a value of one type is written. */
export interface Writer<Value> extends Described {
  write(value: Value): string;
  /** May be left out: undefined, or an empty list or map. */
  readonly empty?: 'undefined' | 'list' | 'map' | undefined;
}

/** The fields of an answer. One that its type says may be undefined has to be declared as such. */
type FieldsOf<Value> = {
  readonly [Name in keyof Value & string]?: undefined extends Value[Name]
    ? Writer<Exclude<Value[Name], undefined>> & { readonly empty: 'undefined' }
    : Writer<Exclude<Value[Name], undefined>>;
};

export const text: Writer<string> = { schema: { type: 'string' }, write: JSON.stringify };

/** A text that is mostly the same as the one before, which is then not written anew. */
export function repeatedText(): Writer<string> {
  let last = '';
  let json = '""';
  const write = (value: string) => {
    if (value !== last) {
      json = JSON.stringify(value);
      last = value;
    }
    return json;
  };
  return { ...text, write };
}

export const int64: Writer<number> = { schema: { type: 'integer', format: 'int64' }, write: String };
export const flag: Writer<boolean> = { schema: { type: 'boolean' }, write: String };

export const double: Writer<number> = {
  name: 'Double',
  schema: { anyOf: [{ type: 'number', format: 'double' }, { enum: ['NaN', 'Infinity', '-Infinity'] }] },
  write: (value) => (Number.isFinite(value) ? finite(value) : `"${value}"`),
};

/** As Python's `json` writes it where no protobuf is between: NaN is no JSON then, but what MLflow sends. */
export const bareDouble: Writer<number> = { name: 'Double', schema: double.schema, write: finite };

function finite(value: number): string {
  if (!Number.isInteger(value) || Math.abs(value) >= 1e21) return String(value);
  return Object.is(value, -0) ? '-0.0' : `${value}.0`;
}

/** Any value of JSON. */
export const anything: Writer<Json> = { schema: {}, write: protobufJson };

export function choiceOf<Name extends string>(names: readonly Name[]): Writer<Name> {
  return { schema: { type: 'string', enum: names }, write: (name) => `"${name}"` };
}

export function optional<Value>(writer: Writer<Value>): Writer<Value> & { readonly empty: 'undefined' } {
  return { ...writer, empty: 'undefined' };
}

export function list<Item>(item: Writer<Item>): Writer<readonly Item[]> & { readonly empty: 'list' } {
  return {
    schema: { type: 'array', items: reference(item) },
    parts: [item],
    empty: 'list',
    write: (items) => {
      let json = '[';
      for (let i = 0; i < items.length; i++) {
        if (i > 0) json += ',';
        json += item.write(items[i] as Item);
      }
      return `${json}]`;
    },
  };
}

export function mapOf<Item>(item: Writer<Item>): Writer<Readonly<Record<string, Item>>> & { readonly empty: 'map' } {
  return {
    schema: { type: 'object', additionalProperties: reference(item) },
    parts: [item],
    empty: 'map',
    write: (items) =>
      `{${Object.entries(items)
        .map(([key, value]) => `${JSON.stringify(key)}:${item.write(value)}`)
        .join(',')}}`,
  };
}

/** A record with a name of its own in the description. */
export function record<Value extends object>(name: string, fields: FieldsOf<Value>): Writer<Value> {
  return { name, ...object<Value>(fields) };
}

export function object<Value extends object>(fields: FieldsOf<Value>): Writer<Value> {
  const all = Object.entries(fields) as [string, Writer<never>][];
  return { schema: objectSchema(all), parts: all.map(([, writer]) => writer), write: compile<Value>(all) };
}

function objectSchema(fields: readonly (readonly [string, Writer<never>])[]): Schema {
  const required = fields.filter(([, writer]) => writer.empty === undefined).map(([name]) => name);
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map(([name, writer]) => [name, reference(writer)])),
    ...(required.length > 0 && { required }),
  };
}

/** Written as something else. */
export function mapped<From, To>(writer: Writer<To>, map: (value: From) => To): Writer<From> {
  return { ...writer, write: (value) => writer.write(map(value)) };
}

/** One function for one shape: it is several times as fast as a loop over fields that are looked up by name. */
function compile<Value>(fields: readonly (readonly [string, Writer<never>])[]): (value: Value) => string {
  const lines = fields.map(([name, { empty }], i) => {
    const add = `json += comma + '${JSON.stringify(name)}:' + write${i}(field); comma = ',';`;
    const condition = empty === undefined ? '' : `if (${PRESENT[empty]})`;
    return `field = value[${JSON.stringify(name)}]; ${condition} { ${add} }`;
  });
  const body = `return (value) => { let json = '{', comma = '', field; ${lines.join('\n')} return json + '}'; }`;
  const names = fields.map((_, i) => `write${i}`);
  return new Function(...names, body)(...fields.map(([, writer]) => writer.write));
}

const PRESENT = {
  undefined: 'field !== undefined',
  list: 'field.length > 0',
  map: 'Object.keys(field).length > 0',
};
