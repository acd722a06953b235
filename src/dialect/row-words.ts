/** How a dialect reads rows as they are: every value of a column exactly, in pages that cost the same wherever they are. */
import { type RawBuilder, sql } from 'kysely';
import type { Column } from '../schema/model.js';
import type { Misfit } from './fit.js';
import type { Value } from './loader.js';

export interface RowWords {
  /**
   * An expression that gives a column's value so that the driver loses nothing of it: dates and JSON as their text, whole
   * numbers that a double cannot hold as text. `name` is the column, quoted.
   */
  exactly(column: Column, name: string): string;
  /**
   * A number that each row has beside its columns, in the order in which the rows lie; rows are then paged by it. Null
   * where they lie in the order of their primary key, or where no such number is to be had.
   */
  readonly rowNumber: string | null;
  /** A condition on rows that come after one, in the order of a key; `key` and `last` are its columns and that one's values. */
  after(key: readonly RawBuilder<unknown>[], last: readonly RawBuilder<unknown>[]): RawBuilder<unknown>;
  /**
   * What a column holds of a value that it cannot hold as it is, and MLflow gives to it all the same: where there is no
   * NaN, nothing, and for the infinities the largest doubles. Null for a column that holds every value as it is.
   */
  held(column: Column): ((value: Value) => Value) | null;
  /** Says why a column of this database cannot hold a value; null for a column that holds any. */
  misfit(column: Column): Misfit | null;
  /**
   * Makes texts alike that a column holds to be equal in a key although they are not the same, near enough; null where there
   * are none.
   */
  folds(column: Column): ((text: string) => string) | null;
  /** The most values that a statement may bind. */
  readonly maxValues: number;
  /** Behind an ORDER BY: so many rows at the most. */
  first(limit: number): RawBuilder<unknown>;
}

/** By tuples, where the database finds their place in an index at once. */
export const afterTuple: RowWords['after'] = (key, last) => sql`(${sql.join(key)}) > (${sql.join(last)})`;

/** In single comparisons, where a tuple would have every row looked at. */
export const afterEach: RowWords['after'] = (key, last) => {
  const alternatives = key.map((column, at) => {
    const equal = key.slice(0, at).map((each, i) => sql`${each} = ${last[i]}`);
    return sql`(${sql.join([...equal, sql`${column} > ${last[at]}`], sql` AND `)})`;
  });
  return sql`(${sql.join(alternatives, sql` OR `)})`;
};

export const limit: RowWords['first'] = (rows) => sql`LIMIT ${sql.lit(rows)}`;

/** A database without NaN, and perhaps without infinities. @param precise doubles as a column of single precision holds them */
export function heldDoubles({
  infinities,
  single = (value) => value,
}: {
  infinities: boolean;
  single?: (value: number) => number;
}): RowWords['held'] {
  return ({ type }) => {
    if (type.kind !== 'double' && type.kind !== 'float') return null;
    return (value) => {
      if (typeof value !== 'number') return value;
      if (Number.isNaN(value)) return null;
      const finite = infinities ? value : Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));
      return type.kind === 'float' ? single(finite) : finite;
    };
  };
}

/** As most collations do that are blind to case: to accents as well, and to blanks at the end. */
export const foldText = (text: string): string => {
  const plain = ASCII.test(text) ? text : text.normalize('NFKD').replaceAll(/\p{M}/gu, '');
  return plain.toLowerCase().trimEnd();
};

const ASCII = /^[\0-\x7f]*$/;
