/**
 * Dumps that are text: lines, and statements of SQL that run over lines. Bytes are kept as they are, one character each
 * (latin1), as a dump need not be in one encoding: `decoded` makes a text of a value.
 */
import type { Readable } from 'node:stream';
import { MtrackError } from '../errors.js';
import { NEW_BACKUP } from './backup-file.js';

/**
 * @param onLine told also whether the line is ended: the last one need not be
 * @throws whatever the stream, or `onLine`, throws; BACKUP_DAMAGED for bytes that no text has
 */
export async function eachLine(
  stream: Readable,
  onLine: (line: string, isEnded: boolean) => void,
  afterChunk: () => void | Promise<void>,
): Promise<void> {
  let rest = '';
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    // What a file system leaves of a file whose last blocks were never written.
    if (chunk.includes(0)) throw damaged('there are zero bytes in the text');
    const text = chunk.toString('latin1');
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      const line = text.slice(from, end);
      onLine(rest === '' ? line : rest + line, true);
      rest = '';
      from = end + 1;
    }
    rest += text.slice(from);
    await afterChunk();
  }
  if (rest !== '') onLine(rest, false);
}

/** The text of bytes that were read one character each. */
export const decoded = (bytes: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all that is not ASCII.
  /[^\u0000-\u007f]/.test(bytes) ? Buffer.from(bytes, 'latin1').toString('utf8') : bytes;

export function damaged(found: string): MtrackError {
  return new MtrackError('BACKUP_DAMAGED', { found, expected: 'what the tool that dumps wrote', fix: NEW_BACKUP });
}

export function truncated(found: string): MtrackError {
  return new MtrackError('BACKUP_TRUNCATED', { found, fix: NEW_BACKUP });
}

/** The beginning of a statement, for a message. */
export const beginningOf = (text: string): string => {
  const line = decoded(text).trim().split('\n', 1)[0] ?? '';
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
};

/** How a dialect writes strings and comments, as far as it decides where a statement ends. */
export interface Syntax {
  /** Whether `\` escapes in every string, or in those with an E before them alone. */
  readonly backslashes: boolean;
  /** Quotes around names. */
  readonly names: string;
  readonly dollars: boolean;
  /** Whether comments that begin with an exclamation mark are code, as MySQL has it; then `#` begins one, too. */
  readonly conditional: boolean;
}

/** Finds the statements in lines, and gives each without its terminator. */
export class StatementScanner {
  /** What ends a statement. */
  terminator = ';';
  readonly #syntax: Syntax;
  readonly #onStatement: (text: string) => void;
  #lines: string[] = [];
  /** What closes the string, name or comment that is open; empty where none is. */
  #open = '';
  #escapes = false;

  constructor(syntax: Syntax, onStatement: (text: string) => void) {
    this.#syntax = syntax;
    this.#onStatement = onStatement;
  }

  /** Whether nothing of a statement has come yet: then a line may be something else. */
  get isBetween(): boolean {
    return this.#lines.length === 0;
  }

  /** What has come of a statement that is not ended. */
  get unfinished(): string {
    return this.#lines.join('\n').trim();
  }

  push(line: string): void {
    let [from, at] = [0, 0];
    for (;;) {
      if (this.#open === '') {
        const special = this.#next(line, at);
        if (special === null) break;
        at = special.after;
        if (special.ends) {
          this.#lines.push(line.slice(from, special.after - this.terminator.length));
          const text = this.#lines.join('\n').trim();
          this.#lines = [];
          from = at;
          if (text !== '') this.#onStatement(text);
        }
      } else {
        const close = this.#close(line, at);
        if (close < 0) break;
        at = close;
        this.#open = '';
      }
    }
    const rest = line.slice(from);
    if (this.#lines.length > 0 || rest.trim() !== '') this.#lines.push(rest);
  }

  /** What opens something, or ends the statement; null where the line has nothing more of the kind. */
  #next(line: string, from: number): { after: number; ends: boolean } | null {
    SPECIAL.lastIndex = from;
    for (let found = SPECIAL.exec(line); found; found = SPECIAL.exec(line)) {
      const [sign] = found;
      const { index } = found;
      if (sign === this.terminator[0] && line.startsWith(this.terminator, index))
        return { after: index + this.terminator.length, ends: true };
      // The clients of databases take it for a command of their own, wherever it stands.
      if (sign === '\\') throw damaged(`a backslash outside of a text: ${beginningOf(line.slice(index))}`);
      if (sign === '#' && this.#syntax.conditional) return null;
      if (sign === '--' && (!this.#syntax.conditional || /^(?:\s|$)/.test(line.slice(index + 2, index + 3))))
        return null;
      if (sign === '/*' && !(this.#syntax.conditional && /^M?!/.test(line.slice(index + 2, index + 4))))
        return this.#opens('*/', index + 2, false);
      if (sign === "'") {
        const marked = /(?:^|[^\w$])[eE]$/.test(line.slice(Math.max(0, index - 2), index));
        return this.#opens(sign, index + 1, this.#syntax.backslashes || marked);
      }
      if (sign === '"' || sign === '`') {
        if (this.#syntax.names.includes(sign)) return this.#opens(sign, index + 1, false);
        if (sign === '"' && this.#syntax.backslashes) return this.#opens(sign, index + 1, true);
      }
      if (sign === '$' && this.#syntax.dollars) {
        const tag = /^\$(?:[A-Za-z_]\w*)?\$/.exec(line.slice(index, index + 64))?.[0];
        if (tag !== undefined && !/\w$/.test(line.slice(0, index))) return this.#opens(tag, index + tag.length, false);
      }
    }
    return null;
  }

  #opens(close: string, after: number, escapes: boolean): { after: number; ends: false } {
    this.#open = close;
    this.#escapes = escapes;
    return { after, ends: false };
  }

  /** The place behind what closes that which is open; negative where it does not close in this line. */
  #close(line: string, from: number): number {
    if (this.#open.length > 1) {
      const end = line.indexOf(this.#open, from);
      return end < 0 ? -1 : end + this.#open.length;
    }
    return endOfString(line, from, this.#open, this.#escapes);
  }
}

const SPECIAL = /['"`;$#\\]|--|\/\*/g;

/** The place behind the quote that closes a string, whose content begins at `from`; negative where it does not close. */
export function endOfString(text: string, from: number, quote: string, escapes: boolean): number {
  let at = from;
  for (;;) {
    const end = text.indexOf(quote, at);
    if (end < 0) return -1;
    let slashes = 0;
    if (escapes) while (end - slashes > from && text[end - slashes - 1] === '\\') slashes++;
    if (slashes % 2 === 1) at = end + 1;
    else if (text[end + 1] === quote) at = end + 2;
    else return end + 1;
  }
}
