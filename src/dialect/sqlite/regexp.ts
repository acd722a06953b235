/**
 * SQLite has REGEXP only where a program gives it one. MLflow gives it Python's `re.search`; here it is JavaScript's, with
 * what Python writes otherwise put into its words.
 */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/\(\?P</g, '(?<'],
  [/\(\?P=(\w+)\)/g, '\\k<$1>'],
  [/\\A/g, '(?<![^])'],
  [/\\Z/g, '(?![^])'],
  // A line break at the end of a text does not count.
  [/(?<!\\)((?:\\\\)*)\$$/, '$1(?=\\n?(?![^]))'],
];
const MOST_PATTERNS = 100;

/** @returns 0 for what is no pattern, and for NULL */
export function regexp(pattern: unknown, text: unknown): 0 | 1 {
  if (typeof pattern !== 'string' || typeof text !== 'string') return 0;
  return compiled(pattern)?.test(text) ? 1 : 0;
}

const known = new Map<string, RegExp | undefined>();

function compiled(pattern: string): RegExp | undefined {
  if (known.has(pattern)) return known.get(pattern);
  if (known.size >= MOST_PATTERNS) known.clear();
  const [, flags = '', rest = pattern] = /^\(\?([ims]+)\)(.*)$/s.exec(pattern) ?? [];
  const written = WORDS.reduce((text, [from, to]) => text.replace(from, to), rest);
  const expression = attempt(written, `${flags}u`) ?? attempt(written, flags);
  known.set(pattern, expression);
  return expression;
}

function attempt(pattern: string, flags: string): RegExp | undefined {
  try {
    return new RegExp(pattern, flags);
  } catch {
    return undefined;
  }
}
