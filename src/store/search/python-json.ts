/** JSON as Python's `json` reads and writes it: integers are `bigint`, NaN is a number, and there is a space behind a comma. */
import { isList, type Json, reprFloat } from './python.js';

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /(-?(?:0|[1-9]\d*))(\.\d+)?([eE][-+]?\d+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in a string
const STRING = /"(?:[^"\\\0-\x1f]|\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4}))*"/y;
const WORDS: readonly (readonly [string, Json])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', Number.NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
];

class Broken extends Error {}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  all(): Json {
    const value = this.#value();
    if (this.#next !== '') throw new Broken();
    return value;
  }

  get #next(): string {
    this.#match(SPACE);
    return this.#text[this.#at] ?? '';
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text) ?? undefined;
    this.#at += found?.[0].length ?? 0;
    return found;
  }

  #value(): Json {
    const next = this.#next;
    if (next === '"') return this.#string();
    if (next === '[') return this.#items(']', () => this.#value());
    if (next === '{') return Object.fromEntries(this.#items('}', () => this.#entry()));
    const word = WORDS.find(([text]) => this.#text.startsWith(text, this.#at));
    if (word) {
      this.#at += word[0].length;
      return word[1];
    }
    const number = this.#match(NUMBER);
    if (!number) throw new Broken();
    return number[2] === undefined && number[3] === undefined ? BigInt(number[0]) : Number(number[0]);
  }

  #string(): string {
    const found = this.#match(STRING);
    if (!found) throw new Broken();
    return JSON.parse(found[0]) as string;
  }

  #entry(): [string, Json] {
    if (this.#next !== '"') throw new Broken();
    const key = this.#string();
    this.#expect(':');
    return [key, this.#value()];
  }

  #items<Item>(closing: string, item: () => Item): Item[] {
    this.#at += 1;
    const items: Item[] = [];
    if (this.#next !== closing) {
      do items.push(item());
      while (this.#next === ',' && ++this.#at);
    }
    this.#expect(closing);
    return items;
  }

  #expect(mark: string): void {
    if (this.#next !== mark) throw new Broken();
    this.#at += 1;
  }
}

/** `undefined` where it is no JSON. */
export function readJson(bytes: Uint8Array): Json | undefined {
  try {
    return readJsonText(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** The same of a text. */
export function readJsonText(text: string): Json | undefined {
  try {
    return new Reader(text).all();
  } catch (error) {
    if (error instanceof Broken) return undefined;
    throw error;
  }
}

/** `json.dumps`, whose texts are ASCII. */
export const writeJson = (value: Json): string => write(value, asciiString);

/** The same with all characters as they are. */
export const writeUnicodeJson = (value: Json): string => write(value, JSON.stringify);

function write(value: Json, string: (text: string) => string): string {
  if (typeof value === 'string') return string(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return number(value);
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map((each) => write(each, string)).join(', ')}]`;
  const entries = Object.entries(value).map(([key, each]) => `${string(key)}: ${write(each, string)}`);
  return `{${entries.join(', ')}}`;
}

const number = (value: number) =>
  Number.isFinite(value) ? reprFloat(value) : Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';

/** Without spaces, and the members of objects by their names. */
export function compactJson(value: Json): string {
  if (value === null || typeof value !== 'object') return writeJson(value);
  if (isList(value)) return `[${value.map(compactJson).join(',')}]`;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, each]) => `${asciiString(key)}:${compactJson(each)}`).join(',')}}`;
}

const asciiString = (text: string) =>
  JSON.stringify(text).replace(/[\u007f-\uffff]/g, (unit) =>
    unit === '\x7f' ? unit : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
