/**
 * Values as Python writes them: MLflow's messages, and some of its rules, hold them so. And the way Python reads numbers and
 * shell words.
 */

/** What Python does not print as it is: control, format and private characters, and whitespace other than a space. */
const UNPRINTABLE = /[\p{C}\p{Z}]/u;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

const hex = (code: number, digits: number) => code.toString(16).padStart(digits, '0');

export function reprString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let written = '';
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (char === quote) written += `\\${char}`;
    else if (ESCAPES[char] !== undefined) written += ESCAPES[char];
    else if (char === ' ' || !UNPRINTABLE.test(char)) written += char;
    else if (code <= 0xff) written += `\\x${hex(code, 2)}`;
    else written += code <= 0xffff ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
  }
  return quote + written + quote;
}

export function reprBytes(bytes: Uint8Array): string {
  const text = String.fromCharCode(...bytes);
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let written = '';
  for (const char of text) {
    const code = char.charCodeAt(0);
    if (char === quote) written += `\\${char}`;
    else if (ESCAPES[char] !== undefined) written += ESCAPES[char];
    else written += code >= 0x20 && code < 0x7f ? char : `\\x${hex(code, 2)}`;
  }
  return `b${quote}${written}${quote}`;
}

/** A float: the shortest digits, with an exponent from 1e16 on and below 1e-4. */
export function reprFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const size = Math.abs(value);
  if (size >= 1e16 || size < 1e-4) {
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  }
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** Several values in brackets; a tuple of one keeps its comma. */
export const reprTuple = (written: readonly string[]) => `(${written.join(', ')}${written.length === 1 ? ',' : ''})`;
export const reprList = (written: readonly string[]) => `[${written.join(', ')}]`;
/** Python orders the members of a set anew in each process; we keep the order of our tables. */
export const reprSet = (members: readonly string[]) => `{${members.map(reprString).join(', ')}}`;

/** What JSON can hold. Integers are `bigint`, so that 1 and 1.0 stay two things. */
export type Json = null | boolean | string | number | bigint | readonly Json[] | { readonly [key: string]: Json };

export function repr(value: Json): string {
  if (value === null) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value === 'string') return reprString(value);
  if (typeof value === 'number') return reprFloat(value);
  if (typeof value === 'bigint') return String(value);
  if (isList(value)) return reprList(value.map(repr));
  return `{${Object.entries(value)
    .map(([key, each]) => `${reprString(key)}: ${repr(each)}`)
    .join(', ')}}`;
}

/** `str(value)`: a string as it is, everything else as `repr` writes it. */
export const str = (value: Json) => (typeof value === 'string' ? value : repr(value));

export const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

/** `value or …`: what Python takes for nothing. */
export const isEmpty = (value: Json | undefined) =>
  value === undefined ||
  value === null ||
  value === false ||
  value === '' ||
  value === 0 ||
  value === 0n ||
  (typeof value === 'object' && Object.keys(value).length === 0);

const SPACE = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const AROUND = new RegExp(`^${SPACE}+|${SPACE}+$`, 'gu');

export const strip = (text: string) => text.replace(AROUND, '');

/** Digits of any script as ASCII: those of one script follow each other, from zero on. */
export function asciiDigits(text: string): string {
  return text.replace(/(?![0-9])\p{Nd}/gu, (digit) => {
    const code = digit.codePointAt(0) ?? 0;
    let zero = code;
    while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
    return String((code - zero) % 10);
  });
}

/** `int(text)`; `undefined` where Python refuses. */
export function int(text: string): bigint | undefined {
  const digits = asciiDigits(strip(text));
  return /^[+-]?\d+(?:_\d+)*$/.test(digits) ? BigInt(digits.replace(/[+_]/g, '')) : undefined;
}

/** `float(text)`; `undefined` where Python refuses. */
export function float(text: string): number | undefined {
  const plain = asciiDigits(strip(text));
  const word = /^([+-]?)(?:(inf(?:inity)?)|nan)$/i.exec(plain);
  if (word) return word[2] === undefined ? Number.NaN : word[1] === '-' ? -Infinity : Infinity;
  const digits = '\\d+(?:_\\d+)*';
  const number = new RegExp(`^[+-]?(?:${digits}\\.?(?:${digits})?|\\.${digits})(?:e[+-]?${digits})?$`, 'i');
  return number.test(plain) ? Number(plain.replaceAll('_', '')) : undefined;
}

/** `shlex.split(text)`: words as a shell takes them; `undefined` where a quote or an escape does not end. */
export function shellWords(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  const chars = [...text];
  for (let index = 0; index < chars.length; index += 1) {
    const char = chars[index] as string;
    if (quote !== '' && char === quote) quote = '';
    else if (char === '\\' && quote !== "'") {
      index += 1;
      const escaped = chars[index];
      if (escaped === undefined) return undefined;
      // Between double quotes a backslash escapes itself and the quote only.
      word = (word ?? '') + (quote === '"' && escaped !== '"' && escaped !== '\\' ? '\\' : '') + escaped;
    } else if (quote !== '') word = (word ?? '') + char;
    else if (char === "'" || char === '"') {
      quote = char;
      word ??= '';
    } else if (' \t\r\n'.includes(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + char;
  }
  if (quote !== '') return undefined;
  if (word !== undefined) words.push(word);
  return words;
}
