/** Values that must not be seen: kept out of text by their type, and taken out of foreign text by `redact`. */

/** What stands in the place of a secret. */
export const MASK = '***';

/** A text that shows as `***` wherever it is printed, logged, inspected or put into JSON. Only `reveal` gives it away. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The text itself, for a driver and for nothing else. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return MASK;
  }
}

/** Texts shorter than this are found in any message by chance. */
const SHORTEST_ANYWHERE = 3;

/**
 * Text without the secrets: each is replaced by `***` as it is, percent- or form-encoded (also twice, and in any mix),
 * JSON-escaped, and with its quotes or braces doubled as SQL and ODBC do.
 *
 * Some secrets cannot be replaced wherever their letters stand: one of one or two characters, and one that is part of a
 * text in `known` (`postgres:postgres@…/postgres`). That would make messages unreadable, and show by its gaps what the
 * secret is. These are replaced only where a password stands: after `:` or `=`, up to `@`, `;`, `&`, a quote, a brace, a
 * blank or the end. An empty secret is none.
 *
 * For JSON redact the strings in it, not the text: `JSON.stringify(value, (_, v) => typeof v === 'string' ? clean(v) : v)`,
 * as a secret may spell a key.
 * @param known what is shown anyway, such as the names of the user, host and database
 */
export function redact(text: string, secrets: Iterable<Secret>, known: Iterable<string> = []): string {
  return redactor(secrets, known)(text);
}

/** `redact` with its work done ahead: for the one place where all that the CLI prints goes out. */
export function redactor(secrets: Iterable<Secret>, known: Iterable<string> = []): (text: string) => string {
  const shown = [...known];
  const values = new Set([...secrets].map((secret) => secret.reveal()).filter((value) => value !== ''));
  const patterns = [...values]
    // A secret that holds another one goes first, so that nothing of it is left over.
    .sort((a, b) => b.length - a.length)
    .map((value) => {
      const anywhere = value.length >= SHORTEST_ANYWHERE && !shown.some((word) => word.includes(value));
      return anywhere ? spellings(value) : AFTER + spellings(value) + BEFORE;
    });
  if (patterns.length === 0) return (text) => text;
  const pattern = new RegExp(patterns.join('|'), 'gu');
  return (text) => text.replace(pattern, MASK);
}

const AFTER = '(?<=[:=]|%3[aAdD])';
const BEFORE = `(?=[@;&'"}\\s]|%40|%3[bB]|%26|$)`;

function spellings(text: string): string {
  return [...text].map((character) => `(?:${spell(character).join('|')})`).join('');
}

/** Every way in which one character is written, as regular expressions, the longest first. */
function spell(character: string): string[] {
  const literal = literally(character);
  const json = literally(JSON.stringify(character).slice(1, -1));
  const percent = [...Buffer.from(character)]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .map((hex) => `%(?:25)*${hex.replace(/[a-f]/gu, (digit) => `[${digit}${digit.toUpperCase()}]`)}`)
    .join('');
  return [
    percent,
    ...(json === literal ? [] : [json]),
    ...("'}".includes(character) ? [literal + literal] : []),
    ...(character === ' ' ? ['\\+'] : []),
    literal,
  ];
}

const literally = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&');

/** Whether an option of this name holds a secret. `passfile` and `sslkey` name files, which are no secrets. */
export function isSecretName(name: string): boolean {
  return /passw(or)?d|^pwd$|passphrase|secret|token/i.test(name);
}

/** `PWD=…` within a list of settings, as in an ODBC connection string: its name, and its value, in braces or not. */
const SETTING = /((?:^|;)\s*(?:pwd|password)\s*=\s*)(\{(?:[^}]|\}\})*\}?|[^;]*)/giu;

/** A list of settings with its passwords masked; other text is left as it is. */
export function maskSettings(text: string): string {
  return text.replace(SETTING, `$1${MASK}`);
}

/** The passwords in a list of settings. */
export function secretsInSettings(text: string): Secret[] {
  return [...text.matchAll(SETTING)].map(([, , value = '']) =>
    value.startsWith('{')
      ? new Secret(value.slice(1).replace(/\}$/u, '').replaceAll('}}', '}'))
      : new Secret(value.trim()),
  );
}
