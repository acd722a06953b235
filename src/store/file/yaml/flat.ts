/**
 * A fast reader of what MLflow's files hold nearly always: a mapping of plain or quoted scalars, and mappings in it, as
 * PyYAML writes them. It reads a text as the `yaml` package does, or declines it; test/store/file/yaml.test.ts holds the two
 * against each other, and against PyYAML.
 */
import { resolvePlain, type Yaml, type YamlMap } from './resolve.js';

/** Thrown, and caught, in this file only. */
class Declined extends Error {}
const DECLINED = new Declined();

/** Characters that are no text in YAML, or a line's end in YAML 1.1; and tabs, whose rules are left to the package. */
const ODD = /[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u;
const SPACES = / */y;
/** Names as MLflow's fields have them, and most keys of tags. */
const KEY = /([A-Za-z_][\w./-]*):(?= |\n|$)/y;
const PLAIN = /[^\n]*/y;
/** A quoted text, in which a quote is written twice. */
const SINGLE = /'((?:[^']|'')*)'(?=\n|$)/y;
const DOUBLE = /"((?:[^"\\\n]|\\[^\n])*)"(?=\n|$)/y;
/** A first character that begins something else than a plain scalar. */
const INDICATOR = /^(?:[&*!|>%@`[\]{},#"'=<]|[-?:](?: |$)|---|\.\.\.)/;
/** What ends a plain scalar, or makes a mapping of it. */
const ENDS_PLAIN = /: |:$| #/;
const NO_TEXT = /^(?:y|n|yes|no|true|false|on|off|null)$/i;
const FOLD = / *\n((?: *\n)*) */g;

const ESCAPE = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|(.))/g;
const ESCAPES: Readonly<Record<string, string>> = {
  ...{ '0': '\0', a: '\x07', b: '\b', t: '\t', n: '\n', v: '\v', f: '\f', r: '\r', e: '\x1b' },
  ...{ ' ': ' ', '"': '"', '/': '/', '\\': '\\', N: '\x85', _: '\xa0', L: '\u2028', P: '\u2029' },
};

/** The mapping that a text holds; undefined where the text is declined. */
export function readFlatYaml(text: string): YamlMap | undefined {
  if (text === '' || ODD.test(text)) return undefined;
  try {
    const reader = new Reader(text);
    const mapping = reader.mapping(0);
    return reader.atEnd ? mapping : undefined;
  } catch (error) {
    if (error instanceof Declined) return undefined;
    throw error;
  }
}

class Reader {
  readonly #text: string;
  /** Always at the beginning of a line between the fields. */
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** The fields whose keys stand at this column, up to one that stands further left. */
  mapping(column: number): YamlMap {
    const fields: Record<string, Yaml> = {};
    while (!this.atEnd) {
      const found = this.#indentation();
      if (found < column) break;
      if (found > column) throw DECLINED;
      this.#at += column;
      const key = this.#match(KEY)?.[1];
      if (key === undefined || key === '__proto__' || NO_TEXT.test(key)) throw DECLINED;
      fields[key] = this.#value(column);
    }
    return fields;
  }

  #value(column: number): Yaml {
    this.#match(SPACES);
    const first = this.#text[this.#at];
    if (first === undefined || first === '\n') return this.#below(column);
    if (first === "'") return this.#single();
    if (first === '"') return this.#double();
    const plain = this.#line();
    if (plain === '{}') return {};
    if (plain === '[]') return [];
    if (INDICATOR.test(plain) || ENDS_PLAIN.test(plain)) throw DECLINED;
    return resolvePlain(this.#continued(plain, column));
  }

  /** What an empty field holds: a mapping that stands further right, or nothing. */
  #below(column: number): Yaml {
    this.#at += 1;
    if (this.atEnd) return null;
    const found = this.#indentation();
    if (found > column) return this.mapping(found);
    if (this.#text[this.#at + found] === '-') throw DECLINED;
    return null;
  }

  /** A plain scalar goes on in lines that stand further right than its key. */
  #continued(first: string, column: number): string {
    let text = first;
    while (!this.atEnd && this.#indentation() > column) {
      this.#match(SPACES);
      const more = this.#line();
      if (ENDS_PLAIN.test(more) || more.startsWith('#') || more === '') throw DECLINED;
      text += ` ${more}`;
    }
    return text;
  }

  #single(): string {
    const text = this.#match(SINGLE)?.[1];
    if (text === undefined) throw DECLINED;
    this.#at += 1;
    const plain = text.includes("''") ? text.replaceAll("''", "'") : text;
    return plain.includes('\n') ? folded(plain) : plain;
  }

  #double(): string {
    const text = this.#match(DOUBLE)?.[1];
    if (text === undefined) throw DECLINED;
    this.#at += 1;
    return text.includes('\\') ? text.replace(ESCAPE, unescaped) : text;
  }

  /** The rest of the line, without blanks at its end. */
  #line(): string {
    const line = this.#match(PLAIN)?.[0] ?? '';
    this.#at += 1;
    return line.endsWith(' ') ? line.replace(/ +$/, '') : line;
  }

  #indentation(): number {
    SPACES.lastIndex = this.#at;
    const spaces = SPACES.exec(this.#text)?.[0].length ?? 0;
    const next = this.#text[this.#at + spaces];
    if (next === '\n' || next === undefined) throw DECLINED;
    return spaces;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text) ?? undefined;
    this.#at += found?.[0].length ?? 0;
    return found;
  }
}

/** One line's end is a blank, and each empty line after it a line's end. */
function folded(text: string): string {
  if (/\n[^ \n]/.test(text)) throw DECLINED;
  return text.replace(FOLD, (_, empty: string) => (empty === '' ? ' ' : '\n'.repeat(empty.split('\n').length - 1)));
}

function unescaped(_: string, x?: string, u?: string, U?: string, character?: string): string {
  const hex = x ?? u ?? U;
  if (hex !== undefined) {
    const code = Number.parseInt(hex, 16);
    // Half a pair of UTF-16, or no character at all.
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) throw DECLINED;
    return String.fromCodePoint(code);
  }
  const found = ESCAPES[character ?? ''];
  if (found === undefined) throw DECLINED;
  return found;
}
