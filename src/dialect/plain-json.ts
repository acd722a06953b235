/** The part of `isPlainJson` that dialects have in common: they differ in how a text is searched for signs. */

/** Longer texts are left to those who read them with care: numbers of hundreds of digits are in none of MLflow's. */
const LONGEST = 300;
/** For a class of characters in brackets, in which every dialect reads a `-` that comes first as itself. */
const SIGNS = { whole: '-0-9:,{} ', any: '-+0-9.eE:,{} ' } as const;

interface Search {
  literal(text: string): string;
  characters(text: string): string;
  /** True where no character of the text is outside of the class. */
  hasOnly(text: string, characterClass: string): string;
}

export function plainJson(
  text: string,
  keys: readonly string[],
  numbers: 'whole' | 'any',
  { literal, characters, hasOnly }: Search,
): string {
  const quoted = keys.map((key) => `"${key}"`);
  const without = (inner: string, key: string) => `REPLACE(${inner}, ${literal(key)}, ${literal('')})`;
  return [
    `${characters(text)} <= ${LONGEST}`,
    ...quoted.map((key) => `${characters(text)} - ${characters(without(text, key))} <= ${key.length}`),
    hasOnly(quoted.reduce(without, text), SIGNS[numbers]),
  ].join(' AND ');
}
