/**
 * Requests, as MLflow's protobuf messages read them from JSON: a name may be in snake or camel case, null is as if it were
 * not there, an unknown name is passed over, an integer may come as text. A message of MLflow is declared once, as a record
 * of fields: from that it is read, and described.
 *
 * What differs from MLflow: a value of the wrong type is refused wherever it stands. MLflow refuses those that its handlers
 * name, and works with half of the message where the wrong one is none of these.
 */
import { invalidParameter, type StoreError } from '../../store/errors.js';
import { pythonJson, pythonType } from './python.js';
import type { Described, Schema } from './schema.js';
import { reference } from './schema.js';

/** A value that is not of its kind. @param path from where it was read: `metrics[0].value` */
export class Unreadable extends Error {
  readonly value: unknown;
  path = '';

  constructor(value: unknown) {
    super('a value is not of its kind');
    this.value = value;
  }

  within(name: string): this {
    const separator = this.path === '' || this.path.startsWith('[') ? '' : '.';
    this.path = `${name}${separator}${this.path}`;
    return this;
  }
}

/** How a value of one type is read. */
export interface Kind<Value> extends Described {
  /** Undefined where the value counts as not given. @throws {Unreadable} */
  read(value: unknown): Value | undefined;
  /** Whether MLflow's handlers take the value for one of this type, when the message as a whole could not be read. */
  looksRight(value: unknown): boolean;
}

/** One field of a message. `Value` includes undefined where the field may be missing. */
export interface Field<Value> extends Described {
  read(value: unknown): Value;
  readonly needed: boolean;
  readonly repeated: boolean;
  looksRight(value: unknown): boolean;
  /** Further rules of MLflow's handler, on the value as it came, in their order. The text is the message; '' makes it the usual one. */
  readonly rules: readonly Rule[];
  /** Another name of the field, used where the first is not there. */
  readonly alias?: string;
}

/** What is wrong with a value that was given; undefined when nothing is. */
export type Rule = (value: unknown) => string | undefined;

export type Fields = Readonly<Record<string, Field<unknown>>>;

/** What is read of a record of fields. */
export type Read<Of extends Fields> = {
  readonly [Name in keyof Of]: Of[Name] extends Field<infer Value> ? Value : never;
};

const INT32 = 2 ** 31;

export const text: Kind<string> = {
  schema: { type: 'string' },
  read: (value) => {
    if (typeof value === 'string' && value.isWellFormed()) return value;
    throw new Unreadable(value);
  },
  looksRight: (value) => typeof value === 'string',
};

export const int64 = integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 'int64');
export const int32 = integer(-INT32, INT32 - 1, 'int32');

function integer(minimum: number, maximum: number, format: string): Kind<number> {
  return {
    schema: { type: 'integer', format },
    read: (value) => {
      const number = typeof value === 'string' && /^[+-]?\d+(?:\.0*)?$/.test(value) ? Number(value) : value;
      if (typeof number === 'number' && Number.isInteger(number) && number >= minimum && number <= maximum)
        return number;
      throw new Unreadable(value);
    },
    // Python's int(): of a number, or of a text that is one.
    looksRight: (value) =>
      typeof value === 'boolean' ||
      (typeof value === 'number' && Number.isFinite(value)) ||
      (typeof value === 'string' && /^\s*[+-]?\d+\s*$/.test(value)),
  };
}

const NUMBER = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i;
const WORDS = new Map([
  ['nan', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
  ['inf', Number.POSITIVE_INFINITY],
  ['-infinity', Number.NEGATIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
]);

export const double: Kind<number> = {
  name: 'Double',
  schema: {
    anyOf: [{ type: 'number', format: 'double' }, { enum: ['NaN', 'Infinity', '-Infinity'] }],
  },
  read: (value) => {
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    if (typeof value === 'boolean') return Number(value);
    const number = typeof value === 'string' && value !== 'nan' ? readNumber(value) : undefined;
    if (number !== undefined) return number;
    throw new Unreadable(value);
  },
  looksRight: (value) =>
    typeof value === 'number' ||
    typeof value === 'boolean' ||
    (typeof value === 'string' && readNumber(value) !== undefined),
};

function readNumber(value: string): number | undefined {
  return NUMBER.test(value) ? Number(value) : WORDS.get(value.trim().toLowerCase());
}

export const flag: Kind<boolean> = {
  schema: { type: 'boolean' },
  read: (value) => {
    if (typeof value === 'boolean') return value;
    throw new Unreadable(value);
  },
  looksRight: (value) => typeof value === 'boolean',
};

/**
 * A name, or its number. A name that is not known counts as not given.
 * @param looksRight what the handler asks of it when the message could not be read
 */
export function choice<Name extends string>(
  numbers: Readonly<Record<Name, number>>,
  looksRight: Kind<Name>['looksRight'] = () => true,
): Kind<Name> {
  const byNumber = new Map(Object.entries(numbers).map(([name, number]) => [number, name as Name]));
  return {
    schema: { type: 'string', enum: Object.keys(numbers) },
    read: (value) => {
      if (typeof value === 'string' && Object.hasOwn(numbers, value)) return value as Name;
      if (typeof value === 'string' && !/^\s*[+-]?\d+\s*$/.test(value)) return undefined;
      const name =
        typeof value === 'number' || typeof value === 'string' ? byNumber.get(Math.trunc(Number(value))) : undefined;
      if (name !== undefined) return name;
      throw new Unreadable(value);
    },
    looksRight,
  };
}

/** A message in a message. */
export function message<Of extends Fields>(name: string, fields: Of): Kind<Read<Of>> {
  return {
    name,
    schema: objectSchema(fields),
    parts: Object.values(fields),
    read: fieldsReader(fields),
    looksRight: () => true,
  };
}

/** Read as one thing and taken for another: where protobuf has a default for what is missing, it is given here. */
export function converted<From, To>(kind: Kind<From>, convert: (value: From) => To): Kind<To> {
  return {
    ...kind,
    read: (value) => {
      const read = kind.read(value);
      return read === undefined ? undefined : convert(read);
    },
  };
}

/** Names of the sender's choice, each with a text. */
export const texts: Kind<Readonly<Record<string, string>>> = {
  schema: { type: 'object', additionalProperties: { type: 'string' } },
  read: (value) => {
    if (!isObject(value)) throw new Unreadable(value);
    const entries = Object.entries(value).map(([key, each]) => [key, named(`[${key}]`, () => text.read(each))]);
    return Object.fromEntries(entries);
  },
  looksRight: () => true,
};

/** What may be left out. */
export function optional<Value>(kind: Kind<Value>, ...rules: readonly Rule[]): Field<Value | undefined> {
  return {
    ...kind,
    needed: false,
    repeated: false,
    rules,
    read: (value) => (value === null || value === undefined ? undefined : kind.read(value)),
  };
}

/** What MLflow asks for: neither null nor an empty text. */
export function needed<Value>(kind: Kind<Value>, ...rules: readonly Rule[]): Field<Value> {
  return {
    ...kind,
    needed: true,
    repeated: false,
    rules,
    read: (value) => {
      const read = kind.read(value);
      if (read === undefined) throw new Unreadable(value);
      return read;
    },
  };
}

/** A list, empty when it is left out. */
export function many<Value>(kind: Kind<Value>, ...rules: readonly Rule[]): Field<readonly Value[]> {
  return {
    schema: { type: 'array', items: reference(kind) },
    parts: [kind],
    needed: false,
    repeated: true,
    rules,
    read: (value) => {
      if (value === null || value === undefined) return [];
      if (!Array.isArray(value)) throw new Unreadable(value);
      const items: Value[] = [];
      for (let i = 0; i < value.length; i++) {
        try {
          const item = kind.read(value[i]);
          if (item !== undefined) items.push(item);
        } catch (error) {
          throw error instanceof Unreadable ? error.within(`[${i}]`) : error;
        }
      }
      return items;
    },
    looksRight: Array.isArray,
  };
}

/** A list of texts, each of which MLflow's handler looks at. */
export function manyTexts(...rules: readonly Rule[]): Field<readonly string[]> {
  return {
    ...many(text, ...rules),
    looksRight: (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  };
}

/** A list that must be given, though it may be empty. */
export function neededList<Value>(field: Field<readonly Value[]>): Field<readonly Value[]> {
  return { ...field, needed: true };
}

/** A field that has an older name. */
export function alsoCalled<Value>(alias: string, field: Field<Value>): Field<Value> {
  return { ...field, alias };
}

/** At most this much, as an integer. */
export function atMost(most: number): Rule {
  return (value) => (Number(value) > most ? '' : undefined);
}

export function within(least: number, most: number, message: string): Rule {
  return (value) => (Number(value) < least || Number(value) > most ? message : undefined);
}

/** The schema of a record of fields. */
export function objectSchema(fields: Fields): Schema {
  const required = Object.entries(fields).filter(([, field]) => field.needed && field.alias === undefined);
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, schemaOf(field)])),
    ...(required.length > 0 && { required: required.map(([name]) => name) }),
  };
}

/** An empty text is as good as none where MLflow asks for a value. */
export function schemaOf(field: Field<unknown>): Schema {
  const schema = reference(field);
  return field.needed && schema.type === 'string' ? { ...schema, minLength: 1 } : schema;
}

/**
 * A reader of the body, or the query, of a request.
 * @throws {StoreError} INVALID_PARAMETER_VALUE in MLflow's words
 */
export function requestReader<Of extends Fields>(fields: Of): (json: Json) => Read<Of> {
  const readFields = fieldsReader(fields);
  const checks = Object.entries(fields);
  return (json) => {
    let wrong: Unreadable | undefined;
    let read: Read<Of> | undefined;
    try {
      read = readFields(json);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      wrong = error;
    }
    for (const [name, field] of checks) checkField(name, field, json, wrong !== undefined);
    if (read === undefined) throw invalidValue(wrong?.path ?? '', wrong?.value);
    return read;
  };
}

type Json = Readonly<Record<string, unknown>>;

/** What MLflow's handler looks at, on the value as it came, whatever its field has made of it. */
function checkField(name: string, field: Field<unknown>, json: Json, unread: boolean): void {
  const value = json[name] ?? (field.alias === undefined ? json[name] : json[field.alias]);
  if (field.needed && (value === undefined || value === null || value === '')) throw missingValue(name);
  if (value === undefined) return;
  if (unread && value !== null && !field.looksRight(value)) throw invalidValue(name, value);
  for (const rule of field.rules) {
    const message = rule(value);
    if (message === '') throw invalidValue(name, value);
    if (message !== undefined) throw invalidParameter(message + SEE);
  }
}

function fieldsReader<Of extends Fields>(fields: Of): (value: unknown) => Read<Of> {
  const entries = Object.entries(fields).map(([name, field]) => ({
    name,
    field,
    camel: name.replace(/_+([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    alias: field.alias,
    // What is missing is for checkField to say.
    skip: field.needed && !field.repeated,
  }));
  return (value) => {
    if (!isObject(value)) throw new Unreadable(value);
    const read: Record<string, unknown> = {};
    for (const { name, field, camel, alias, skip } of entries) {
      let given = value[name];
      if (camel !== name && value[camel] !== undefined) {
        if (given !== undefined) throw bothNames(name, camel);
        given = value[camel];
      }
      if (alias !== undefined) given ??= value[alias];
      if (skip && (given === undefined || given === null)) continue;
      try {
        read[name] = field.read(given);
      } catch (error) {
        throw error instanceof Unreadable ? error.within(name) : error;
      }
    }
    return read as Read<Of>;
  };
}

function named<Value>(name: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw error instanceof Unreadable ? error.within(name) : error;
  }
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const SEE = ' See the API docs for more information about request parameters.';

export function missingValue(path: string): StoreError {
  return invalidParameter(`Missing value for required parameter '${path}'.${SEE}`);
}

function invalidValue(path: string, value: unknown): StoreError {
  const hint = `Hint: Value was of type '${pythonType(value)}'.`;
  return invalidParameter(`Invalid value ${pythonJson(value)} for parameter '${path}' supplied:  ${hint}${SEE}`);
}

const bothNames = (name: string, camel: string): StoreError =>
  invalidParameter(`Request specifies both '${name}' and '${camel}'; provide only one of them.`);
