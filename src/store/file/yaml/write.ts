/**
 * YAML as MLflow writes it: PyYAML's dumper over libyaml in block style, keys sorted, text beyond ASCII as it is, lines folded
 * at 80 columns. A file that both write is the same to the byte, so that a store in version control shows what changed.
 */
import { reprFloat } from '../../search/index.js';
import { isPlainText } from './resolve.js';

/** What is written; a number is an integer, unless it is a Real. What is undefined is null. */
export type Writable =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Real
  | readonly Writable[]
  | { readonly [key: string]: Writable };

/** A number that is one of Python's floats: 2 is written 2.0. */
export class Real {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

const WIDTH = 80;
const INDENT = 2;
const LONGEST_KEY = 128;

export function writeYaml(map: { readonly [key: string]: Writable }): string {
  return Object.keys(map).length === 0 ? '{}\n' : mapping(map, 0, '');
}

const isSequence = (value: Writable): value is readonly Writable[] => Array.isArray(value);

const isMapping = (value: Writable): value is { readonly [key: string]: Writable } =>
  typeof value === 'object' && value !== null && !(value instanceof Real) && !isSequence(value);

/** @param lead what stands in front of the first field instead of the indentation: `- ` */
function mapping(map: { readonly [key: string]: Writable }, column: number, lead: string): string {
  let text = '';
  for (const key of Object.keys(map).sort(byCodePoint)) {
    const before = text === '' && lead !== '' ? lead : ' '.repeat(column);
    text += before + field(key, map[key], column);
  }
  return text;
}

function field(key: string, value: Writable, column: number): string {
  const simple = !/[\n\r\x85\u2028\u2029]/.test(key) && Buffer.byteLength(key) <= LONGEST_KEY;
  if (!simple) {
    const written = string(key, column + 2, column + INDENT, true);
    return `? ${written}\n${' '.repeat(column)}:${node(value, column, column + 1, false)}`;
  }
  const written = string(key, column, column, false);
  return `${written}:${node(value, column, column + lengthOf(written) + 1, true)}`;
}

/**
 * What follows a colon, with the line's end. @param at the column behind the colon
 * @param below whether a mapping or a sequence begins in the next line
 */
function node(value: Writable, column: number, at: number, below: boolean): string {
  if (isSequence(value) && value.length > 0) {
    // A sequence in a mapping stands as far left as its key.
    return below ? `\n${sequence(value, column, '')}` : ` ${sequence(value, column + INDENT, '- ')}`;
  }
  if (isMapping(value) && Object.keys(value).length > 0) {
    return below
      ? `\n${mapping(value, column + INDENT, '')}`
      : ` ${mapping(value, column + INDENT, '\0')}`.replace('\0', '');
  }
  return ` ${scalar(value, at + 1, column + INDENT)}\n`;
}

function sequence(items: readonly Writable[], column: number, lead: string): string {
  let text = '';
  for (const item of items) {
    const before = text === '' && lead !== '' ? lead : `${' '.repeat(column)}- `;
    if (isMapping(item) && Object.keys(item).length > 0) text += mapping(item, column + INDENT, before);
    else if (isSequence(item) && item.length > 0) text += sequence(item, column + INDENT, `${before}- `);
    else text += `${before}${scalar(item, column + INDENT, column + INDENT)}\n`;
  }
  return text;
}

function scalar(value: Writable, at: number, indent: number): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return string(value, at, indent, true);
  if (value instanceof Real) return real(value.value);
  if (isSequence(value)) return '[]';
  return typeof value === 'object' ? '{}' : String(value);
}

function real(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  const text = reprFloat(value);
  return text.includes('.') || !text.includes('e') ? text : text.replace('e', '.0e');
}

/** @param folds whether a line may end within it */
function string(text: string, at: number, indent: number, folds: boolean): string {
  const characters = [...text.toWellFormed()];
  const { plain, single } = stylesOf(characters);
  const place = { at, indent, folds };
  if (plain && isPlainText(text)) return plainOf(characters, place);
  return single ? quoted(characters, place) : escaped(characters, place);
}

interface Place {
  readonly at: number;
  readonly indent: number;
  readonly folds: boolean;
}

/** What begins something else than a plain scalar. */
const FIRST = new Set([...'#,[]{}&*!|>\'"%@`']);
const isBlank = (character: string | undefined) => character === undefined || character === ' ' || character === '\n';

/** What libyaml takes for a character that it need not escape. */
const PRINTABLE = /^[\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]$/u;
const BREAK = /^[\n\r\x85\u2028\u2029]$/;

function stylesOf(characters: readonly string[]): { plain: boolean; single: boolean } {
  if (characters.length === 0) return { plain: false, single: true };
  const start = characters.slice(0, 3).join('');
  let plain = start !== '---' && start !== '...';
  let single = true;
  let [before, lines] = ['', false];
  for (const [at, character] of characters.entries()) {
    const next = characters[at + 1];
    const first = at === 0;
    const blankNext = isBlank(next) || BREAK.test(next ?? '');
    const blankBefore = first || before === ' ' || BREAK.test(before);
    if (first && (FIRST.has(character) || ('-?:'.includes(character) && blankNext))) plain = false;
    if (!first && ((character === ':' && blankNext) || (character === '#' && blankBefore))) plain = false;
    if (!PRINTABLE.test(character)) single = false;
    if (BREAK.test(character)) {
      lines = true;
      // A blank in front of a line's end would be lost.
      if (before === ' ') single = false;
    }
    if (character === ' ' && BREAK.test(before)) single = false;
    before = character;
  }
  const [head = '', tail = ''] = [characters[0], characters.at(-1)];
  if (lines || !single || head === ' ' || tail === ' ') plain = false;
  return { plain, single };
}

/** Writes characters, and ends lines where they are too long. */
class Line {
  text = '';
  #column: number;
  readonly #indent: number;

  constructor({ at, indent }: Place) {
    this.#column = at;
    this.#indent = indent;
  }

  get isLong(): boolean {
    return this.#column > WIDTH;
  }

  put(text: string): void {
    this.text += text;
    this.#column += lengthOf(text);
  }

  end(character = '\n'): void {
    this.text += character;
    this.#column = 0;
  }

  indent(): void {
    this.text += ' '.repeat(this.#indent);
    this.#column = this.#indent;
  }
}

function plainOf(characters: readonly string[], place: Place): string {
  const line = new Line(place);
  for (const [at, character] of characters.entries()) {
    const blank = character === ' ' && characters[at - 1] !== ' ' && characters[at + 1] !== ' ';
    if (blank && place.folds && line.isLong) {
      line.end();
      line.indent();
    } else line.put(character);
  }
  return line.text;
}

function quoted(characters: readonly string[], place: Place): string {
  const line = new Line(place);
  line.put("'");
  let breaks = false;
  for (const [at, character] of characters.entries()) {
    const inner = at > 0 && at < characters.length - 1 && characters[at - 1] !== ' ' && characters[at + 1] !== ' ';
    if (character === ' ' && inner && place.folds && line.isLong) {
      line.end();
      line.indent();
    } else if (BREAK.test(character)) {
      if (!breaks && character === '\n') line.end();
      line.end(character);
      breaks = true;
    } else {
      if (breaks) line.indent();
      breaks = false;
      line.put(character === "'" ? "''" : character);
    }
  }
  if (breaks) line.indent();
  line.put("'");
  return line.text;
}

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ '\0': '0', '\x07': 'a', '\b': 'b', '\t': 't', '\n': 'n', '\v': 'v', '\f': 'f', '\r': 'r', '\x1b': 'e' },
  ...{ '"': '"', '\\': '\\', '\x85': 'N', '\xa0': '_', '\u2028': 'L', '\u2029': 'P' },
};

function escaped(characters: readonly string[], place: Place): string {
  const line = new Line(place);
  line.put('"');
  let spaces = false;
  for (const [at, character] of characters.entries()) {
    if (character === ' ') {
      const inner = at > 0 && at < characters.length - 1;
      if (!spaces && inner && place.folds && line.isLong) {
        line.end();
        line.indent();
        if (characters[at + 1] === ' ') line.put('\\');
      } else line.put(character);
      spaces = true;
    } else {
      line.put(isEscaped(character) ? escapeOf(character) : character);
      spaces = false;
    }
  }
  line.put('"');
  return line.text;
}

const isEscaped = (character: string) =>
  !PRINTABLE.test(character) || BREAK.test(character) || character === '"' || character === '\\';

function escapeOf(character: string): string {
  const name = ESCAPES[character];
  if (name !== undefined) return `\\${name}`;
  const code = character.codePointAt(0) ?? 0;
  const hex = (digits: number) => code.toString(16).toUpperCase().padStart(digits, '0');
  return code <= 0xff ? `\\x${hex(2)}` : code <= 0xffff ? `\\u${hex(4)}` : `\\U${hex(8)}`;
}

function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

/** As Python sorts texts. */
function byCodePoint(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
