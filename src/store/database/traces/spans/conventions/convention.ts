/** How one family of clients names what a span says. What it does not say is undefined. */
import type { Json } from '../../../../records.js';
import { readJsonText } from '../../../../search/index.js';
import { decoded } from '../json.js';

export type Attributes = { readonly [key: string]: Json };
export type SpanEvent = { readonly name?: Json; readonly attributes?: Json };
type Say = (attributes: Attributes) => Json | undefined;

export interface Convention {
  /** MLflow's type of the span. */
  readonly type?: (attributes: Attributes) => string | undefined;
  readonly input?: Say;
  readonly output?: Say;
  readonly inputFromEvents?: (events: readonly SpanEvent[], attributes: Attributes) => string | undefined;
  readonly outputFromEvents?: (events: readonly SpanEvent[], attributes: Attributes) => string | undefined;
  readonly inputTokens?: Say;
  readonly outputTokens?: Say;
  readonly totalTokens?: Say;
  readonly cacheRead?: Say;
  readonly cacheCreation?: Say;
  readonly model?: Say;
  readonly provider?: Say;
  readonly tools?: Say;
  /** Which of MLflow's views can show its messages. */
  readonly format?: (attributes: Attributes) => string | undefined;
  /** The same, said with the input. */
  readonly inputFormat?: (attributes: Attributes) => string | undefined;
}

/** Python's truth of a value. */
export const isTrue = (value: Json | undefined): boolean =>
  typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value);

/** The value, unless it says nothing: JSON of an empty object, of null and the like. */
export function meaning(value: Json | undefined): Json | undefined {
  if (typeof value !== 'string') return value;
  const parsed = readJsonText(value);
  return parsed === undefined || isTrue(parsed) ? value : undefined;
}

/** The first of several attributes that says something; a pattern stands for any attribute that begins so. */
export const first =
  (...keys: readonly (string | RegExp)[]): Say =>
  (attributes) => {
    for (const key of keys) {
      const names = typeof key === 'string' ? [key] : Object.keys(attributes).filter((name) => key.test(name));
      for (const name of names) {
        const value = meaning(attributes[name]);
        if (isTrue(value)) return value;
      }
    }
    return undefined;
  };

/** An attribute as it is. */
export const raw =
  (key: string): Say =>
  (attributes) =>
    attributes[key];

/** A name, which may be JSON. */
export const named =
  (...keys: readonly string[]): Say =>
  (attributes) =>
    decoded(first(...keys)(attributes));

/** MLflow's type for a word in an attribute. */
export const typed =
  (key: string, types: Readonly<Record<string, string>>) =>
  (attributes: Attributes): string | undefined => {
    const word = decoded(attributes[key]);
    return typeof word === 'string' && Object.hasOwn(types, word) ? types[word] : undefined;
  };
