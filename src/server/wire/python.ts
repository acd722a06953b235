/** Python's words for a value of JSON, which MLflow puts into its messages. */

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
export function pythonDumps(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonDumps).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return asciiOnly(JSON.stringify(value ?? null));
  const entries = Object.entries(value).map(([key, each]) => `${asciiOnly(JSON.stringify(key))}: ${pythonDumps(each)}`);
  return `{${entries.join(', ')}}`;
}

function asciiOnly(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
