/**
 * The list of an IN: MLflow reads it as a Python literal, so `('a', "b" 'c', r'd')` is a list of three strings, and
 * `('a')` a string. What Python would refuse, and what is no string, a number, a list or a tuple, is refused here.
 */
import { invalidParameter, type StoreError } from '../errors.js';
import { reprBytes, reprFloat, reprList, reprString, reprTuple } from './python.js';

/** What is no string is known by what Python writes for it. */
type Literal =
  | string
  | { readonly written: string; readonly items?: readonly Literal[]; readonly listed?: readonly Literal[] };

const write = (literal: Literal) => (typeof literal === 'string' ? reprString(literal) : literal.written);

class Refused extends Error {}

const NUMBER =
  /(?:0[xX](?:_?[\dA-Fa-f])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:\d(?:_?\d)*\.?(?:\d(?:_?\d)*)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?)(?![\p{L}\p{N}_.])/uy;
const BLANK = /(?:[ \t\f\r\n]|\\\r?\n|#[^\n]*)*/y;
const STRING =
  /(r|u|b|br|rb)?('''(?:[^\\]|\\[\s\S])*?'''|"""(?:[^\\]|\\[\s\S])*?"""|'(?!'')(?:[^\\'\r\n]|\\(?:\r\n|[\s\S]))*'|"(?!"")(?:[^\\"\r\n]|\\(?:\r\n|[\s\S]))*")/iy;
const ESCAPE =
  /\\(?:(\r\n|\r|\n)|([\\'"])|([abfnrtv])|([0-7]{1,3})|x([\dA-Fa-f]{2})|u([\dA-Fa-f]{4})|U([\dA-Fa-f]{8})|([xuUN]))/g;
const LETTERS: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

function unescaped(text: string, bytes: boolean): string {
  return text.replace(ESCAPE, (all, newline, quote, letter, octal, x, u, U, broken) => {
    if (newline !== undefined) return '';
    if (quote !== undefined) return quote;
    if (letter !== undefined) return LETTERS[letter] ?? '';
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & (bytes ? 0xff : 0x1ff));
    if (x !== undefined) return String.fromCharCode(Number.parseInt(x, 16));
    if (bytes && (u !== undefined || U !== undefined || /[uUN]/.test(broken))) return all;
    const code = Number.parseInt(u ?? U ?? '110000', 16);
    if (broken !== undefined || code > 0x10ffff) throw new Refused();
    return String.fromCodePoint(code);
  });
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get #next(): string {
    this.#match(BLANK);
    return this.#text[this.#at] ?? '';
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text) ?? undefined;
    if (found) this.#at += found[0].length;
    return found;
  }

  all(): Literal {
    const literal = this.#literal();
    if (this.#next !== '') throw new Refused();
    return literal;
  }

  #literal(): Literal {
    const next = this.#next;
    if (next === '(') return this.#items(')');
    if (next === '[') return this.#items(']');
    if (next === '+' || next === '-') return this.#signed(next);
    const number = this.#match(NUMBER);
    if (number) return { written: numeral(number[0]) };
    const name = this.#match(/(?:None|True|False)(?![\p{L}\p{N}_'"])/uy);
    return name ? { written: name[0] } : this.#string();
  }

  #signed(sign: string): Literal {
    this.#at += 1;
    const operand = this.#literal();
    if (typeof operand === 'string' || !/^-?[\d.]/.test(operand.written)) throw new Refused();
    if (sign === '+') return operand;
    if (operand.written === '0') return operand;
    return { written: operand.written.startsWith('-') ? operand.written.slice(1) : `-${operand.written}` };
  }

  /** Strings side by side are one. */
  #string(): Literal {
    let text = '';
    let bytes: boolean | undefined;
    for (let found = this.#match(STRING); found; this.#next, found = this.#match(STRING)) {
      const prefix = (found[1] ?? '').toLowerCase();
      if (bytes !== undefined && bytes !== prefix.includes('b')) throw new Refused();
      bytes = prefix.includes('b');
      const quoted = found[2] as string;
      const width = /^(?:'''|""")/.test(quoted) ? 3 : 1;
      const body = quoted.slice(width, -width).replaceAll(/\r\n?/g, '\n');
      if (bytes && /[^\0-\x7f]/.test(body)) throw new Refused();
      text += prefix.includes('r') ? body : unescaped(body, bytes);
    }
    if (bytes === undefined) throw new Refused();
    return bytes ? { written: reprBytes(Uint8Array.from(text, (char) => char.charCodeAt(0))) } : text;
  }

  #items(closing: ')' | ']'): Literal {
    this.#at += 1;
    const items: Literal[] = [];
    let commas = 0;
    while (this.#next !== closing) {
      if (commas < items.length) throw new Refused();
      items.push(this.#literal());
      if (this.#next !== ',') continue;
      this.#at += 1;
      commas += 1;
    }
    this.#at += 1;
    const [only] = items;
    if (closing === ')' && only !== undefined && commas === 0) return only;
    const written = items.map(write);
    return closing === ')' ? { written: reprTuple(written), items } : { written: reprList(written), listed: items };
  }
}

function numeral(text: string): string {
  const digits = text.replaceAll('_', '');
  if (/^0[xob]/i.test(digits)) return String(BigInt(digits));
  if (/[.e]/i.test(digits)) return reprFloat(Number(digits));
  if (/^0+[1-9]/.test(digits)) throw new Refused();
  return String(BigInt(digits));
}

const refused = (what: string): StoreError => invalidParameter(`While parsing a list in the query,${what}`);

/**
 * A tuple; a list as well, where one is asked for, which is one value otherwise.
 * @throws StoreError where it is not one of strings, with at least one member
 */
export function readList(text: string, lists: 'lists too' | 'tuples' = 'tuples'): readonly string[] {
  let literal: Literal;
  try {
    literal = new Reader(text).all();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    throw refused(' expected a non-empty list of string values, but got ill-formed list.');
  }
  const listed = typeof literal === 'string' || lists === 'tuples' ? undefined : literal.listed;
  const items = typeof literal === 'string' ? [literal] : (literal.items ?? listed ?? [literal]);
  if (items.length === 0) throw refused(' expected a non-empty list of string values, but got empty list');
  const strings = items.filter((item) => typeof item === 'string');
  if (strings.length === items.length) return strings;
  throw refused(
    ` expected string value, punctuation, or whitespace, but got different type in list: ${reprTuple(items.map(write))}`,
  );
}
