/** Attributes of spans: JSON texts, for the most part, and sometimes texts in texts. */
import type { Json } from '../../../records.js';
import { readJsonText } from '../../../search/index.js';

/** What a text stands for where it is JSON; any other value as it is. */
export function decoded(value: Json | undefined): Json | undefined {
  if (typeof value !== 'string') return value;
  return readJsonText(value) ?? value;
}

/** The text in a JSON text; a text that is no such is itself. */
export function textIn(value: Json | undefined): Json | undefined {
  const inner = decoded(value);
  return typeof inner === 'string' ? inner : value;
}
