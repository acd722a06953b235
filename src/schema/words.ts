/** The words that migrations are written with where they read or move rows. */

/** A value in SQL text: quoted and escaped as the dialect reads it. */
export type Literal = string | number | boolean | null;

/**
 * What a migration's SQL is written with. Each member gives SQL text; together they are the words in which the
 * dialects differ. Source of each reading of JSON: what Python's `json` and MLflow's helpers make of the same text.
 */
export interface SqlWords {
  /** An identifier, quoted. */
  id(name: string): string;
  literal(value: Literal): string;
  /** Restricts a statement to the chunk at hand; true of every row when the statement runs in one piece. */
  range(column: string): string;
  /** How many rows a query has, as a 64-bit integer. */
  count(): string;
  /** The first `length` characters of a text. */
  left(text: string, length: number): string;
  /** How many characters a text has (not bytes, not UTF-16 units where the database tells). */
  characters(text: string): string;
  /**
   * A query for the first row of each group of a table's rows, of the chunk at hand: `columns` of the row that comes
   * first by `order`. The columns are those of the group and of the order.
   */
  firstOfEach(groups: Groups): string;
  /** Milliseconds since the epoch by the database's clock, as an integer. */
  now(): string;
  /** A double, or NULL when it is NaN or an infinity (which PostgreSQL can store). */
  finite(double: string): string;
  /** A double as an integer; NULL when it has a fraction or does not fit 64 bits. */
  wholeNumber(double: string): string;
  /** A text to be compared by code points, whatever its column's collation. */
  exactly(text: string): string;
  /** The text of a JSON column. */
  jsonText(column: string): string;
  /**
   * True of a text that is made of nothing but numbers, these keys, each at most once, and the signs of JSON: of such a
   * text the readings below are what Python makes of it. `numbers` may be whole ones only, of any size.
   */
  isPlainJson(text: string, keys: readonly string[], numbers: 'whole' | 'any'): string;
  /** The member `key` of a JSON object, as a double; NULL when the text is not a JSON object or the member not a finite number. */
  jsonNumber(text: string, key: string): string;
  /** The same as a 64-bit integer; NULL also when it has a fraction. */
  jsonWholeNumber(text: string, key: string): string;
  /** The member `key` of a JSON object where it is a string; else NULL. */
  jsonString(column: string, key: string): string;
  /** True where the value of a JSON column is no object, has keys besides these, or one of these is neither string nor null. */
  jsonHasMoreThan(column: string, keys: readonly string[]): string;
  /** A text that is a plain JSON number, as a double, or NULL where it is too large for one. */
  jsonScalarNumber(text: string): string;
}

/** The rows of a table that are alike in `group`, and their order within it. */
export interface Groups {
  readonly table: string;
  readonly group: readonly string[];
  readonly order: readonly { readonly column: string; readonly descending: boolean }[];
  /** The column that the chunk is a range of: one of the group. */
  readonly range: string;
}
