/** Documents that come from outside, read as what they should be. */

/** Makes a value of what JSON gave, or throws. @param at where in the document it is */
export type Shape<T> = (value: unknown, at: string) => T;

/** What a document is not. */
export class ShapeError extends Error {}

const wrong = (at: string, expected: string) => new ShapeError(`${at || 'the document'} is not ${expected}`);

export const text: Shape<string> = (value, at) => {
  if (typeof value !== 'string') throw wrong(at, 'a text');
  return value;
};

export const number: Shape<number> = (value, at) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw wrong(at, 'a number');
  return value;
};

export const flag: Shape<boolean> = (value, at) => {
  if (typeof value !== 'boolean') throw wrong(at, 'true or false');
  return value;
};

export function exactly<const T extends string | number>(...choices: readonly T[]): Shape<T> {
  return (value, at) => {
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw wrong(at, choices.map((choice) => JSON.stringify(choice)).join(' or '));
    return found;
  };
}

export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return (value, at) => (value === null ? null : shape(value, at));
}

export function list<T>(shape: Shape<T>): Shape<readonly T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) throw wrong(at, 'a list');
    return value.map((each, i) => shape(each, `${at}[${i}]`));
  };
}

export function dictionary<T>(shape: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return (value, at) =>
    Object.fromEntries(Object.entries(recordOf(value, at)).map(([name, each]) => [name, shape(each, `${at}.${name}`)]));
}

/** Members that are not named are refused: a document that says more than is read here may mean something else. */
export function object<T extends object>(members: { readonly [Name in keyof T]: Shape<T[Name]> }): Shape<T> {
  return (value, at) => {
    const record = recordOf(value, at);
    const unknown = Object.keys(record).filter((name) => !(name in members));
    if (unknown.length > 0) throw wrong(at, `of a kind that is known here: it has ${unknown.join(', ')}`);
    const result: Partial<T> = {};
    for (const name in members) {
      const shape = members[name];
      result[name] = shape(record[name], at === '' ? name : `${at}.${name}`);
    }
    return result as T;
  };
}

function recordOf(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(at, 'an object');
  return Object.fromEntries(Object.entries(value));
}
