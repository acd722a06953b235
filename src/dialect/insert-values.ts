/** The rows of an INSERT statement, as dumps write them. */
import { damaged, endOfString } from './dump-text.js';

export interface ValueSyntax {
  /** Whether `\` escapes in strings. */
  readonly backslashes: boolean;
  /** The text of a string between its quotes. */
  textOf(escaped: string): string;
}

/**
 * Calls `onRow` for each tuple behind VALUES, with the wanted of its values as text. A value that is no plain literal is given
 * as it is written.
 * @param text of a statement @param at the place behind VALUES
 * @param wanted places of columns
 * @throws {MtrackError} BACKUP_DAMAGED for what is no list of tuples
 */
export function eachTuple(
  text: string,
  at: number,
  { columns, wanted, syntax }: { columns: number | null; wanted: readonly number[]; syntax: ValueSyntax },
  onRow: (values: readonly (string | null)[]) => void,
): void {
  const last = Math.max(-1, ...wanted);
  let place = skipBlanks(text, at);
  for (;;) {
    if (text[place] !== '(') throw noTuple(text, place);
    const values: (string | null)[] = [];
    let n = 0;
    do {
      const from = skipBlanks(text, place + 1);
      place = endOfValue(text, from, syntax);
      if (n <= last && wanted.includes(n)) values[wanted.indexOf(n)] = valueIn(text.slice(from, place).trim(), syntax);
      n++;
    } while (text[place] === ',');
    if (text[place] !== ')') throw noTuple(text, place);
    if (columns !== null && n !== columns) throw damaged(`a row of ${n} values where the table has ${columns} columns`);
    onRow(values);
    place = skipBlanks(text, place + 1);
    if (text[place] !== ',') break;
    place = skipBlanks(text, place + 1);
  }
  if (place < text.length && !/^ON CONFLICT DO NOTHING$/i.test(text.slice(place).trim())) throw noTuple(text, place);
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\t' || text[at] === '\r') at++;
  return at;
}

/** The place of the comma or bracket behind a value. */
function endOfValue(text: string, from: number, { backslashes }: ValueSyntax): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    switch (text[at]) {
      case "'": {
        const escapes = backslashes || /^[eE]$/.test(text[at - 1] ?? '');
        const end = endOfString(text, at + 1, "'", escapes);
        if (end < 0) throw noTuple(text, at);
        at = end - 1;
        break;
      }
      case '(':
        depth++;
        break;
      case ',':
        if (depth === 0) return at;
        break;
      case ')':
        if (depth === 0) return at;
        depth--;
    }
  }
  throw noTuple(text, text.length);
}

function valueIn(literal: string, { textOf }: ValueSyntax): string | null {
  if (literal === 'NULL') return null;
  const string = /^(?:_\w+ +|[eE])?'(.*)'$/s.exec(literal)?.[1];
  return string === undefined ? literal : textOf(string);
}

const noTuple = (text: string, at: number) =>
  damaged(`an INSERT is broken at character ${at} of ${text.length}: ${JSON.stringify(text.slice(at, at + 20))}`);
