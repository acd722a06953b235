/** The fields of a mapping by their types, with the words for what is wrong with them. */

import { Unreadable } from './damage.js';
import type { Yaml, YamlMap } from './yaml/resolve.js';

export class Fields {
  readonly #map: YamlMap;

  constructor(map: YamlMap) {
    this.#map = map;
  }

  /** What is not there is null. */
  get(name: string): Yaml {
    return Object.hasOwn(this.#map, name) ? (this.#map[name] ?? null) : null;
  }

  /** A text; a number is one that somebody forgot to quote. Undefined for null. @throws {Unreadable} */
  text(name: string): string | undefined {
    const value = this.get(name);
    if (value === null) return undefined;
    if (typeof value === 'object') throw new Unreadable(`holds no text under ${name}`);
    return String(value);
  }

  /** @throws {Unreadable} where it is missing, too */
  neededText(name: string): string {
    const text = this.text(name);
    if (text === undefined) throw new Unreadable(`has no ${name}`);
    return text;
  }

  /** An integer, which loses what a number does not hold. Undefined for null. @throws {Unreadable} */
  integer(name: string): number | undefined {
    const value = this.get(name);
    if (value === null) return undefined;
    const number = typeof value === 'string' && /^-?\d+$/.test(value) ? BigInt(value) : value;
    if (typeof number === 'bigint' || (typeof number === 'number' && Number.isInteger(number))) return Number(number);
    throw new Unreadable(`holds no integer under ${name}`);
  }

  /** A mapping; an empty one where there is none. @throws {Unreadable} */
  map(name: string): Fields {
    const value = this.get(name);
    if (value === null) return new Fields({});
    if (typeof value === 'object' && !isList(value)) return new Fields(value);
    throw new Unreadable(`holds no mapping under ${name}`);
  }

  /** One of some words. @throws {Unreadable} */
  choice<Word extends string>(name: string, words: readonly Word[], otherwise: Word): Word {
    const text = this.text(name);
    if (text === undefined) return otherwise;
    const word = words.find((each) => each === text);
    if (word === undefined) throw new Unreadable(`holds "${text}" under ${name}, which is none of ${words.join(', ')}`);
    return word;
  }

  /** Keys and values as texts; null is an empty one. */
  texts(): Record<string, string> {
    return Object.fromEntries(Object.keys(this.#map).map((key) => [key, this.text(key) ?? '']));
  }
}

export const isList = (value: Yaml): value is readonly Yaml[] => Array.isArray(value);
