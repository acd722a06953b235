/**
 * A filter as a list of tokens. MLflow gives filters to a tokenizer of SQL (sqlparse), and what that makes of dots, quotes,
 * keywords, numbers and comments is what clients see. So these rules are SQL's, not ours: the order matters, first match wins.
 */
import { KEYWORDS } from './keywords.js';

export type Type =
  | 'assignment'
  | 'command'
  | 'comment.multi'
  | 'comment.single'
  | 'error'
  | 'keyword'
  | 'keyword.cte'
  | 'keyword.dcl'
  | 'keyword.ddl'
  | 'keyword.dml'
  | 'keyword.order'
  | 'keyword.tzcast'
  | 'literal'
  | 'name'
  | 'name.builtin'
  | 'name.placeholder'
  | 'newline'
  | 'number.float'
  | 'number.hexadecimal'
  | 'number.integer'
  | 'operator'
  | 'operator.comparison'
  | 'punctuation'
  | 'string.single'
  | 'string.symbol'
  | 'whitespace'
  | 'wildcard';

export interface Token {
  readonly type: Type;
  readonly text: string;
}

/** What Python means by \w, \s, a letter of [A-ZÀ-Ü] in any case (its i has no dot or has one), and a dot. */
const W = '[\\p{L}\\p{N}_]';
const S = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const LETTERS = 'A-Za-zÀ-Üà-öø-ü\u017f\u212a\u212bıİ';
const A = `[${LETTERS}]`;
const ANY = '[^\\n]';
const D = '\\p{Nd}';
/** The end of a word. */
const B = `(?!${W})`;
const EOL = '(?:\\r\\n|\\r|\\n|$)';

/** A word in any case, with what Python takes for other cases of S, K and I. The flag `i` would let a combining mark be a letter. */
function anyCase(word: string): string {
  const others: Readonly<Record<string, string>> = { S: '\\u017f', K: '\\u212a', I: 'ıİ' };
  return [...word].map((letter) => `[${letter}${letter.toLowerCase()}${others[letter] ?? ''}]`).join('');
}

/** `null`: a keyword if it is one, else a name. */
const RULES: readonly (readonly [RegExp, Type | null])[] = (
  [
    [`(?:--|# )${ANY}*?${EOL}`, 'comment.single'],
    ['\\r\\n|\\r|\\n', 'newline'],
    [S, 'whitespace'],
    [':=', 'assignment'],
    ['::', 'punctuation'],
    ['\\*', 'wildcard'],
    ['`(?:``|[^`])*`', 'name'],
    ['´(?:´´|[^´])*´', 'name'],
    ['\\?', 'name.placeholder'],
    [`%(?:\\(${W}+\\))?[sS\\u017f]`, 'name.placeholder'],
    [`(?<!${W})[$:?]${W}+`, 'name.placeholder'],
    [`\\\\${W}+`, 'command'],
    [`(?:CASE|IN|VALUES|USING|FROM|AS)${B}`, 'keyword'],
    [`(?:@|##|#)${A}${W}+`, 'name'],
    // A keyword before or after a dot, or before a parenthesis, is a name.
    [`${A}${W}*(?=${S}*\\.(?!${D}))`, 'name'],
    [`(?<=\\.)${A}${W}*`, 'name'],
    [`${A}${W}*(?=\\()`, 'name'],
    [`-?0[xX][${D}A-Fa-f]+`, 'number.hexadecimal'],
    [`-?${D}+(?:\\.${D}+)?[Ee]-?${D}+`, 'number.float'],
    [`(?![_${LETTERS}])-?(?:${D}+\\.${D}*|\\.${D}+)(?![_${LETTERS}])`, 'number.float'],
    [`(?![_${LETTERS}])-?${D}+(?![_${LETTERS}])`, 'number.integer'],
    ["'(?:''|\\\\'|[^'])*'", 'string.single'],
    ['"(?:""|\\\\"|[^"])*"', 'string.symbol'],
    [`""|"${ANY}*?[^\\\\]"`, 'string.symbol'],
    [`(?<![\\p{L}\\p{N}_\\]\\)])\\[[^\\]\\[]+\\]`, 'name'],
    [
      `(?:(?:(?:LEFT${S}+|RIGHT${S}+|FULL${S}+)?(?:INNER${S}+|OUTER${S}+|STRAIGHT${S}+)?|(?:CROSS${S}+|NATURAL${S}+)?)?JOIN)${B}`,
      'keyword',
    ],
    [`END(?:${S}+IF|${S}+LOOP|${S}+WHILE|${S}+FOR|${S}+CASE)?${B}`, 'keyword'],
    [`IF${S}+(?:NOT${S}+)?EXISTS${B}`, 'keyword'],
    [`NOT${S}+NULL${B}`, 'keyword'],
    [`(?:ASC|DESC)(?:${S}+NULLS${S}+(?:FIRST|LAST))?${B}`, 'keyword.order'],
    [`NULLS${S}+(?:FIRST|LAST)${B}`, 'keyword.order'],
    [`UNION${S}+ALL${B}`, 'keyword'],
    [`CREATE(?:${S}+OR${S}+REPLACE)?${B}`, 'keyword.ddl'],
    [`DOUBLE${S}+PRECISION${B}`, 'name.builtin'],
    [`(?:(?:GROUP|ORDER)${S}+BY|PRIMARY${S}+KEY|HANDLER${S}+FOR|GO${S}${D}+)${B}`, 'keyword'],
    [`LATERAL${S}+VIEW${S}+(?:EXPLODE|INLINE|PARSE_URL_TUPLE|POSEXPLODE|STACK)${B}`, 'keyword'],
    [`(?:AT|WITH')${S}+TIME${S}+ZONE${S}+'[^']+'`, 'keyword.tzcast'],
    [`(?:NOT${S}+)?(?:LIKE|ILIKE|RLIKE)${B}`, 'operator.comparison'],
    [`(?:NOT${S}+)?REGEXP(?:${S}+BINARY)?${B}`, 'operator.comparison'],
    [`${W}[$#\\p{L}\\p{N}_]*`, null],
    ['[;:()\\[\\],\\.]', 'punctuation'],
    ['->>?|#>>?|@>|<@|\\?\\|?|\\?&|-|#-', 'operator'],
    ['[<>=~!]+', 'operator.comparison'],
    ['[+\\/@#%^&|^\\-]+', 'operator'],
  ] as const
).map(([pattern, type]) => [new RegExp(pattern.replace(/[A-Z]{2,}/g, anyCase), 'uy'), type] as const);

const DOLLAR = new RegExp(`(?<![\\p{L}\\p{N}_"$])\\$(?:[_${LETTERS}]${W}*)?\\$`, 'uy');

/** Comments and $quoted$ texts: from their opening to the next closing, if there is one. */
class Spans {
  readonly #text: string;
  /** What is known not to come any more: without this, many openings that never close would take quadratic time. */
  readonly #absent = new Set<string>();

  constructor(text: string) {
    this.#text = text;
  }

  at(position: number): Token | undefined {
    if (this.#text.startsWith('/*', position)) {
      const opening = this.#text[position + 2] === '+' ? 3 : 2;
      return this.#until('*/', position, opening, 'comment.multi');
    }
    if (this.#text[position] !== '$') return undefined;
    DOLLAR.lastIndex = position;
    const tag = DOLLAR.exec(this.#text)?.[0];
    return tag === undefined ? undefined : this.#until(tag, position, tag.length, 'literal');
  }

  #until(closing: string, start: number, opening: number, type: Type): Token | undefined {
    if (this.#absent.has(closing)) return undefined;
    const end = this.#text.indexOf(closing, start + opening);
    if (end === -1) {
      this.#absent.add(closing);
      return undefined;
    }
    return { type, text: this.#text.slice(start, end + closing.length) };
  }
}

export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const spans = new Spans(text);
  for (let position = 0; position < text.length; ) {
    const token = spans.at(position) ?? byRule(text, position);
    tokens.push(token);
    position += token.text.length;
  }
  return tokens;
}

function byRule(text: string, position: number): Token {
  for (const [rule, type] of RULES) {
    rule.lastIndex = position;
    const found = rule.exec(text)?.[0];
    if (found) return { type: type ?? KEYWORDS.get(found.toUpperCase()) ?? 'name', text: found };
  }
  return { type: 'error', text: String.fromCodePoint(text.codePointAt(position) ?? 0) };
}

/** Whitespace in MLflow's sense: a newline too. */
export function isBlank(type: Type | null): boolean {
  return type === 'whitespace' || type === 'newline';
}
