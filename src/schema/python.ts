/**
 * What Python makes of a text. MLflow's revisions that move rows read them with Python's `json`, `float()`, `Decimal()`
 * and `str`, which differ from JavaScript's in what they accept: what is done in TypeScript reads as they do.
 */

/** A whole number is a bigint, as Python's has any size; every other number is a double. */
export type Value = null | boolean | bigint | number | string | readonly Value[] | ReadonlyMap<string, Value>;

/** Most digits of a whole number that Python reads (sys.set_int_max_str_digits). */
const INT_DIGITS = 4300;
const NUMBER = /(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?/y;
const CONSTANTS = new Map<string, Value>([
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);
const ESCAPES = new Map(
  Object.entries({ '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }),
);
/** What stands in a string as it is: not even a tab. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids just these
const PLAIN = /[^"\\\u0000-\u001f]*/y;

/** `json.loads`; undefined where it raises ValueError. Of a key that is there twice, the last value counts. */
export function loads(text: string): Value | undefined {
  try {
    return new Reader(text).document();
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): Value {
    const value = this.#value();
    if (this.#at < this.#text.length) throw new SyntaxError('more than one value');
    return value;
  }

  /** A value with the blanks around it. */
  #value(): Value {
    this.#blanks();
    const value = this.#bare();
    this.#blanks();
    return value;
  }

  #bare(): Value {
    if (this.#takes('"')) return this.#string();
    if (this.#takes('{')) return new Map(this.#list('}', () => this.#member()));
    if (this.#takes('[')) return this.#list(']', () => this.#value());
    for (const [word, value] of CONSTANTS) if (this.#takes(word)) return value;
    const [all, whole, fraction, exponent] = this.#match(NUMBER) ?? [];
    if (all === undefined || whole === undefined) throw new SyntaxError('no value');
    if (fraction !== undefined || exponent !== undefined) return Number(all);
    if (whole.length - (whole.startsWith('-') ? 1 : 0) > INT_DIGITS) throw new SyntaxError('too many digits');
    return BigInt(whole);
  }

  #list<T>(end: string, element: () => T): T[] {
    const all: T[] = [];
    this.#blanks();
    if (this.#takes(end)) return all;
    do all.push(element());
    while (this.#takes(','));
    if (!this.#takes(end)) throw new SyntaxError(`no ${end}`);
    return all;
  }

  #member(): [string, Value] {
    this.#blanks();
    if (!this.#takes('"')) throw new SyntaxError('no key');
    const key = this.#string();
    this.#blanks();
    if (!this.#takes(':')) throw new SyntaxError('no value of a key');
    return [key, this.#value()];
  }

  #string(): string {
    let text = '';
    for (;;) {
      text += this.#match(PLAIN)?.[0] ?? '';
      if (this.#takes('"')) return text;
      if (!this.#takes('\\')) throw new SyntaxError('a string without an end');
      const code = this.#match(/u([0-9a-fA-F]{4})/y)?.[1];
      const escaped =
        code === undefined
          ? ESCAPES.get(this.#text.charAt(this.#at++))
          : String.fromCharCode(Number.parseInt(code, 16));
      if (escaped === undefined) throw new SyntaxError('an unknown escape');
      text += escaped;
    }
  }

  #blanks(): void {
    this.#match(/[ \t\n\r]*/y);
  }

  #takes(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    this.#at += found?.[0].length ?? 0;
    return found;
  }
}

/** What str.isspace() is true of. Unlike JavaScript's, it holds U+001C to U+001F and U+0085, and not U+FEFF. */
const SPACE = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const AROUND = new RegExp(`^${SPACE}+|${SPACE}+$`, 'g');
/** What float() takes away around a number: not U+001C to U+001F, which str.strip() does. */
const AROUND_FLOAT = new RegExp(`^(?:(?![\\x1c-\\x1f])${SPACE})+|(?:(?![\\x1c-\\x1f])${SPACE})+$`, 'g');

/** `str.strip()` */
export const strip = (text: string) => text.replaceAll(AROUND, '');

/** The digits of all scripts as ASCII's: they come in runs of ten. */
function withAsciiDigits(text: string): string {
  return text.replaceAll(/(?![0-9])\p{Nd}/gu, (digit) => {
    const code = digit.codePointAt(0) ?? 0;
    let first = code;
    while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first--;
    return String((code - first) % 10);
  });
}

const DIGITS = '[0-9](?:_?[0-9])*';
const FLOAT = new RegExp(`^[-+]?(?:${DIGITS}(?:\\.(?:${DIGITS})?)?|\\.${DIGITS})(?:[eE][-+]?${DIGITS})?$`);

/** `float()` of anything that JSON can hold, where that gives a finite number; null for a boolean, too. */
export function finiteFloat(value: Value): number | null {
  const number = typeof value === 'string' ? floatOf(value) : typeof value === 'bigint' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}

function floatOf(text: string): number | null {
  const ascii = withAsciiDigits(text.replaceAll(AROUND_FLOAT, ''));
  return FLOAT.test(ascii) ? Number(ascii.replaceAll('_', '')) : null;
}

const DECIMAL = /^([-+]?)(?=\.?[0-9])([0-9]*)(?:\.([0-9]*))?(?:[eE]([-+]?[0-9]+))?$/;
const BIGGEST = 2n ** 63n;

/**
 * `Decimal(str(value))` of anything that JSON can hold, where that is whole and fits 64 bits. A double is taken by the
 * digits that it is written with, which are not always its exact value.
 */
export function wholeNumber(value: Value): bigint | null {
  const whole = typeof value === 'bigint' ? value : wholeOf(value);
  return whole !== null && whole >= -BIGGEST && whole < BIGGEST ? whole : null;
}

function wholeOf(value: Value): bigint | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const text = withAsciiDigits(strip(String(value))).replaceAll('_', '');
  const [, sign, before = '', after = '', exponent = '0'] = DECIMAL.exec(text) ?? [];
  if (sign === undefined) return null;
  const digits = (before + after).replace(/^0+/, '');
  if (digits === '') return 0n;
  const places = Number(exponent) - after.length;
  // Beyond 19 digits nothing fits; without this, an exponent could ask for a number of any size.
  if (digits.length + places > 19) return null;
  if (places < 0 && !/^0*$/.test(digits.slice(places))) return null;
  return BigInt(sign + (places < 0 ? digits.slice(0, places) : digits + '0'.repeat(places)));
}

/** The first characters of a text, as Python counts them: by code points. */
export function firstOf(text: string, length: number): string {
  return text.length <= length ? text : [...text].slice(0, length).join('');
}
