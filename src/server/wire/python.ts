/** Python's words for a value of JSON, which MLflow puts into its messages and its texts. */
import type { Json } from '../../store/records.js';
import { reprFloat } from '../../store/search/index.js';

/** `type(value).__name__` of what Python's `json` makes of it. Whether `1.0` was a float is no longer known. */
export function pythonType(value: unknown): string {
  if (value === null || value === undefined) return 'NoneType';
  if (Array.isArray(value)) return 'list';
  switch (typeof value) {
    case 'string':
      return 'str';
    case 'boolean':
      return 'bool';
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float';
    default:
      return 'dict';
  }
}

/** `json.dumps(value, sort_keys=True, separators=(",", ":"))`: ASCII only. */
export function pythonJson(value: unknown): string {
  return asciiOnly(JSON.stringify(value ?? null, (_, inner: unknown) => sortedKeys(inner)));
}

function sortedKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/** `json.dumps(value)`: ASCII only, with a blank behind each comma and colon. */
export const pythonDumps = (value: Json): string => asciiOnly(pythonDumpsPlain(value));

/** `json.dumps(value, ensure_ascii=False)` */
export function pythonDumpsPlain(value: Json): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') return Number.isNaN(value) ? 'NaN' : reprFloat(value).replace('inf', 'Infinity');
  if (value === null || typeof value !== 'object') return String(value);
  if (isList(value)) return `[${value.map(pythonDumpsPlain).join(', ')}]`;
  const entries = Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${pythonDumpsPlain(each)}`);
  return `{${entries.join(', ')}}`;
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

/** As protobuf's Value keeps it: every number is a double, and one that is whole is written as an integer. */
export function protobufJson(value: Json): string {
  if (typeof value === 'bigint') return String(BigInt(Number(value)));
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(protobufJson).join(',')}]`;
  const entries = Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}:${protobufJson(each)}`);
  return `{${entries.join(',')}}`;
}

/** A value that JSON.parse has read, as protobuf's Value would give it back. */
export function protobufValue(value: unknown): Json {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map(protobufValue);
  if (typeof value !== 'object' || value === null) return null;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, protobufValue(each)]));
}

function asciiOnly(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
