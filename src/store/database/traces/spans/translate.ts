/** Attributes as MLflow keeps them: texts that were made JSON twice are so once, and what others call differently has its names. */
import type { Json } from '../../../records.js';
import { readJsonText } from '../../../search/index.js';

type Attributes = { readonly [key: string]: Json };

export function translated(attributes: Attributes, _events: readonly Json[]): Attributes {
  return Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, once(value)]));
}

/** Numbers and words are left as they are: `"1"` is a text. */
function once(value: Json): Json {
  if (typeof value !== 'string' || !value.startsWith('"')) return value;
  const inner = readJsonText(value);
  if (typeof inner !== 'string') return value;
  const innermost = readJsonText(inner);
  return typeof innermost === 'string' || (typeof innermost === 'object' && innermost !== null) ? inner : value;
}
